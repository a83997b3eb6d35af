"""ECS guarded while it carries traffic: more tasks first, then the way home, and never towards what is not healthy."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover import guard
from failover.automation import Refused, Situation, Start, consider
from failover.model import (
    AlarmState,
    Baseline,
    Bounds,
    Goal,
    Memory,
    Mode,
    Part,
    Position,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Split,
)
from tests.failover.history import History
from tests.failover.world import World, application, on_ecs

HEALTHY = (("healthy", 1),)  # a Lambda target group whose health checks are on
FAILED_OVER = Memory(Baseline(0), duration=0.1, failover_at=999_900.0, failover_automatic=True)
LONG_AGO = {"dwell_seconds": 3600, "cooldown_seconds": 3600}


def guarded(memory=FAILED_OVER, situation=None, app=None, **world) -> History:
    """ECS carries the traffic for half a minute; dwell and cooldown are far away."""
    found = on_ecs(World(**{"lambda_states": HEALTHY, **world}))
    found.alarm_since = found.now
    found.pass_time(30)
    return History(found, app or application(**LONG_AGO), memory, situation or Situation(Mode.AUTO))


def weights_written(history: History) -> list[SetSplit]:
    return [action for _, action in history.world.writes if isinstance(action, SetSplit)]


def test_a_guard_that_holds_starts_nothing_and_pages_nobody():
    history = guarded().pass_time(60)
    assert history.operations == []
    assert history.pages == []


def test_a_task_that_died_is_not_enough_until_it_is_seen_in_consecutive_observations():
    history = guarded()
    history.world.tasks = history.world.tasks[:1]
    assert isinstance(history.look(), Refused)
    assert history.memory.watch.failing == 1
    history.look()
    assert history.memory.watch.failing == 1, "the same snapshot is one observation"
    history.world.tasks = [0.0, 0.0]
    history.world.pass_time(2)
    history.look()
    assert history.memory.watch.failing == 0
    assert history.operations == []


def test_too_few_healthy_targets_raise_the_count_before_anything_moves():
    history = guarded(bounds=Bounds(2, 2), rate=200)  # demand does not fit Lambda
    history.world.tasks = history.world.tasks[:1]
    history.pass_time(4)
    assert [goal for goal, _ in history.operations] == [Goal.SET_WEIGHTS]
    actions = [action for _, action in history.world.writes]
    assert actions == [SetBounds(Bounds(3, 3)), SetDesiredCount(3)]
    assert "ECS has 1 healthy targets, and its traffic needs 2" in history.pages[0]


def test_demand_that_outgrows_the_tasks_raises_the_count_to_what_it_needs():
    history = guarded(app=application(**LONG_AGO, requests_per_task=20), rate=100)
    history.pass_time(4)
    assert history.world.desired == 5
    assert weights_written(history) == []


def test_an_answering_lambda_with_room_gets_the_traffic_back_whatever_dwell_and_cooldown_say():
    history = guarded(ecs_5xx=0.2)
    history.pass_time(20)
    assert history.goals == [Goal.SET_WEIGHTS, Goal.FAILBACK]
    assert history.world.observe().position is Position.LAMBDA
    assert history.world.broken == []
    assert "20 % of" in history.pages[0]


def test_a_partly_failing_ecs_keeps_traffic_that_lambda_has_no_room_for():
    history = guarded(ecs_5xx=0.2, rate=200).pass_time(60)
    assert Goal.FAILBACK not in history.goals
    assert history.refusals["demand"].page
    assert history.world.observe().position is Position.ECS


def test_a_plainly_failing_ecs_gives_way_to_an_answering_lambda_even_without_room():
    history = guarded(sick=True, rate=200)
    began = history.world.now
    history.pass_time(20)
    assert Goal.FAILBACK in history.goals
    assert history.world.observe().position is Position.LAMBDA
    at, first = next((at, action) for at, action in history.world.writes if isinstance(action, SetSplit))
    assert first.split == Split(100, 0), "small steps would keep users on a pool that fails"
    assert at - began < 15


@pytest.mark.parametrize("lambda_states", [(("unhealthy", 1),), (("unavailable", 1),)])
def test_where_neither_pool_is_known_to_be_healthy_nothing_moves_or_shrinks_and_people_are_paged(lambda_states):
    history = guarded(sick=True, lambda_states=lambda_states).pass_time(120)
    assert weights_written(history) == []
    assert history.world.desired >= 2
    assert history.refusals["towards_health"].page
    assert len(history.pages) > 1


def test_an_unproven_lambda_is_tried_with_a_small_step_from_an_ecs_that_still_works():
    history = guarded(ecs_5xx=0.2, lambda_states=(("unavailable", 1),)).pass_time(20)
    assert weights_written(history)[0].split == Split(10, 90)


def test_after_a_persons_failover_the_count_rises_and_traffic_stays():
    by_hand = replace(FAILED_OVER, failover_automatic=False)
    held = Situation(Mode.AUTO, hold="hold by ada: People first", hold_rule="people_first")
    history = guarded(by_hand, held, ecs_5xx=0.8).pass_time(60)
    assert history.goals == [Goal.SET_WEIGHTS]
    assert history.world.desired == 3
    assert weights_written(history) == []
    assert history.refusals["people_first"].page
    assert not history.memory.failover_automatic, "it is still the person's failover"


@pytest.mark.parametrize(
    ("situation", "rule"),
    [
        (Situation(Mode.AUTO, kill_switch=True), "kill_switch"),
        (Situation(Mode.OBSERVE), "mode"),
        (Situation(Mode.AUTO, hold="hold by ada: deploying"), "hold"),
    ],
)
def test_what_stops_automation_stops_the_guard_too_and_people_are_paged(situation, rule):
    history = guarded(situation=situation, sick=True).pass_time(10)
    assert history.operations == []
    assert history.refusals[rule].page


def test_a_raise_gets_time_to_help_and_growth_has_an_end():
    history = guarded(ecs_5xx=0.2, rate=200).pass_time(1200)
    assert history.world.desired <= 4
    assert history.goals.count(Goal.SET_WEIGHTS) <= 3


def test_lambdas_alarm_keeps_traffic_on_an_ecs_that_still_answers():
    history = guarded(ecs_5xx=0.2)
    history.world.alarm = AlarmState.ALARM
    history.pass_time(30)
    assert history.refusals["lambda_ready"].page
    assert weights_written(history) == []


def test_what_can_not_be_read_is_no_observation():
    history = guarded(sick=True)
    history.world.unreadable = {Part.TARGETS}
    history.pass_time(30)
    assert history.memory.watch.failing == 0


@given(
    healthy=st.integers(0, 3),
    ecs_5xx=st.sampled_from([0.0, 0.04, 0.2, 0.9]),
    rate=st.sampled_from([0, 20, 200]),
    states=st.sampled_from([HEALTHY, (("unhealthy", 1),), (("unavailable", 1),)]),
    by_hand=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_weights_move_only_towards_a_pool_that_is_known_to_be_healthy(healthy, ecs_5xx, rate, states, by_hand):
    history = guarded(
        replace(FAILED_OVER, failover_automatic=not by_hand), ecs_5xx=ecs_5xx, rate=rate, lambda_states=states
    )
    history.world.tasks = [0.0] * healthy
    before = history.world.desired
    snapshot = history.world.observe()
    memory = replace(history.memory, watch=replace(history.memory.watch, failing=2, raised_at=history.world.now))
    verdict = consider(history.app, snapshot, memory, history.situation, history.world.now)
    if isinstance(verdict, Start):
        assert verdict.request.goal is Goal.FAILBACK
        assert verdict.page
        assert not by_hand
        ecs_still_works = healthy and (ecs_5xx < 0.5 or rate == 0)  # without requests none fails
        assert states == HEALTHY or ecs_still_works
        assert dict(states).get("unhealthy") is None
    assert history.world.desired == before
    assert guard.problem(history.app, snapshot, memory, history.world.now) or not isinstance(verdict, Start)


def deserted(seconds_ago: float, times: int = 1) -> History:
    """Traffic went home because ECS plainly failed it; Lambda's alarm fires, and new tasks would be healthy."""
    history = guarded(sick=True).pass_time(20)
    watch = history.memory.watch
    assert watch.deserted_at is not None
    assert watch.desertions == 1
    world = history.world
    world.sick = False
    world.alarm, world.alarm_since = AlarmState.ALARM, world.now
    watch = replace(watch, deserted_at=world.now - seconds_ago, desertions=times)
    history.memory = replace(history.memory, watch=watch)
    return history


@pytest.mark.parametrize(("seconds_ago", "times"), [(5, 1), (58, 1), (118, 2), (950, 9)])
def test_a_pool_that_just_failed_its_traffic_does_not_get_it_back_and_each_time_the_wait_doubles(seconds_ago, times):
    verdict = deserted(seconds_ago, times).look()
    assert isinstance(verdict, Refused)
    assert (verdict.goal, verdict.rule) == (Goal.FAILOVER, "capacity")
    assert verdict.page


@pytest.mark.parametrize(("seconds_ago", "times"), [(61, 1), (121, 2), (961, 9)])
def test_after_that_the_failover_is_tried_again(seconds_ago, times):
    verdict = deserted(seconds_ago, times).look()
    assert isinstance(verdict, Start)
    assert verdict.request.goal is Goal.FAILOVER


def test_a_failback_from_a_pool_that_works_is_no_desertion():
    history = guarded(alarm_since=0.0, app=application(dwell_seconds=1, cooldown_seconds=1)).pass_time(60)
    assert history.goals == [Goal.FAILBACK]
    assert history.memory.watch.deserted_at is None
