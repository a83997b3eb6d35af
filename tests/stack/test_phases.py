"""Phases of an incident: limit at 10, write at 20, nodes at 23, verified at 30; back: write at 50, verified at 60."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.phases import (
    PHASES,
    Moments,
    Request,
    failures_by_phase,
    phase,
    requests_per_second,
    slow_in_flight,
)

INCIDENT = Moments(
    limit_reached=10,
    failover_write=20,
    every_node_on_ecs=23,
    failover_verified=30,
    failback_write=50,
    failback_verified=60,
)
TIMES = st.floats(min_value=0, max_value=80)
POOLS = st.sampled_from(["lambda", "ecs", ""])


def request(sent: float, pool: str = "lambda", *, status: int = 200, path: str = "/", seconds: float = 0.1) -> Request:
    return Request(sent, sent + seconds, path, status, pool)


@pytest.mark.parametrize(
    ("sent", "pool", "expected"),
    [
        (9, "lambda", "before"),
        (10, "lambda", "throttled"),
        (15, "", "throttled"),
        (21, "lambda", "throttled"),
        (21, "ecs", "failover_shift"),
        (21, "", "failover_shift"),
        (23, "lambda", "failover_shift"),
        (29, "ecs", "failover_shift"),
        (30, "ecs", "on_ecs"),
        (50, "ecs", "failback_shift"),
        (55, "lambda", "failback_shift"),
        (60, "lambda", "after"),
    ],
)
def test_a_request_belongs_to_the_phase_it_was_sent_in(sent: float, pool: str, expected: str) -> None:
    assert phase(request(sent, pool), INCIDENT) == expected


def test_as_long_as_nothing_happened_everything_is_before() -> None:
    assert phase(request(1000), Moments()) == "before"


def test_a_failover_that_is_never_verified_excuses_nothing_but_lambda() -> None:
    stuck = Moments(limit_reached=10, failover_write=20)
    assert phase(request(500, "lambda"), stuck) == "throttled"
    assert phase(request(500, "ecs"), stuck) == "failover_shift"


@given(st.lists(TIMES, min_size=2).map(sorted), POOLS)
def test_phases_never_go_back_for_requests_to_one_pool(times: list[float], pool: str) -> None:
    ranks = [PHASES.index(phase(request(sent, pool), INCIDENT)) for sent in times]
    assert all(earlier <= later for earlier, later in pairwise(ranks)), ranks


@given(st.lists(st.tuples(TIMES, POOLS, st.sampled_from([200, 502, 503, 0]))))
def test_every_failure_is_counted_once(answers: list[tuple[float, str, int]]) -> None:
    requests = [request(sent, pool, status=status) for sent, pool, status in answers]
    counted = failures_by_phase(requests, INCIDENT)
    assert list(counted) == list(PHASES)
    assert sum(counted.values()) == sum(status != 200 for _, _, status in answers)


@given(TIMES, POOLS.filter(lambda pool: pool != "lambda"))
def test_only_lambda_is_excused_once_weights_move(sent: float, pool: str) -> None:
    if sent >= 20:
        assert phase(request(sent, pool), INCIDENT) not in {"before", "throttled"}


def test_slow_requests_count_where_they_were_on_their_way() -> None:
    requests = [
        request(16, path="/sleep", seconds=5),
        request(10, path="/sleep", seconds=5),
        request(21, path="/sleep", seconds=5),
        request(19, path="/", seconds=5),
    ]
    assert slow_in_flight(requests, 20) == 1
    assert slow_in_flight(requests, None) == 0


def test_the_rate_is_over_the_whole_time() -> None:
    assert requests_per_second([request(n / 52) for n in range(52 * 10 + 1)]) == pytest.approx(52.1)
    assert requests_per_second([]) == 0
