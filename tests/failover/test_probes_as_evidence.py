"""Probes stand in for missing traffic and speak against a pool that fails; they lead to none that is not well."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.controller import step
from failover.evidence import Answers, pool_answers, probed
from failover.model import (
    AlarmState,
    Goal,
    Kind,
    Memory,
    Probed,
    Progress,
    Reading,
    Request,
    SetDesiredCount,
    SetSplit,
    Snapshot,
    Split,
)
from failover.ports import unprobed
from tests.failover.world import Held, Journal, World, application, on_ecs

APP = application(failback_steps=(90, 0), shift_steps=(10, 100), min_requests=20)
ECS, LAMBDA = "ecs", "lambda"


def drive(world: World, request: Request, probe=unprobed, limit: float = 400.0, app=APP):
    """An operation to its end; the outcome, or the last one where none came."""
    journal = Journal(Progress(memory=Memory(duration=0.1, failover_automatic=True)))
    deadline = world.now + limit
    while True:
        outcome = step(
            app, request, journal.progress, aws=world, journal=journal, lease=Held(), clock=lambda: world.now,
            probe=probe,
        )  # fmt: skip
        if outcome.decision.kind not in (Kind.ACT, Kind.WAIT) or world.now > deadline:
            return outcome, journal
        world.pass_time(outcome.decision.wait)


def seen(world: World, pool: str, sent: int = 10, failed: int = 0, *, late: float = 0):
    return lambda: Reading.of((Probed(world.now - late, pool, sent, failed),), world.now - late)


def test_too_little_traffic_is_made_up_for_by_probes() -> None:
    world = on_ecs(World(rate=0.01))
    world.alarm_since = world.now - 600
    stuck, _ = drive(world, Request(Goal.FAILBACK))
    assert "Too little traffic to judge" in stuck.decision.headline

    world = on_ecs(World(rate=0.01))
    done, _ = drive(world, Request(Goal.FAILBACK), seen(world, LAMBDA))
    assert done.decision.kind is Kind.DONE
    assert not world.broken


def test_a_pool_that_fails_its_probes_gets_no_more_traffic_and_weights_go_back() -> None:
    world = World()
    world.lambda_states = (("healthy", 1),)
    stopped, journal = drive(world, Request(Goal.FAILOVER), seen(world, ECS, failed=5))
    assert stopped.decision.kind is Kind.STOP
    assert any("Probes that ecs answered failed" in each.detail for each in journal.decisions)
    assert stopped.snapshot.split == Split(100, 0)


@pytest.mark.parametrize("pool", ["", LAMBDA])
def test_failures_that_ecs_did_not_sign_hold_up_no_failover(pool: str) -> None:
    """While Lambda is at its limit nobody signs its 502: that is why traffic moves."""
    world = World()
    done, _ = drive(world, Request(Goal.FAILOVER), seen(world, pool, failed=10))
    assert done.decision.kind is Kind.DONE
    assert done.snapshot.split == Split(0, 100)


def test_old_probes_and_few_probes_say_nothing() -> None:
    world = World()
    at = world.now

    def judged(*probes: Probed, read_at: float = at) -> Answers:
        snapshot = Snapshot(at, probes=Reading.of(probes, read_at))
        return probed(APP.policy, snapshot, ECS, at - 60)

    assert judged(Probed(at - 1, ECS, 5, 0)) is Answers.YES
    assert judged(Probed(at - 1, ECS, 5, 3)) is Answers.NO
    assert judged(Probed(at - 1, ECS, 5, 2)) is Answers.UNKNOWN, "two lost requests are no verdict"
    assert judged(Probed(at - 1, ECS, 4, 0)) is Answers.UNKNOWN
    assert judged(Probed(at - 61, ECS, 50, 50)) is Answers.UNKNOWN, "from before the step"
    assert judged(Probed(at - 40, ECS, 50, 50), read_at=at - 40) is Answers.UNKNOWN, "nobody probes any more"
    assert judged(Probed(at - 1, "", 50, 50)) is Answers.UNKNOWN, "nobody signed them"


def test_probes_that_go_well_do_not_make_up_for_failed_requests() -> None:
    world = on_ecs(World(ecs_5xx=0.5))
    world.pass_time(30)
    seen_by_users = replace(world.observe(), probes=Reading.of((Probed(world.now, ECS, 100, 0),), world.now))
    assert pool_answers(APP.policy, seen_by_users, ECS, world.now - 30) is Answers.NO


counts = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda two: (max(two), min(two)))
readings = st.one_of(
    st.none(), st.lists(st.tuples(st.sampled_from(["", ECS, LAMBDA]), counts, st.floats(0, 300)), max_size=4)
)


@settings(max_examples=150, deadline=None)
@given(
    answers=st.lists(readings, min_size=1, max_size=8),
    goal=st.sampled_from([Goal.FAILOVER, Goal.FAILBACK]),
    rate=st.sampled_from([0.01, 20.0]),
    sick=st.booleans(),
    ecs_5xx=st.sampled_from([0.0, 0.3, 1.0]),
    lambda_5xx=st.sampled_from([0.0, 0.5]),
    lambda_state=st.sampled_from(["unavailable", "healthy", "unhealthy"]),
)
def test_whatever_probes_say_weights_move_only_towards_a_pool_that_is_known_to_be_well(
    answers, goal, rate, sick, ecs_5xx, lambda_5xx, lambda_state
) -> None:
    world = World(rate=rate, sick=sick, ecs_5xx=ecs_5xx, lambda_5xx=lambda_5xx)
    world.lambda_states = ((lambda_state, 1),)
    if goal is Goal.FAILBACK:
        on_ecs(world)
    world.pass_time(20)
    turn = iter(range(10**6))
    gained: list[str] = []

    def probe() -> Reading:
        told = answers[next(turn) % len(answers)]
        if told is None:
            return Reading(problem="nobody probes")
        return Reading.of(tuple(Probed(world.now - age, pool, *count) for pool, count, age in told), world.now)

    def look(action) -> None:
        if isinstance(action, SetSplit):
            more = action.split.ecs_percent > world.splits[action.route_arn].ecs_percent
            gained.append(ECS if more else LAMBDA)
            assert not (more and world.healthy < APP.policy.min_healthy)
            assert more or lambda_state != "unhealthy"

    world.before_write = look
    drive(world, Request(goal), probe, limit=120)
    assert not world.broken, world.broken


# ---- a rehearsal ----

REHEARSAL = Request(Goal.SET_WEIGHTS, automatic=True, rehearses=True)


def test_a_rehearsal_waits_for_health_and_moves_no_weight() -> None:
    world = World()
    done, journal = drive(world, REHEARSAL)
    assert done.decision.kind is Kind.DONE
    assert done.progress.mark("healthy") is not None
    assert [action for _, action in world.writes] == [SetDesiredCount(2)]
    assert "2 targets became healthy" in done.decision.headline
    assert any("Waiting for 2 healthy targets" in line for line in journal.lines)


def test_a_rehearsal_that_finds_sick_tasks_says_so() -> None:
    stopped, _ = drive(World(sick=True), REHEARSAL)
    assert (stopped.decision.kind, stopped.decision.rule) == (Kind.STOP, "capacity")


def test_a_rehearsal_makes_way_for_an_alarm() -> None:
    world = World(sick=True)

    def fire(action) -> None:
        world.alarm, world.alarm_since = AlarmState.ALARM, world.now

    world.after_write = fire
    stopped, _ = drive(world, REHEARSAL)
    assert (stopped.decision.kind, stopped.decision.rule) == (Kind.STOP, "real_alarm")
    assert world.desired == 2, "its tasks stay for the failover that follows"
