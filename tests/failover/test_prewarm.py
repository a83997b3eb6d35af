"""Tasks that are started before they are needed, and stopped again when they were not."""

from dataclasses import replace

import pytest

from failover.automation import Refused, Situation
from failover.model import AlarmState, Baseline, Bounds, Goal, Mode, Part, Position, SetDesiredCount, SetSplit
from tests.failover.history import History
from tests.failover.world import World, application

PREWARMED = replace(application(), prewarm_alarms=("busy",))


def busy(situation=None, **world) -> History:
    found = World(**{"prewarm": AlarmState.ALARM, **world})
    found.pass_time(30)
    return History(found, PREWARMED, situation=situation or Situation(Mode.AUTO))


def calm_again(history: History) -> History:
    history.world.prewarm, history.world.prewarm_since = AlarmState.OK, history.world.now
    return history


def test_a_prewarm_alarm_starts_tasks_once_and_moves_no_traffic():
    history = busy(bounds=Bounds(0, 1)).pass_time(60)
    assert history.goals == [Goal.SET_WEIGHTS]
    assert history.world.desired == 2
    assert history.world.observe().position is Position.LAMBDA
    assert not [action for _, action in history.world.writes if isinstance(action, SetSplit)]
    assert history.memory.baseline == Baseline(0, Bounds(0, 1))


def test_tasks_that_were_not_needed_are_retired_after_the_dwell_down_to_what_stood_before():
    history = busy(desired=1, tasks=[0.0], bounds=Bounds(1, 4)).pass_time(10)
    assert history.world.desired == 2
    calm_again(history).pass_time(10)
    assert history.refusals["dwell"].goal is Goal.FAILBACK
    history.pass_time(60)
    assert history.goals == [Goal.SET_WEIGHTS, Goal.FAILBACK]
    assert (history.world.desired, history.world.bounds) == (1, Bounds(1, 4))
    assert history.world.broken == []
    assert history.memory.failback_at is None, "no traffic came home: the next failover is no flapping"


def test_prewarmed_tasks_make_the_failover_quick_and_the_failback_still_knows_what_stood_before():
    history = busy(rate=200, limit=0.0, lambda_states=(("healthy", 1),)).pass_time(20)
    history.world.alarm = AlarmState.ALARM
    history.look()
    assert history.goals == [Goal.SET_WEIGHTS, Goal.FAILOVER]
    history.world.alarm, history.world.alarm_since, history.world.rate = AlarmState.OK, history.world.now, 20
    calm_again(history).pass_time(120)
    assert history.goals[-1] is Goal.FAILBACK
    assert history.world.desired == 0


def test_an_alarm_while_tasks_are_retired_keeps_them_and_fails_over_at_once():
    history = calm_again(busy().pass_time(10))
    history.world.pass_time(20)
    alarm_at = history.world.now + 5
    pass_time = history.world.pass_time

    def alarm_later(seconds: float) -> None:
        pass_time(seconds)
        if history.world.now >= alarm_at:
            history.world.alarm = AlarmState.ALARM

    history.world.pass_time = alarm_later
    history.pass_time(10)
    assert history.goals == [Goal.SET_WEIGHTS, Goal.FAILBACK, Goal.FAILOVER]
    assert history.runs[1].outcome.decision.headline == "Alarm concurrency is in ALARM: the tasks stay"
    counts = [action.count for _, action in history.world.writes if isinstance(action, SetDesiredCount)]
    assert counts == [2]


def test_tasks_that_somebody_else_added_meanwhile_are_left():
    history = calm_again(busy().pass_time(10))
    history.world.desired = 7
    history.pass_time(60)
    assert history.refusals["people_first"].remedy
    assert history.world.desired == 7


@pytest.mark.parametrize(
    ("situation", "world", "rule"),
    [
        (Situation(Mode.AUTO, kill_switch=True), {}, "kill_switch"),
        (Situation(Mode.OBSERVE), {}, "mode"),
        (Situation(Mode.AUTO, hold="hold by ada"), {}, "hold"),
        (None, {"deployment_failed": True}, "capacity"),
        (None, {"unreadable": {Part.PREWARM}}, "stale"),
    ],
)
def test_what_keeps_a_prewarm_from_starting_is_named(situation, world, rule):
    history = busy(situation, **world)
    refused = history.look()
    assert isinstance(refused, Refused)
    assert (refused.goal, refused.rule) == (Goal.SET_WEIGHTS, rule)
    assert refused.remedy


def test_an_application_without_prewarm_alarms_starts_no_tasks():
    history = busy()
    history.app = application()
    assert history.look() is None
