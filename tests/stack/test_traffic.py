import pytest

from stack.traffic import surges


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [(0, False), (19, False), (20, True), (79, True), (80, False), (259, False), (260, True), (320, False)],
)
def test_a_surge_comes_again_and_again(elapsed: int, expected: bool) -> None:
    assert surges(elapsed) is expected
