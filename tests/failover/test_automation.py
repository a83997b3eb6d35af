"""What starts by itself, and why not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover import memory as memories
from failover.automation import Refused, Situation, Start, consider
from failover.model import AlarmState, Baseline, Goal, Memory, Mode, Part, Position, Request
from tests.failover.world import Run, World, application, on_ecs

AUTO = Situation(Mode.AUTO)
NOTHING = Memory()
FAILED_OVER = Memory(Baseline(0), duration=0.1, failover_at=0.0, failover_automatic=True)


def asked(world: World, memory=NOTHING, situation=AUTO, app=None):
    return consider(app or application(), world.observe(), memory, situation, world.now)


def alarmed(**world) -> World:
    return World(alarm=AlarmState.ALARM, alarm_since=999_990.0, **world)


def test_an_alarm_as_re_read_starts_a_failover():
    started = asked(alarmed())
    assert isinstance(started, Start)
    assert started.request == Request(Goal.FAILOVER, automatic=True)


def test_no_alarm_starts_nothing_whatever_an_event_said():
    assert asked(World()) is None


@pytest.mark.parametrize(
    ("situation", "rule"),
    [
        (Situation(Mode.OFF), "mode"),
        (Situation(Mode.OBSERVE), "mode"),
        (Situation(Mode.AUTO, hold="held by ada until noon"), "hold"),
        (Situation(Mode.AUTO, kill_switch=True), "kill_switch"),
        (Situation(Mode.AUTO, active="operation #7 runs", active_goal=Goal.FAILBACK), "single_writer"),
        (Situation(Mode.AUTO, last_failure_at=999_999.0), "capacity"),
    ],
)
def test_what_is_in_the_way_is_named_with_its_remedy(situation, rule):
    refused = asked(alarmed(), situation=situation)
    assert isinstance(refused, Refused)
    assert refused.rule == rule
    assert refused.remedy


def test_unreadable_alarms_start_nothing():
    refused = asked(alarmed(unreadable={Part.ALARMS}))
    assert refused.rule == "stale"


def test_a_failover_that_runs_is_not_refused_again():
    assert asked(alarmed(), situation=Situation(Mode.AUTO, active="#7", active_goal=Goal.FAILOVER)) is None


def test_traffic_already_on_ecs_needs_no_failover():
    assert asked(on_ecs(alarmed())) is None


def quiet(seconds: float, **settings) -> World:
    world = on_ecs(World(**settings))
    world.alarm_since = world.now
    world.pass_time(seconds)
    return world


def test_failback_waits_for_the_dwell():
    assert asked(quiet(10), FAILED_OVER).rule == "dwell"
    assert isinstance(asked(quiet(16), FAILED_OVER), Start)


def test_failback_waits_for_the_cooldown():
    world = quiet(16)
    assert asked(world, replace(FAILED_OVER, failover_at=world.now - 5)).rule == "cooldown"


def test_failback_waits_for_demand_to_fit():
    refused = asked(quiet(60, rate=200), FAILED_OVER)
    assert refused.rule == "demand"
    assert "200 requests a second" in refused.reason


def test_a_failback_that_failed_is_not_tried_at_every_look():
    world = quiet(60)
    failed = Situation(Mode.AUTO, last_failback_failure_at=world.now - 30)
    assert asked(world, FAILED_OVER, failed).rule == "cooldown"
    world.pass_time(60)
    assert isinstance(asked(world, FAILED_OVER, failed), Start)


def test_failback_never_undoes_what_a_person_did():
    assert asked(quiet(60), replace(FAILED_OVER, failover_automatic=False)).rule == "people_first"


def test_insufficient_data_is_not_ok():
    world = quiet(60)
    world.alarm = AlarmState.INSUFFICIENT_DATA
    assert asked(world, FAILED_OVER).rule == "alarm_no_data"


@given(rate=st.floats(1, 500), duration=st.floats(0.01, 2))
def test_no_failback_starts_that_would_exceed_the_limit(rate, duration):
    world = quiet(60, rate=rate)
    found = asked(world, replace(FAILED_OVER, duration=duration))
    if isinstance(found, Start):
        assert rate * duration <= 10


def test_a_steady_overload_leads_to_one_failover_and_no_failback():
    """Moving traffic off Lambda clears its alarm by itself: that must not bring it back."""
    world = alarmed(rate=200)
    memory, operations = Memory(), []
    for _ in range(600):
        world.pass_time(2)
        if world.observe().position is Position.ECS and world.alarm is AlarmState.ALARM:
            world.alarm, world.alarm_since = AlarmState.OK, world.now
        found = asked(world, memory)
        if isinstance(found, Start):
            run = Run(world, found.request, memory=memory)
            outcome = run.to_end()
            operations.append(found.request.goal)
            memory = memories.after(memory, found.request, outcome, world.now)
    assert operations == [Goal.FAILOVER]


def test_a_failover_soon_after_a_failback_doubles_the_dwell():
    world = World()
    memory = replace(FAILED_OVER, failover_at=None, failback_at=world.now - 600)
    run = Run(world, Request(Goal.FAILOVER, automatic=True), memory=memory)
    after = memories.after(memory, run.request, run.to_end(), world.now)
    assert after.dwell_factor == 2


def test_asking_for_what_is_already_so_changes_nothing_that_is_remembered():
    """Else a click on "fail over" while on ECS would turn an automatic failover into a person's."""
    world = quiet(60)
    run = Run(world, Request(Goal.FAILOVER), memory=FAILED_OVER)
    assert memories.after(FAILED_OVER, run.request, run.to_end(), world.now) == FAILED_OVER
