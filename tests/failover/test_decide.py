"""Whole operations in virtual time: what an operator would see happen, step by step."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover import memory as memories
from failover.model import (
    AlarmState,
    Baseline,
    Bounds,
    Goal,
    Kind,
    Memory,
    Part,
    Policy,
    Position,
    Request,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Split,
)
from failover.ports import AwsError
from failover.rules import Violation, judge
from tests.failover.world import LISTENER, RULE, Crash, Run, World, application, on_ecs

FAILOVER, FAILBACK = Request(Goal.FAILOVER), Request(Goal.FAILBACK)
WAS_STANDBY = Memory(baseline=Baseline(0), duration=0.1)


def ended(run: Run, kind: Kind, limit: float = 600) -> Run:
    outcome = run.to_end(limit)
    assert outcome.decision.kind is kind, "\n".join(run.journal.lines)
    assert run.world.broken == [], "\n".join([*run.world.broken, *run.journal.lines])
    return run


# ---- failover ----


def test_failover_starts_tasks_waits_for_health_and_moves_every_route():
    run = ended(Run(World(), FAILOVER), Kind.DONE)
    assert [type(action) for _, action in run.world.writes] == [SetDesiredCount, SetSplit, SetSplit]
    assert run.outcome.snapshot.position is Position.ECS
    assert "traffic agrees" in run.outcome.decision.headline


def test_failover_never_lowers_the_desired_count():
    run = ended(Run(World(desired=10, tasks=[0.0] * 10), FAILOVER), Kind.DONE)
    assert run.world.desired == 10


def test_failover_asks_for_the_tasks_that_demand_needs():
    world = World(rate=100)
    world.pass_time(10)
    ended(Run(world, FAILOVER, application(requests_per_task=20)), Kind.DONE)
    assert world.desired == 5


def test_failover_passes_through_the_policys_steps():
    run = ended(Run(World(), FAILOVER, application(shift_steps=(10, 50, 100))), Kind.DONE)
    shown = [action.split for _, action in run.world.writes if isinstance(action, SetSplit)]
    assert shown == [Split(90, 10)] * 2 + [Split(50, 50)] * 2 + [Split(0, 100)] * 2


def test_failover_raises_autoscaling_bounds_before_the_count():
    run = ended(Run(World(bounds=Bounds(0, 1)), FAILOVER), Kind.DONE)
    assert run.world.writes[0][1] == SetBounds(Bounds(2, 2))
    assert run.journal.progress.memory.baseline == Baseline(0, Bounds(0, 1))


def test_failover_without_healthy_targets_stops_at_its_deadline_and_leaves_traffic():
    run = ended(Run(World(sick=True), FAILOVER), Kind.STOP)
    assert run.outcome.decision.rule == "capacity"
    assert run.outcome.snapshot.position is Position.LAMBDA


def test_failover_goes_back_when_ecs_fails_the_first_requests():
    run = ended(Run(World(ecs_5xx=0.5), FAILOVER, application(shift_steps=(10, 100))), Kind.STOP)
    assert run.outcome.snapshot.split == Split(100, 0)
    assert "50 % of" in run.outcome.decision.detail


def test_failover_that_was_done_already_is_done_without_a_write():
    run = ended(Run(on_ecs(World()), FAILOVER), Kind.DONE)
    assert run.world.writes == []


def test_too_little_traffic_is_told_as_inconclusive():
    run = ended(Run(World(rate=0), FAILOVER), Kind.DONE)
    assert "inconclusive" in run.outcome.decision.headline


# ---- failback ----


def test_failback_steps_down_bakes_drains_and_scales_in():
    world = on_ecs(World())
    world.pass_time(30)
    run = ended(Run(world, FAILBACK, memory=WAS_STANDBY), Kind.DONE)
    shown = [action.split.ecs for _, action in world.writes if isinstance(action, SetSplit)]
    assert shown == [10 * 9, 90, 50, 50, 0, 0]
    assert world.desired == 0
    verified, scaled = run.journal.progress.mark("verified"), world.writes[-1][0]
    assert scaled - verified >= run.app.policy.bake_seconds


@pytest.mark.parametrize("rate", [5, 8, 60])
def test_failback_waits_at_the_small_step_until_lambda_is_proven_by_requests(rate):
    """Little traffic makes the first step longer; what it proved still counts when the next one is judged."""
    world = on_ecs(World(rate=rate))
    world.pass_time(30)
    ended(Run(world, FAILBACK, memory=WAS_STANDBY), Kind.DONE)


def test_failback_restores_count_and_bounds_of_before():
    world = on_ecs(World(bounds=Bounds(2, 4)))
    world.pass_time(30)
    memory = Memory(Baseline(1, Bounds(1, 4)), Bounds(2, 4), duration=0.1)
    ended(Run(world, FAILBACK, memory=memory), Kind.DONE)
    assert (world.desired, world.bounds) == (1, Bounds(1, 4))


def test_failback_leaves_bounds_that_somebody_else_set():
    world = on_ecs(World(bounds=Bounds(0, 9)))
    world.pass_time(30)
    memory = Memory(Baseline(0, Bounds(0, 4)), Bounds(2, 4), duration=0.1)
    ended(Run(world, FAILBACK, memory=memory), Kind.DONE)
    assert world.bounds == Bounds(0, 9)


def test_failback_is_refused_while_demand_exceeds_lambdas_limit():
    world = on_ecs(World(rate=200))
    world.pass_time(30)
    run = ended(Run(world, FAILBACK, memory=WAS_STANDBY), Kind.REFUSE)
    assert run.outcome.decision.rule == "lambda_ready"
    assert world.writes == []


def test_failback_returns_to_ecs_when_the_alarm_comes_back_while_baking():
    world = on_ecs(World())
    world.pass_time(30)
    run = Run(world, FAILBACK, memory=WAS_STANDBY)
    while run.journal.progress.phase != "bake":
        world.pass_time(run.step().decision.wait)
    world.alarm, world.alarm_since = AlarmState.ALARM, world.now
    ended(run, Kind.STOP)
    assert run.outcome.snapshot.position is Position.ECS
    assert world.desired == 2


@pytest.mark.parametrize("lag", [0, 120])
def test_failback_leaves_the_tasks_while_sticky_sessions_still_send_requests(lag):
    """With minute metrics that come minutes late, the last two minutes are always empty: that is no silence."""
    world = on_ecs(World(rate=20, period=60, lag=lag, start_seconds=90, sticky=0.1))
    world.pass_time(900)
    run = Run(world, FAILBACK, replace(application(), policy=Policy()), memory=WAS_STANDBY)
    ended(run, Kind.STOP, limit=2400)
    assert run.outcome.decision.rule == "no_early_scale_in"
    assert "ECS still got" in run.outcome.decision.detail
    assert world.desired == 2


def test_failback_leaves_the_tasks_where_another_rule_still_uses_them():
    world = on_ecs(World())
    world.pass_time(30)
    run = Run(world, FAILBACK, memory=WAS_STANDBY)
    observe = world.observe

    def with_foreign_rule(parts=tuple(Part)):
        found = observe(parts)
        others = replace(found.routes.value, ecs_forwarders=("HTTP :80, /admin",))
        return replace(found, routes=replace(found.routes, value=others))

    world.observe = with_foreign_rule
    ended(run, Kind.STOP)
    assert run.outcome.decision.rule == "no_early_scale_in"
    assert world.desired == 2


@pytest.mark.parametrize("rate", [2, 20, 60])
def test_the_default_policy_works_with_minute_metrics_that_come_late(rate):
    """As AWS publishes them: a point a minute, a minute or two late."""
    world = World(rate=rate, period=60, lag=120, start_seconds=90)
    world.pass_time(900)
    app = replace(application(), policy=Policy())
    over = ended(Run(world, FAILOVER, app), Kind.DONE, limit=900)
    world.pass_time(900)
    ended(Run(world, FAILBACK, app, over.journal.progress.memory), Kind.DONE, limit=1800)
    assert world.desired == 0


def test_without_traffic_a_failback_ends_at_its_small_step_and_says_so():
    world = on_ecs(World(rate=0))
    run = ended(Run(world, FAILBACK, memory=WAS_STANDBY), Kind.STOP)
    assert "Too little traffic to judge 10/90" in run.outcome.decision.headline
    assert world.desired == 2


# ---- set_weights ----


def test_set_weights_starts_tasks_first_and_moves_once():
    run = ended(Run(World(), Request(Goal.SET_WEIGHTS, Split(90, 10))), Kind.DONE)
    assert run.world.splits == {LISTENER: Split(90, 10), RULE: Split(90, 10)}
    assert run.world.desired == 2


def test_set_weights_writes_no_route_where_another_must_not_be():
    """From 60/40 and 0/100 to 50/50 both pools gain, and nothing shows that Lambda answers."""
    world = on_ecs(World(splits={LISTENER: Split(0, 100), RULE: Split(0, 100)}))
    world.splits[LISTENER] = Split(60, 40)
    world.rate = 0.0
    world.pass_time(120)
    run = ended(Run(world, Request(Goal.SET_WEIGHTS, Split(50, 50))), Kind.REFUSE)
    assert run.outcome.decision.rule == "lambda_ready"
    assert shares(run, LISTENER) == shares(run, RULE) == []


def shares(run: Run, route: str) -> list[Split]:
    return [a.split for _, a in run.world.writes if isinstance(a, SetSplit) and a.route_arn == route]


def test_a_failover_in_steps_moves_the_route_that_lags_and_none_backwards():
    """A listener at 100/0 and a rule at 60/40: 10 % would be a step back for the rule."""
    world = World(splits={LISTENER: Split(100, 0), RULE: Split(60, 40)})
    run = ended(Run(world, FAILOVER, application(shift_steps=(10, 50, 100))), Kind.DONE)
    assert shares(run, LISTENER) == [Split(90, 10), Split(50, 50), Split(0, 100)]
    assert shares(run, RULE) == [Split(50, 50), Split(0, 100)]


def test_a_failback_from_routes_that_differ_begins_with_a_small_step():
    """A crash between two routes may leave them so, with nothing known of Lambda: a large step would be refused."""
    world = on_ecs(World(splits={LISTENER: Split(0, 100), RULE: Split(100, 0)}))
    world.splits[RULE] = Split(100, 0)
    world.pass_time(30)
    run = ended(Run(world, Request(Goal.FAILBACK), application(failback_steps=(90, 50, 0))), Kind.DONE)
    assert shares(run, LISTENER) == [Split(10, 90), Split(50, 50), Split(100, 0)]
    assert shares(run, RULE) == []


def test_beside_a_third_group_a_changed_sum_is_a_foreign_change():
    """The same ratio, 8/0 for 4/0, takes traffic from the third group."""
    world = World(splits={LISTENER: Split(4, 0), RULE: Split(4, 0)}, third_group=1)
    run = Run(world, FAILOVER)
    run.step()
    world.splits[LISTENER] = Split(8, 0)
    ended(run, Kind.STOP)
    assert run.outcome.decision.rule == "foreign_change"


def test_weights_beside_a_third_group_keep_their_sum():
    world = World(splits={LISTENER: Split(4, 0), RULE: Split(4, 0)}, third_group=1)
    ended(Run(world, Request(Goal.SET_WEIGHTS, Split(50, 50))), Kind.DONE)
    assert (world.splits[LISTENER].lambda_, world.splits[LISTENER].ecs) == (2, 2)


# ---- interruptions ----


def test_a_foreign_change_stops_the_operation_and_is_left_as_it_is():
    world = World()
    run = Run(world, FAILOVER)
    while run.journal.progress.phase != "healthy":
        world.pass_time(run.step().decision.wait)
    world.splits[RULE] = Split(70, 30)
    ended(run, Kind.STOP)
    assert run.outcome.decision.rule == "foreign_change"
    assert world.splits == {LISTENER: Split(100, 0), RULE: Split(70, 30)}


@pytest.mark.parametrize("seconds", [6, 11, 25])
def test_a_write_whose_reasons_grew_old_while_it_was_prepared_is_not_sent_but_looked_at_again(seconds):
    """Health from more than five seconds ago is no basis for a write, nor is a lease that ran out meanwhile."""
    world = World()
    held_up = []

    def take_long(action):
        if isinstance(action, SetSplit) and not held_up:
            held_up.append(world.now)
            world.pass_time(seconds)

    world.before_write = take_long
    run = ended(Run(world, FAILOVER), Kind.DONE)
    weights = [at for at, action in world.writes if isinstance(action, SetSplit)]
    assert min(weights) > held_up[0] + seconds, "it was decided anew before anything was sent"
    assert run.world.broken == []


def test_cancelling_before_the_shift_leaves_traffic_alone():
    world = World()
    run = ended(Run(world, FAILOVER, cancel_at=world.now + 4), Kind.STOP)
    assert run.outcome.snapshot.split == Split(100, 0)
    assert "Cancelled: enough" in run.outcome.decision.headline


def test_cancelling_between_two_routes_returns_both():
    world = World()
    run = Run(world, FAILOVER)

    def die_before_the_rule(action):
        if isinstance(action, SetSplit) and action.route_arn == RULE:
            run.cancel_at = 0.0
            raise Crash

    world.before_write = die_before_the_rule
    while run.cancel_at is None:
        outcome = run.step()
        world.pass_time(outcome.decision.wait if outcome else 1)
    world.before_write = lambda _: None
    ended(run, Kind.STOP)
    assert set(world.splits.values()) == {Split(100, 0)}


def test_unreadable_aws_is_waited_for():
    world = World(unreadable={Part.ROUTES})
    run = Run(world, FAILOVER)
    assert run.step().decision.headline == "Waiting until AWS can be read"
    world.unreadable.clear()
    ended(run, Kind.DONE)


def test_a_moment_without_an_answer_late_in_a_long_phase_ends_nothing():
    """What counts is how long AWS has not been readable, not how long the phase has lasted."""
    world = on_ecs(World())
    run = Run(world, FAILBACK, application(bake_seconds=600))
    while run.journal.progress.phase != "bake" or world.now - run.journal.progress.phase_since < 300:
        world.pass_time(run.step().decision.wait)
    world.unreadable = {Part.ROUTES}
    world.pass_time(run.step().decision.wait)
    world.unreadable = set()
    ended(run, Kind.DONE, 900)


def test_an_operation_that_can_never_read_what_it_judges_by_ends():
    world = on_ecs(World(unreadable={Part.LIMITS}))
    run = ended(Run(world, FAILBACK), Kind.STOP)
    assert run.outcome.decision.headline == "AWS could not be read"
    assert set(world.splits.values()) == {Split(0, 100)}


def test_a_rule_that_forbids_the_second_route_sends_the_first_one_home(monkeypatch):
    def forbid(write):
        to_ecs = isinstance(write.action, SetSplit) and write.action.split.ecs and write.action.route_arn == RULE
        return Violation("ecs_ready", "Too few targets.") if to_ecs else judge(write)

    monkeypatch.setattr("failover.controller.judge", forbid)
    world = World(lambda_states=(("healthy", 1),))
    run = ended(Run(world, FAILOVER), Kind.STOP)
    assert run.outcome.decision.detail == "Too few targets."
    assert set(world.splits.values()) == {Split(100, 0)}, "\n".join(run.journal.lines)


def test_demand_that_grows_during_the_shift_gets_its_tasks_before_more_weight():
    world = World(rate=20)
    world.pass_time(10)
    run = Run(world, FAILOVER, application(requests_per_task=20, shift_steps=(10, 100)))
    while run.journal.progress.step < 1:
        world.pass_time(run.step().decision.wait)
        if run.journal.progress.phase == "shift":
            world.rate = 100
    ended(run, Kind.DONE)
    assert world.desired == 5


def test_a_raised_minimum_is_never_lowered():
    world = World(bounds=Bounds(4, 6), desired=2, tasks=[0.0, 0.0])
    ended(Run(world, FAILOVER), Kind.DONE)
    assert world.bounds.minimum == 4


def test_access_denied_ends_the_operation_with_the_remedy():
    def deny(_):
        raise AwsError("denied", "ecs:UpdateService on x: AccessDenied", "Grant ecs:UpdateService on x.")

    run = ended(Run(World(before_write=deny), FAILOVER), Kind.STOP)
    assert run.outcome.decision.remedy == "Grant ecs:UpdateService on x."


@pytest.mark.parametrize("goal", [FAILOVER, FAILBACK])
@given(crash=st.integers(1, 8), after=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_crash_around_any_write_converges_to_the_same_end(goal, crash, after):
    world = World() if goal is FAILOVER else on_ecs(World())
    world.pass_time(30)
    run = Run(world, goal, memory=WAS_STANDBY)
    count = 0

    def die(_):
        nonlocal count
        count += 1
        if count == crash:
            raise Crash

    setattr(world, "after_write" if after else "before_write", die)
    ended(run, Kind.DONE)
    assert run.outcome.snapshot.position is (Position.ECS if goal is FAILOVER else Position.LAMBDA)
    assert world.desired == (2 if goal is FAILOVER else 0)


@given(lost=st.sets(st.integers(1, 8), max_size=4))
@settings(max_examples=30, deadline=None)
def test_lost_answers_are_found_by_reading_again(lost):
    world = World()
    count = 0

    def lose(_):
        nonlocal count
        count += 1
        if count in lost:
            raise AwsError("unanswered", "no usable answer")

    world.after_write = lose
    ended(Run(world, FAILOVER), Kind.DONE)
    assert set(world.splits.values()) == {Split(0, 100)}


# ---- kill switch, supersede, resume ----


def until(run: Run, phase: str) -> Run:
    while run.journal.progress.phase != phase:
        run.world.pass_time(run.step().decision.wait)
    return run


AUTOMATIC = Request(Goal.FAILOVER, automatic=True)


@pytest.mark.parametrize("phase", ["start", "capacity", "healthy", "shift"])
def test_the_kill_switch_ends_an_automatic_operation_before_its_next_write(phase):
    run = until(Run(World(), AUTOMATIC), phase)
    written = len(run.world.writes)
    run.kill_switch_at = run.world.now
    ended(run, Kind.STOP)
    assert run.outcome.decision.rule == "kill_switch"
    assert f"Weights stay at {run.world.splits[LISTENER]}" in run.outcome.decision.detail
    assert len(run.world.writes) == written


def test_a_kill_switch_turned_on_between_two_routes_is_obeyed_and_what_stands_is_said():
    run = Run(World(), AUTOMATIC)

    def turn_on(action):
        if isinstance(action, SetSplit):
            run.kill_switch_at = 0.0

    run.world.after_write = turn_on
    ended(run, Kind.STOP)
    assert run.world.splits == {LISTENER: Split(0, 100), RULE: Split(100, 0)}
    assert run.world.observe().position is Position.SPLIT


def test_the_kill_switch_does_not_touch_what_a_person_started():
    run = Run(World(), FAILOVER)
    run.kill_switch_at = 0.0
    ended(run, Kind.DONE)


def test_a_kill_switch_that_can_not_be_read_writes_nothing():
    run = Run(World(), AUTOMATIC)
    run._killed = lambda: (_ for _ in ()).throw(ConnectionError("the database is away"))
    with pytest.raises(ConnectionError):
        run.step()
    assert run.world.writes == []


@pytest.mark.parametrize("phase", ["healthy", "shift", "settle"])
def test_an_operation_that_supersedes_another_starts_from_what_is_there_and_knows_what_stood_before(phase):
    world = World(bounds=Bounds(0, 4), lambda_states=(("healthy", 1),))
    old = until(Run(world, AUTOMATIC), phase)
    world.pass_time(20)  # one lease length: whatever the old one had sent has been answered or given up
    memory = memories.carried(Memory(), old.journal.progress)
    ended(Run(world, FAILBACK, memory=memory), Kind.DONE)
    assert (world.desired, world.bounds) == (0, Bounds(0, 4))
    assert set(world.splits.values()) == {Split(100, 0)}


@pytest.mark.parametrize("change", [{"version": 99}, {"version": 0}, {"phase": "teleport"}])
def test_progress_that_another_version_wrote_ends_where_it_stands_with_a_sentence(change):
    run = until(Run(World(), FAILOVER), "shift")
    run.journal.progress = replace(run.journal.progress, **change)
    written = len(run.world.writes)
    ended(run, Kind.STOP)
    assert "Another version of this program" in run.outcome.decision.headline
    assert len(run.world.writes) == written


# ---- several routes ----


def refusing(route: str, kind: str, times: int = 1_000_000):
    left = [times]

    def refuse(action):
        if isinstance(action, SetSplit) and action.route_arn == route and left[0]:
            left[0] -= 1
            raise AwsError(kind, f"elasticloadbalancing:Modify: {kind}", "Grant it.")

    return refuse


@pytest.mark.parametrize("route", [LISTENER, RULE])
def test_a_route_that_aws_throttles_is_tried_again_and_keeps_no_other_from_moving(route):
    world = World(lambda_states=(("healthy", 1),))
    run = Run(world, FAILOVER)
    world.before_write = refusing(route, "throttled", times=3)
    positions = set()
    while run.outcome is None or run.outcome.decision.kind in (Kind.ACT, Kind.WAIT):
        world.pass_time(run.step().decision.wait)
        positions.add(world.observe().position)
    assert run.outcome.decision.kind is Kind.DONE
    assert Position.SPLIT in positions, "the other route moved while this one was tried again"


@pytest.mark.parametrize("kind", ["throttled", "denied"])
def test_routes_that_were_written_return_where_another_one_can_not_be(kind):
    world = World(lambda_states=(("healthy", 1),), before_write=refusing(RULE, kind))
    run = ended(Run(world, FAILOVER), Kind.STOP)
    assert set(world.splits.values()) == {Split(100, 0)}
    assert f"elasticloadbalancing:Modify: {kind}" in run.outcome.decision.detail


def test_routes_that_were_written_stay_where_the_pool_to_return_to_is_sick():
    world = World(before_write=refusing(RULE, "denied"), rate=0, lambda_states=(("unhealthy", 1),))
    run = ended(Run(world, FAILOVER), Kind.STOP)
    assert run.outcome.decision.rule == "towards_health"
    assert world.observe().position is Position.SPLIT


def test_a_route_that_somebody_sets_back_at_once_does_not_keep_the_operation_for_ever():
    world = World(lambda_states=(("healthy", 1),))

    def undo(action):
        if isinstance(action, SetSplit) and action.route_arn == RULE and action.split.ecs:
            world.splits[RULE] = Split(100, 0)

    world.after_write = undo
    run = ended(Run(world, FAILOVER), Kind.STOP)
    assert "does not show it" in run.outcome.decision.detail
    assert set(world.splits.values()) == {Split(100, 0)}


# ---- deployments, and the alarm while tasks wait ----


def test_a_failover_onto_a_failed_deployment_is_refused():
    run = ended(Run(World(deployment_failed=True), FAILOVER), Kind.REFUSE)
    assert run.outcome.decision.rule == "capacity"


def test_scaling_in_waits_for_a_deployment():
    world = on_ecs(World())
    world.pass_time(30)
    run = until(Run(world, FAILBACK, memory=WAS_STANDBY), "drain")
    world.deployment_running = True
    for _ in range(60):
        world.pass_time(run.step().decision.wait)
    assert run.outcome.decision.headline == "Waiting until the service's deployment has ended"
    assert world.desired == 2
    world.deployment_running = False
    ended(run, Kind.DONE)


def test_an_alarm_while_waiting_for_the_drain_ends_the_failback_so_that_a_failover_can_start():
    world = on_ecs(World())
    world.pass_time(30)
    run = until(Run(world, FAILBACK, memory=WAS_STANDBY), "drain")
    world.alarm = AlarmState.ALARM
    ended(run, Kind.STOP, limit=5)
    assert world.desired == 2
