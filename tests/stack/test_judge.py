"""Each condition, by evidence that breaks this one alone."""

from dataclasses import replace

import pytest

from stack.judge import Evidence, judge
from stack.phases import Moments, Request

MOMENTS = Moments(
    limit_reached=10,
    alarm=12,
    failover_write=20,
    every_node_on_ecs=23,
    failover_verified=30,
    failback_write=50,
    failback_verified=60,
)
SLOW = [Request(18, 23, "/sleep", 200, "lambda"), Request(48, 53, "/sleep", 200, "ecs")]
GOOD = Evidence(
    requests=[*(Request(n / 60, n / 60 + 0.01, "/", 200, "lambda") for n in range(60 * 80)), *SLOW],
    moments=MOMENTS,
    splits=[(100, 0), (0, 100), (10, 90), (50, 50), (100, 0)],
    desired_counts=[0, 3, 0],
    alarm_states_set_by_call=0,
    webhook_statuses=[202],
)


def broken(evidence: Evidence) -> list[str]:
    return [condition.name for condition in judge(evidence) if not condition.holds]


def test_a_good_incident_fulfils_every_condition() -> None:
    assert broken(GOOD) == []


@pytest.mark.parametrize(
    "splits",
    [
        [],
        [(100, 0)],
        [(100, 0), (0, 100)],
        [(100, 0), (50, 50), (100, 0)],
        [(0, 100), (100, 0)],
        [(100, 0), (0, 100), (100, 0), (0, 100)],
    ],
)
def test_traffic_that_did_not_go_there_and_back(splits: list[tuple[int, int]]) -> None:
    assert broken(replace(GOOD, splits=splits)) == ["traffic went from Lambda to ECS and back"]


@pytest.mark.parametrize("counts", [[], [0], [0, 3], [1, 3, 0], [0, 3, 1]])
def test_tasks_that_did_not_come_and_go(counts: list[int]) -> None:
    assert broken(replace(GOOD, desired_counts=counts)) == ["the desired count went from 0 up and back to 0"]


def test_a_client_that_was_too_slow() -> None:
    thin = [*GOOD.requests[:-2:2], *SLOW]
    assert broken(replace(GOOD, requests=thin)) == ["the client sent at least 50 requests a second"]


@pytest.mark.parametrize(("missing", "shift"), [(0, "failover"), (1, "failback")])
def test_a_shift_without_slow_requests_proves_nothing(missing: int, shift: str) -> None:
    requests = [request for request in GOOD.requests if request != SLOW[missing]]
    assert broken(replace(GOOD, requests=requests)) == [f"5 s requests were in flight when the {shift} moved traffic"]


@pytest.mark.parametrize(
    ("sent", "pool", "name"),
    [(21, "ecs", "failover_shift"), (35, "ecs", "on_ecs"), (55, "", "failback_shift"), (70, "lambda", "after")],
)
def test_one_failed_request_is_one_too_many(sent: float, pool: str, name: str) -> None:
    failed = Request(sent, sent + 0.1, "/", 502, pool)
    assert broken(replace(GOOD, requests=[*GOOD.requests, failed])) == [f"no request failed in {name}"]


def test_throttled_requests_are_the_incident_itself() -> None:
    throttled = [Request(sent, sent + 0.1, "/", 502, "lambda") for sent in (11, 15, 21)]
    assert broken(replace(GOOD, requests=[*GOOD.requests, *throttled])) == []


def test_an_alarm_that_was_set_by_call_proves_nothing() -> None:
    assert broken(replace(GOOD, alarm_states_set_by_call=1)) == ["the lab's own metrics raised the alarm"]
    assert broken(replace(GOOD, moments=replace(MOMENTS, alarm=None))) == ["the lab's own metrics raised the alarm"]


@pytest.mark.parametrize("statuses", [[], [401], [503, 500]])
def test_a_webhook_that_was_not_reached(statuses: list[int]) -> None:
    assert broken(replace(GOOD, webhook_statuses=statuses)) == ["the lab delivered the alarm to the webhook"]
    assert broken(replace(GOOD, webhook_statuses=[*statuses, 202])) == []
