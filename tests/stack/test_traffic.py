import pytest

from stack.traffic import rate


@pytest.mark.parametrize(
    ("elapsed", "expected"), [(0, 52), (19, 52), (20, 150), (79, 150), (80, 52), (259, 52), (260, 150), (320, 52)]
)
def test_checkout_surges_again_and_again(elapsed: int, expected: int) -> None:
    assert rate("checkout", elapsed) == expected


@pytest.mark.parametrize("elapsed", [0, 30, 270])
def test_the_others_stay_calm(elapsed: int) -> None:
    assert rate("search", elapsed) == 8
