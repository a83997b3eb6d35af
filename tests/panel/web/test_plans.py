from __future__ import annotations

import pytest

from failover import config
from failover.model import AlarmState, Application, Goal, Memory, Split
from panel.fleet import models
from panel.web import plans
from panel.web.standing import Standing
from tests.panel.web import examples

SLOW = Memory(duration=5)  # seconds a request on Lambda: 20 requests a second need 100 of its 51


def configured(**policy: object) -> Application:
    return config.parse(examples.document("checkout", **policy), "checkout.toml")


def standing(**shown: object) -> Standing:
    return Standing(models.Application(slug="checkout"), examples.snapshot(**shown), examples.NOW)


def test_a_failover_never_asks_for_fewer_tasks_than_run() -> None:
    first = plans.steps(Goal.FAILOVER, configured(failover_count=2), examples.snapshot(desired=10))[0]

    assert first == "ECS is asked for 10 tasks, now 10. No traffic moves yet."


def test_steps_follow_the_policy() -> None:
    policy = {"shift_steps": [10, 50, 100], "step_seconds": 20, "scale_deadline_seconds": 90}
    said = " ".join(plans.steps(Goal.FAILOVER, configured(**policy), None))

    assert "ECS gets 10 % → 50 % → 100 % of the traffic on the route, 20 s apart, each step checked." in said
    assert "more than 1 min 30 s" in said


def test_a_failback_names_lambdas_share_and_how_long_tasks_stay() -> None:
    said = " ".join(plans.steps(Goal.FAILBACK, configured(failback_steps=[90, 0], bake_seconds=300), None))

    assert "Lambda gets 10 % → 100 % of the traffic" in said
    assert "The ECS tasks stay for 5 min" in said


@pytest.mark.parametrize(
    ("goal", "shown", "warning"),
    [
        (Goal.FAILBACK, {"alarm": AlarmState.ALARM, "split": Split(0, 1)}, "The alarm is still on"),
        (Goal.FAILBACK, {"split": Split(0, 1), "concurrency": examples.wave(30)}, "Demand may not fit Lambda"),
        (Goal.FAILOVER, {"at": examples.NOW - 300}, "What you see is old"),
    ],
)
def test_it_warns_of_what_speaks_against_it(goal: Goal, shown: dict[str, object], warning: str) -> None:
    assert any(warning in said for said in plans.warnings(goal, configured(), standing(**shown), SLOW))


def test_a_calm_failover_warns_of_nothing() -> None:
    assert plans.warnings(Goal.FAILOVER, configured(), standing(), Memory()) == ()
