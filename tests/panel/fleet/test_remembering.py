"""What is remembered is bounded by how long it is."""

from panel.fleet.remembering import Remembered


def test_a_text_is_worked_on_once_and_the_longest_unused_is_forgotten_first() -> None:
    worked: list[str] = []
    lengths = Remembered(lambda text, _: worked.append(text) or len(text), most=10)
    assert [lengths("aaaa", ""), lengths("bbbb", ""), lengths("aaaa", ""), lengths("cc", "")] == [4, 4, 4, 2]
    assert (worked, lengths.length) == (["aaaa", "bbbb", "cc"], 10)
    lengths("ddd", "")
    lengths("aaaa", "")
    assert worked == ["aaaa", "bbbb", "cc", "ddd"], "b was unused for longest"
    lengths("bbbb", "")
    assert (worked[-1], lengths.length <= 10) == ("bbbb", True)


def test_what_is_longer_than_all_that_may_be_kept_drives_nothing_out() -> None:
    lengths = Remembered(lambda text, _: len(text), most=10)
    lengths("aaaa", "")
    assert (lengths("b" * 11, ""), lengths.length) == (11, 4)
