"""Many failovers at once, in two accounts: they wait for threads and for each other, and all of them come to an end."""

import pytest

from bench.hundred import Workers, play
from failover.model import Kind


@pytest.mark.parametrize("workers", [Workers(processes=1, threads=1, at_once=1), Workers(processes=2, threads=8)])
def test_failovers_at_once_all_succeed_and_aws_throttles_none(workers: Workers) -> None:
    played = play(2, 5, workers)
    assert [each.kind for each in played.pursuits] == [Kind.DONE] * 10
    assert played.throttled == 0
    assert min(each.emptiest for each in played.accounts) > 0


def test_more_threads_leave_a_step_waiting_for_less() -> None:
    one, eight = (play(2, 5, Workers(threads=threads)) for threads in (1, 8))
    assert one.waited / one.steps > eight.waited / eight.steps
    assert sum(one.seconds) > sum(eight.seconds)
