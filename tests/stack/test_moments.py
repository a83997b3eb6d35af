"""When things happened, from records of each kind. Times are seconds after `START`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stack.moments import Delivery, alarm_deliveries, find_moments, seconds
from stack.phases import Moments, Request
from stack.watch import ON_ECS, ON_LAMBDA, Sight, Split

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
T0 = START.timestamp()


def iso(after: float) -> str:
    return (START + timedelta(seconds=after)).isoformat()


def sight(
    after: float, split: Split, *, desired: int = 3, running: int = 3, healthy: int = 3, throttles: int = 1
) -> Sight:
    return Sight(T0 + after, {}, {"the listener": split}, {"a": split}, desired, running, healthy, throttles)


SIGHTS = [
    sight(0, ON_LAMBDA, desired=0, running=0, healthy=0, throttles=0),
    sight(10, ON_LAMBDA, desired=0, running=0, healthy=0),
    sight(20, ON_LAMBDA, healthy=1),
    sight(25, ON_LAMBDA),
    sight(31, ON_ECS),
    sight(60, (10, 90)),
    sight(71, ON_LAMBDA),
    sight(95, ON_LAMBDA, desired=0, running=1),
    sight(100, ON_LAMBDA, desired=0, running=0, healthy=0),
]
REQUESTS = [Request(T0 + 9, T0 + 9.1, "/", 502, "lambda"), Request(T0 + 5, T0 + 5.1, "/", 502, "")]
WRITES = [T0 + 27, T0 + 58, T0 + 65, T0 + 70]
DELIVERIES = [Delivery(T0 + 12, T0 + 12.5, 503), Delivery(T0 + 12, T0 + 13, 202)]
OPERATIONS: list[dict[str, Any]] = [
    {"goal": "failover", "created_at": iso(110), "finished_at": None},
    {"goal": "failback", "created_at": iso(55), "finished_at": iso(101)},
    {"goal": "failover", "created_at": iso(14), "finished_at": iso(40)},
]


def test_each_turn_is_found_where_it_was_recorded() -> None:
    found = find_moments(REQUESTS, SIGHTS, WRITES, DELIVERIES, OPERATIONS)
    after = {name: None if at is None else round(at - T0, 3) for name, at in vars(found).items()}
    assert after == {
        "limit_reached": 9,
        "alarm": 12,
        "webhook": 13,
        "decision": 14,
        "healthy": 25,
        "failover_write": 27,
        "every_node_on_ecs": 31,
        "failover_verified": 40,
        "failback_decision": 55,
        "failback_write": 58,
        "failback_verified": 71,
        "scaled_in": 100,
    }


def test_what_did_not_happen_is_unknown() -> None:
    assert find_moments([], SIGHTS[:1], [], [], []) == Moments()
    assert set(seconds(Moments()).values()) == {None}


def test_without_a_verified_failover_no_write_is_a_failback() -> None:
    running = [{"goal": "failover", "created_at": iso(14), "finished_at": None}]
    found = find_moments(REQUESTS, SIGHTS, WRITES, DELIVERIES, running)
    assert (found.failover_verified, found.failback_write, found.failback_verified) == (None, None, None)


def test_stages_are_measured_between_their_ends() -> None:
    took = seconds(find_moments(REQUESTS, SIGHTS, WRITES, DELIVERIES, OPERATIONS))
    assert took == {
        "alarm_to_webhook": pytest.approx(1),
        "webhook_to_decision": pytest.approx(1),
        "decision_to_healthy": pytest.approx(11),
        "healthy_to_weights": pytest.approx(2),
        "weights_to_verified": pytest.approx(13),
        "failover_total": pytest.approx(28),
        "failback_total": pytest.approx(45),
    }


def test_only_answered_deliveries_of_this_applications_alarms_count() -> None:
    def event(alarm: str, state: str, *attempts: dict[str, Any]) -> dict[str, Any]:
        return {"alarm": alarm, "state": state, "accepted": 1.0, "attempts": list(attempts)}

    accepted = {"at": 1.1, "answered": 1.2, "status": 202}
    state = {
        "applications": {"checkout": {"alarms": [{"name": "mine"}]}},
        "events": [
            event("mine", "OK", accepted),
            event("other", "ALARM", accepted),
            event(
                "mine", "ALARM", {"at": 1.0, "answered": 1.1, "status": None}, accepted, {"at": 2.0, "answered": None}
            ),
        ],
    }
    deliveries = alarm_deliveries(state, "checkout")
    assert deliveries == [Delivery(1.0, 1.1, 0), Delivery(1.0, 1.2, 202)]
    assert [each.accepted for each in deliveries] == [False, True]
