"""Reading the lab's state, and which changes are told."""

from dataclasses import replace
from typing import Any

from stack.watch import ON_ECS, ON_LAMBDA, Sight, changes, sight

LAMBDA, ECS = "arn:lambda-group", "arn:ecs-group"
CALM = Sight(
    at=1.0,
    alarms={"concurrency": "OK"},
    written={"the listener": ON_LAMBDA},
    nodes={"a, the listener": ON_LAMBDA, "b, the listener": ON_LAMBDA},
    desired=0,
    running=0,
    healthy=0,
    throttles=0,
)


def state(weights: dict[str, int], node_b: dict[str, int], *, tasks: list[str], healthy: int) -> dict[str, Any]:
    targets = [{"state": "healthy"}] * healthy + [{"state": "draining"}]
    application = {
        "load_balancer": {
            "rules": [{"arn": "arn:rule", "paths": [], "weights": weights}],
            "nodes": {"a": {"weights": {"arn:rule": weights}}, "b": {"weights": {"arn:rule": node_b}}},
        },
        "target_groups": {"lambda": {"arn": LAMBDA}, "ecs": {"arn": ECS, "targets": targets}},
        "service": {"desired": 3, "tasks": [{"status": status} for status in tasks]},
        "function": {"throttles": 7},
        "alarms": [{"name": "concurrency", "state": "ALARM"}],
    }
    return {"now": 5.0, "applications": {"checkout": application}}


def test_the_labs_state_is_read() -> None:
    now = sight(
        state({LAMBDA: 0, ECS: 1}, {LAMBDA: 1, ECS: 0}, tasks=["PENDING", "RUNNING", "STOPPED", "STOPPING"], healthy=2),
        "checkout",
    )
    assert now == Sight(
        at=5.0,
        alarms={"concurrency": "ALARM"},
        written={"the listener": ON_ECS},
        nodes={"a, the listener": ON_ECS, "b, the listener": ON_LAMBDA},
        desired=3,
        running=2,
        healthy=2,
        throttles=7,
    )


def test_weights_are_compared_as_a_ratio() -> None:
    now = sight(state({LAMBDA: 1, ECS: 9}, {LAMBDA: 100, ECS: 900}, tasks=[], healthy=0), "checkout")
    assert now.everywhere((10, 90))


def test_traffic_is_everywhere_only_when_every_node_has_it() -> None:
    assert CALM.everywhere(ON_LAMBDA)
    assert not replace(CALM, nodes={**CALM.nodes, "b, the listener": ON_ECS}).everywhere(ON_LAMBDA)
    assert not replace(CALM, written={"the listener": ON_ECS}).everywhere(ON_LAMBDA)


def test_what_did_not_change_is_not_told() -> None:
    assert list(changes(CALM, replace(CALM, at=2.0))) == []


def test_every_change_is_told_once() -> None:
    now = replace(
        CALM,
        alarms={"concurrency": "ALARM"},
        written={"the listener": ON_ECS},
        nodes={**CALM.nodes, "a, the listener": ON_ECS},
        desired=3,
        healthy=2,
        throttles=4,
    )
    told = list(changes(CALM, now))
    assert [what for what, _ in told] == ["throttled", "alarm", "tasks", "tasks", "weights", "node"]
    assert ("alarm", "concurrency is ALARM") in told
    assert ("tasks", "desired count 0 → 3") in told
    assert ("weights", "the listener: Lambda 0 %, ECS 100 %") in told
    assert list(changes(now, replace(now, throttles=9))) == [], "throttling is told when it begins, not at each request"
