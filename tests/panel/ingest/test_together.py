"""What arrives while something is being stored is stored together, and each hears its own answer."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from panel.ingest.together import Together

PATIENCE = 30.0


class Work:
    """Doubles numbers, once it may; keeps the groups that it was given. A negative number is a bad one."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(numbers))
        self.begun.release()
        assert self.may_go_on.acquire(timeout=PATIENCE)
        if 0 in numbers:
            raise OSError("the database is gone")
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]


@pytest.fixture
def work() -> Work:
    return Work()


def sent(together: Together[int, int], work: Work, first: int, rest: Sequence[int]) -> list[Future[int]]:
    """`rest` comes, in order, while the work for `first` has begun."""
    pool = ThreadPoolExecutor(len(rest) + 1)
    futures = [pool.submit(together, first, PATIENCE)]
    assert work.begun.acquire(timeout=PATIENCE)
    for count, number in enumerate(rest, start=1):
        futures.append(pool.submit(together, number, PATIENCE))
        until(lambda count=count: len(together._waiting) == count)
    pool.shutdown(wait=False)
    return futures


def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not come to that within 30 s")


def test_one_alone_is_not_kept_waiting(work: Work) -> None:
    work.may_go_on.release()
    assert Together[int, int](work, 10)(21, PATIENCE) == 42


def test_those_who_come_meanwhile_are_worked_for_together(work: Work) -> None:
    futures = sent(Together(work, 10), work, 1, [2, 3, 4])
    work.may_go_on.release(2)
    assert [future.result(PATIENCE) for future in futures] == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


def test_after_a_group_the_next_one_waits_for_company_but_one_alone_does_not(work: Work) -> None:
    calls, together = [], Together[int, int](work, 10, lambda: calls.append(come()))

    def come() -> None:
        futures.append(pool.submit(together, 5, PATIENCE))
        until(lambda: len(together._waiting) == 2)

    futures = sent(together, work, 1, [2, 3])
    work.may_go_on.release(3)
    assert [each.result(PATIENCE) for each in futures] == [2, 4, 6]
    assert calls == []
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(together, 4, PATIENCE)]
        assert futures[0].result(PATIENCE) == 8
    assert (work.groups, len(calls)) == ([[1], [2, 3], [4, 5]], 1)


def test_a_group_is_no_larger_than_it_may_be(work: Work) -> None:
    futures = sent(Together(work, 2), work, 1, [2, 3, 4])
    work.may_go_on.release(3)
    assert [future.result(PATIENCE) for future in futures] == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3], [4]]


def test_a_bad_one_leaves_the_others_of_its_group_alone(work: Work) -> None:
    futures = sent(Together(work, 10), work, 1, [2, -3, 4])
    work.may_go_on.release(2)
    assert [futures[place].result(PATIENCE) for place in (0, 1, 3)] == [2, 4, 8]
    with pytest.raises(ValueError, match="-3"):
        futures[2].result(PATIENCE)


def test_work_that_fails_fails_for_its_group_and_the_next_goes_on(work: Work) -> None:
    together = Together[int, int](work, 10)
    futures = sent(together, work, 1, [0, 3])
    work.may_go_on.release(3)
    for future in futures[1:]:
        with pytest.raises(OSError, match="the database is gone"):
            future.result(PATIENCE)
    assert together(4, PATIENCE) == 8


def test_who_waits_too_long_gives_up_and_is_not_worked_for_later(work: Work) -> None:
    together = Together[int, int](work, 10)
    [first] = sent(together, work, 1, [])
    with pytest.raises(TimeoutError):
        together(2, 0)
    work.may_go_on.release(2)
    assert first.result(PATIENCE) == 2
    assert together(3, PATIENCE) == 6
    assert work.groups == [[1], [3]]
