"""Each rule by itself: which writes it lets through, over random snapshots."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.model import (
    Bounds,
    Goal,
    Memory,
    Metrics,
    Progress,
    Reading,
    Request,
    Routes,
    RouteState,
    Scaling,
    Service,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Snapshot,
    Split,
    Targets,
)
from failover.rules import OVERRIDABLE, RULES, WRITE_SECONDS, Write, judge
from tests.failover.world import LISTENER, World, application

NOW = 1_000_000.0
ON_LAMBDA = Split(100, 0)
weights = st.integers(0, 999)
splits = st.tuples(weights, weights).filter(sum).map(lambda pair: Split(*pair))
ages = st.floats(0, 20)


def write(action, *, shown=ON_LAMBDA, healthy=2, age=0.0, goal=Goal.FAILOVER, override=(), **more) -> Write:
    app = application()
    at = NOW - age
    managed = (RouteState(LISTENER, "default", shown, "", more.get("other", 0)),)
    routes = Routes(managed, more.get("forwarders", ()), searched_at=NOW - more.get("searched", 0.0))
    snapshot = Snapshot(
        at=at,
        routes=Reading.of(routes, at),
        service=Reading.of(Service(more.get("desired", 2), 0, 2), at),
        targets=Reading.of(Targets(healthy, (), more.get("lambda_states", (("healthy", 1),))), at),
        scaling=Reading.of(Scaling(), at),
        metrics=Reading.of(Metrics(5, more.get("series", {})), at),
        alarms=World().observe().alarms,
        limits=World().observe().limits,
    )
    progress = Progress(
        memory=Memory(duration=more.get("duration", 0.1)),
        allowed=((LISTENER, more.get("allowed", (shown,))),),
        marks=more.get("marks", ()),
    )
    lease = more.get("lease", 20.0)
    return Write(action, app, Request(goal, override=frozenset(override)), snapshot, progress, lease, NOW)


def broken(found: Write) -> str:
    violation = judge(found)
    return violation.rule if violation else ""


@given(before=splits, after=splits, healthy=st.integers(0, 4), age=ages)
def test_ecs_gains_weight_only_with_enough_fresh_healthy_targets(before, after, healthy, age):
    found = write(SetSplit(LISTENER, after, before), shown=before, healthy=healthy, age=age)
    if not judge(found) and after.ecs_percent > before.ecs_percent:
        assert healthy >= 2
        assert age <= 5


@given(before=splits, after=splits, rate=st.integers(0, 5000), duration=st.floats(0.001, 5))
def test_lambda_gains_weight_only_with_room_for_its_demand(before, after, rate, duration):
    series = {"ecs_requests": ((NOW - 5, rate * 5.0),)}
    found = write(SetSplit(LISTENER, after, before), shown=before, goal=Goal.FAILBACK, series=series, duration=duration)
    if not judge(found) and after.ecs_percent < before.ecs_percent:
        assert rate * duration < 0.8 * 10


def test_lambda_gains_no_weight_without_evidence_beyond_a_small_step():
    unproven = {"lambda_states": (("unavailable", 1),), "goal": Goal.FAILBACK, "shown": Split(0, 100)}
    assert broken(write(SetSplit(LISTENER, Split(50, 50), Split(0, 100)), **unproven)) == "lambda_ready"
    assert broken(write(SetSplit(LISTENER, Split(10, 90), Split(0, 100)), **unproven)) == ""


def test_lambda_that_fails_gets_nothing():
    action = SetSplit(LISTENER, Split(10, 90), Split(0, 100))
    failing = write(action, shown=Split(0, 100), goal=Goal.FAILBACK, lambda_states=(("unhealthy", 1),))
    assert broken(failing) == "towards_health"
    assert (
        broken(replace(failing, request=Request(Goal.FAILBACK, override=frozenset({"towards_health"}))))
        == "lambda_ready"
    )


@given(count=st.integers(0, 50), desired=st.integers(0, 50), goal=st.sampled_from([Goal.FAILOVER, Goal.SET_WEIGHTS]))
def test_a_failover_never_shrinks_the_service(count, desired, goal):
    found = write(SetDesiredCount(count), desired=desired, goal=goal)
    assert (broken(found) == "never_shrink") == (count < desired)
    clamped = write(SetBounds(Bounds(0, count)), desired=desired, goal=goal)
    assert (broken(clamped) == "never_shrink") == (count < desired)


@given(
    shown=splits,
    forwarders=st.sampled_from([(), ("HTTP :80, /admin",)]),
    verified=st.none() | st.floats(NOW - 60, NOW),
    busy=st.booleans(),
    searched=st.sampled_from([1.0, 29.0, 31.0, NOW]),
)
def test_ecs_is_scaled_in_only_when_nothing_can_reach_it(shown, forwarders, verified, busy, searched):
    marks = () if verified is None else (("verified", verified),)
    series = {"ecs_requests": ((NOW - 5, 1.0),)} if busy else {}
    seen = {"shown": shown, "forwarders": forwarders, "searched": searched, "series": series}
    situation = {**seen, "marks": marks, "goal": Goal.FAILBACK}
    if not judge(write(SetDesiredCount(0), **situation)):
        assert shown.ecs == 0
        assert not forwarders
        assert verified is not None
        assert NOW - verified >= 20
        assert not busy
        assert searched <= 30


@given(shown=splits, after=splits, written=st.lists(splits, max_size=2))
def test_a_split_that_nobody_of_ours_wrote_is_never_overwritten(shown, after, written):
    found = write(SetSplit(LISTENER, after, shown), shown=shown, allowed=tuple(written))
    if shown not in written:
        assert broken(found) == "foreign_change"


@given(lease=st.floats(0, 30))
def test_nothing_is_written_with_less_lease_than_a_write_can_take(lease):
    assert (broken(write(SetDesiredCount(2), lease=lease)) == "single_writer") == (lease <= WRITE_SECONDS)


@given(before=splits, after=splits)
def test_beside_a_third_group_our_two_keep_their_sum(before, after):
    found = write(SetSplit(LISTENER, after, before), shown=before, other=5)
    if not judge(found):
        assert before.lambda_ + before.ecs == after.lambda_ + after.ecs


def test_a_split_of_nothing_can_not_even_be_said():
    with pytest.raises(ValueError, match="0/0"):
        Split(0, 0)


def test_an_override_silences_only_rules_that_may_be_overridden():
    everything = frozenset(RULES)
    shown = Split(100, 0)
    unready = write(SetSplit(LISTENER, Split(0, 100), shown), shown=shown, healthy=0, override=everything)
    assert broken(unready) == ""
    assert broken(write(SetDesiredCount(0), override=everything)) == "never_shrink"
    assert frozenset({"ecs_ready", "lambda_ready", "towards_health", "foreign_change"}) == OVERRIDABLE


@given(
    healthy=st.integers(0, 3),
    states=st.sampled_from([(("healthy", 1),), (("unhealthy", 1),), (("unavailable", 1),)]),
    failed=st.integers(0, 100),
)
def test_demand_beyond_lambdas_limit_goes_there_only_from_an_ecs_that_plainly_fails(healthy, states, failed):
    series = {"ecs_requests": ((NOW - 5, 1000.0),), "ecs_5xx": ((NOW - 5, 10.0 * failed),)}
    shown = Split(0, 100)
    found = write(
        SetSplit(LISTENER, Split(100, 0), shown), shown=shown, healthy=healthy, goal=Goal.FAILBACK,
        series=series, duration=1.0, lambda_states=states,
    )  # fmt: skip
    let_through = judge(found) is None
    assert let_through == (states == (("healthy", 1),) and (healthy == 0 or failed >= 50))
