"""What starts by itself, and why not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover import memory as memories
from failover.automation import Acknowledgement, Refused, Situation, Start, consider
from failover.model import (
    Alarm,
    AlarmState,
    Baseline,
    Goal,
    Kind,
    Memory,
    Mode,
    Part,
    Position,
    Reading,
    Request,
    Split,
)
from tests.failover.history import History
from tests.failover.world import LISTENER, Run, World, application, on_ecs

AUTO = Situation(Mode.AUTO)
HEALTHY = (("healthy", 1),)
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


@pytest.mark.parametrize("period", [5, 60])
def test_two_hours_of_steady_overload_lead_to_one_failover_and_no_failback(period):
    """Moving traffic off Lambda clears its alarm by itself: that must not bring it back."""
    lag = 0 if period == 5 else 120
    world = World(rate=200, limit=10, period=period, lag=lag, start_seconds=60, lambda_states=HEALTHY)
    world.pass_time(60)
    app = application(metric_period_seconds=period, requests_per_task=100, scale_deadline_seconds=600)
    history = History(world, app).pass_time(7200, look_every=5)
    assert history.goals == [Goal.FAILOVER]
    assert history.refusals["demand"].remedy
    assert history.pages == []
    assert world.broken == []


def test_a_surge_that_ends_brings_traffic_home_once():
    world = World(rate=200, limit=10, lambda_states=HEALTHY)
    world.pass_time(30)
    history = History(world).pass_time(600)
    world.rate = 20
    history.pass_time(3600)
    assert history.goals == [Goal.FAILOVER, Goal.FAILBACK]
    assert (world.desired, world.observe().position) == (0, Position.LAMBDA)


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


def test_a_failover_that_ended_half_way_is_remembered_so_that_traffic_comes_home():
    """Weights that stay moved are a failover to come back from, also where nobody could say that it was done."""
    world = alarmed()
    run = Run(world, Request(Goal.FAILOVER, automatic=True), application(shift_steps=(50, 100)))
    while run.journal.progress.step < 1:
        world.pass_time(run.step().decision.wait)
    run.cancel_at = world.now
    after = memories.after(Memory(), run.request, run.to_end(), world.now)
    assert after.failover_at == world.now
    assert after.failover_automatic


# ---- alarms: several, muted, without data ----


def with_alarms(rule: str, *alarms: Alarm):
    app = replace(application(), alarms=tuple(alarm.name for alarm in alarms), alarm_rule=rule)
    world = World()
    snapshot = replace(world.observe(), alarms=Reading.of(alarms, world.now))
    return consider(app, snapshot, Memory(), AUTO, world.now)


FIRING = Alarm("throttles", AlarmState.ALARM, 999_990.0)
CALM = Alarm("concurrency", AlarmState.OK, 0.0)
SILENT = Alarm("concurrency", AlarmState.INSUFFICIENT_DATA, 0.0)
MUTED = Alarm("concurrency", AlarmState.ALARM, 999_990.0, actions_enabled=False)
SUPPRESSED = Alarm("concurrency", AlarmState.ALARM, 999_990.0, suppressed_by="Alarm")


@pytest.mark.parametrize("other", [CALM, SILENT, MUTED, SUPPRESSED])
def test_any_alarm_is_enough_whatever_another_one_says(other):
    assert isinstance(with_alarms("any", other, FIRING), Start)


@pytest.mark.parametrize(
    ("other", "rule"), [(CALM, None), (SILENT, "alarm_no_data"), (MUTED, "muted"), (SUPPRESSED, "muted")]
)
def test_all_alarms_must_fire_and_none_be_muted_or_silent(other, rule):
    found = with_alarms("all", FIRING, other)
    assert (found and found.rule) == rule


@pytest.mark.parametrize("alarm", [MUTED, SUPPRESSED])
def test_a_muted_alarm_starts_nothing_and_says_what_mutes_it(alarm):
    """CloudWatch API reference: MetricAlarm.ActionsEnabled, CompositeAlarm.ActionsSuppressedBy. Events come anyway."""
    refused = with_alarms("any", alarm)
    assert refused.rule == "muted"
    assert ("suppressed (Alarm)" if alarm.suppressed_by else "disabled") in refused.reason


def test_alarms_that_all_have_no_data_can_not_call_for_a_failover_and_say_so():
    refused = with_alarms("any", SILENT)
    assert (refused.goal, refused.rule) == (Goal.FAILOVER, "alarm_no_data")


def test_one_alarm_with_data_is_enough_to_be_ready():
    assert with_alarms("any", SILENT, replace(CALM, name="throttles")) is None


# ---- deployments ----


def test_a_service_whose_deployment_failed_is_no_place_to_fail_over_to():
    assert asked(alarmed(deployment_failed=True)).rule == "capacity"


def test_a_deployment_in_progress_is_said_and_does_not_keep_an_alarm_from_failing_over():
    started = asked(alarmed(deployment_running=True))
    assert "deployment of the service is in progress" in started.reason


def test_an_automatic_failback_waits_for_a_deployment():
    assert asked(quiet(60, deployment_running=True), FAILED_OVER).rule == "deployment_running"


# ---- people ----


def test_a_failure_is_waited_out_or_acknowledged_with_a_comment():
    world = quiet(60)
    failed = Situation(Mode.AUTO, last_failback_failure_at=world.now - 30)
    seen = Acknowledgement(world.now - 10, "ada", "a probe was slow")
    assert isinstance(asked(world, FAILED_OVER, replace(failed, acknowledgement=seen)), Start)
    before = Acknowledgement(world.now - 50, "ada", "an older one")
    assert asked(world, FAILED_OVER, replace(failed, acknowledgement=before)).rule == "cooldown"
    with pytest.raises(ValueError, match="needs a comment"):
        Acknowledgement(world.now, "ada", " ")


def test_a_failed_failover_keeps_the_next_failback_waiting_and_no_failover():
    world = quiet(60)
    failed = Situation(Mode.AUTO, last_failure_at=world.now - 59)
    refused = asked(world, FAILED_OVER, failed)
    assert (refused.rule, refused.reason) == ("cooldown", "The last failover failed.")
    world = alarmed()
    assert isinstance(asked(world, situation=Situation(Mode.AUTO, last_failure_at=world.now - 61)), Start)


def test_a_failover_never_waits_for_cooldown_or_a_failed_failback():
    world = alarmed()
    memory = replace(FAILED_OVER, failback_at=world.now - 1)
    assert isinstance(asked(world, memory, Situation(Mode.AUTO, last_failback_failure_at=world.now)), Start)


def test_weights_that_somebody_else_changed_hold_the_application_once():
    world = quiet(60)
    memory = replace(FAILED_OVER, left=tuple(world.splits.items()), left_at=world.now - 10)
    assert isinstance(asked(world, memory), Start)
    world.splits[LISTENER] = Split(70, 30)
    refused = asked(world, memory)
    assert refused.rule == "foreign_change"
    assert "shows 70/30, and was left at 0/100" in refused.reason
    assert refused.hold_minutes == 60
    known = memories.found_changed(memory, world.observe(), world.now)
    world.pass_time(2)
    assert asked(world, known).rule == "people_first", "automation never undoes it, with or without the hold"


@pytest.mark.parametrize(("left", "automatic"), [(Split(0, 100), True), (Split(100, 0), False)])
def test_after_a_failback_that_failed_only_what_automation_moved_goes_back_by_itself(left, automatic):
    """Where somebody else had put traffic on ECS, a person's failback does not make it automation's."""
    world = quiet(60)
    memory = replace(FAILED_OVER, left=tuple((arn, left) for arn in world.splits), left_at=world.now - 10)
    run = Run(world, Request(Goal.FAILBACK), memory=memory)
    while not run.journal.progress.mark("shifting"):
        run.step()
    world.alarm = AlarmState.ALARM
    assert run.to_end().decision.kind is Kind.STOP
    assert memories.after(memory, run.request, run.outcome, world.now).failover_automatic is automatic


def test_a_snapshot_from_before_the_operation_ended_shows_no_foreign_change():
    world = quiet(60)
    memory = replace(FAILED_OVER, left=((LISTENER, Split(50, 50)),), left_at=world.now + 1)
    assert isinstance(asked(world, memory), Start)


def test_traffic_on_ecs_that_nobody_here_moved_stays_and_says_why():
    assert asked(quiet(60)).rule == "people_first"


def test_a_doubled_dwell_is_waited_for_twice_as_long():
    twice = replace(FAILED_OVER, dwell_factor=2)
    assert asked(quiet(16), twice).rule == "dwell"
    assert isinstance(asked(quiet(31), twice), Start)


@given(
    state=st.sampled_from(list(AlarmState)),
    position=st.sampled_from([0, 50, 100]),
    mode=st.sampled_from(list(Mode)),
    hold=st.sampled_from(["", "by ada"]),
    kill_switch=st.booleans(),
    active=st.sampled_from(["", "#7 runs"]),
)
def test_what_people_stopped_starts_nothing_and_every_refusal_has_a_remedy(
    state, position, mode, hold, kill_switch, active
):
    world = on_ecs(World(alarm=state, alarm_since=999_900.0))
    world.splits = dict.fromkeys(world.splits, Split.of_ecs_percent(position))
    found = asked(world, FAILED_OVER, Situation(mode, hold=hold, kill_switch=kill_switch, active=active))
    if isinstance(found, Start):
        assert mode is Mode.AUTO
        assert not kill_switch
        assert not hold
        assert not active
    if isinstance(found, Refused):
        assert found.rule
        assert found.reason
        assert found.remedy
