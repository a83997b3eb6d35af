"""What is foreseen is what happens, as long as nothing else changes."""

from dataclasses import replace

import pytest

from failover.model import Baseline, Bounds, Goal, Kind, Memory, Request, Split
from failover.plan import Change, digest, foresee
from tests.failover.world import LISTENER, World, application, on_ecs

MEMORY = Memory(Baseline(0), duration=0.1)


def plan(world: World, request: Request, app=None):
    world.pass_time(30)
    return foresee(app or application(), request, world.observe(), MEMORY, world.now)


def changes(found) -> list[Change]:
    return [change for step in found.steps for change in step.changes]


def test_a_failover_shows_each_change_before_and_after():
    found = plan(World(bounds=Bounds(0, 4)), Request(Goal.FAILOVER))
    assert found.outcome is Kind.DONE
    assert changes(found) == [
        Change("autoscaling bounds", "0 to 4", "2 to 4"),
        Change("desired count", "0", "2"),
        Change("weights on f2f7", "100/0", "0/100"),
        Change("weights on 9683", "100/0", "0/100"),
    ]


def test_a_failback_foresees_steps_bake_and_scale_in():
    found = plan(on_ecs(World()), Request(Goal.FAILBACK))
    assert found.outcome is Kind.DONE, found.reason
    assert [change.after for change in changes(found)] == ["10/90"] * 2 + ["50/50"] * 2 + ["100/0"] * 2 + ["0"]
    assert found.seconds > application().policy.bake_seconds


def test_every_rule_is_shown_with_each_write():
    found = plan(World(), Request(Goal.FAILOVER))
    judged = [step for step in found.steps if step.changes]
    assert all({verdict.rule for verdict in step.rules} >= {"ecs_ready", "never_shrink"} for step in judged)
    assert all(verdict.passes for step in judged for verdict in step.rules)


def test_what_would_be_refused_is_foreseen_with_its_rule():
    found = plan(on_ecs(World(rate=300)), Request(Goal.FAILBACK))
    assert (found.outcome, found.rule) == (Kind.REFUSE, "lambda_ready")
    assert changes(found) == []


def test_a_plan_of_what_is_done_already_has_no_steps():
    found = plan(on_ecs(World()), Request(Goal.FAILOVER))
    assert (found.steps, found.outcome) == ((), Kind.DONE)


@pytest.mark.parametrize("what", ["split", "desired", "policy", "goal"])
def test_the_digest_changes_with_what_was_approved(what):
    world, app, request = World(), application(), Request(Goal.FAILOVER)
    before = digest(app, request, world.observe())
    if what == "split":
        world.splits[LISTENER] = Split(50, 50)
    elif what == "desired":
        world.desired = 3
    elif what == "policy":
        app = application(failover_count=3)
    else:
        request = Request(Goal.FAILBACK)
    assert digest(app, request, world.observe()) != before


def test_the_digest_does_not_change_with_health_metrics_or_who_asks():
    world, app, request = World(), application(), Request(Goal.FAILOVER)
    before = digest(app, request, world.observe())
    world.pass_time(60)
    assert digest(app, replace(request, automatic=True), world.observe()) == before
