"""What keeps a drill from starting, judged on what the panel knows already: an answer within the request."""

from __future__ import annotations

from datetime import UTC, datetime

from failover.demand import project
from failover.evidence import alarming
from failover.model import AlarmState, Application, Goal, Memory, Position, Snapshot
from failover.retire import standby_count
from failover.verdict import Situation, blocked, launches_nothing
from panel.drills.models import Kind
from panel.operations.answers import Refused

GOALS = {Kind.DRILL: Goal.FAILOVER, Kind.REHEARSAL: Goal.SET_WEIGHTS}


def against(
    kind: Kind,
    application: Application,
    snapshot: Snapshot | None,
    memory: Memory,
    people: Situation,
    now: float,
    stale: float,
) -> Refused | None:
    """The first thing that speaks against a drill, with what clears it; None where it may start. A snapshot is no basis
    once it is `stale` seconds old.
    """
    return (
        _people(kind, people)
        or _window(application, kind, now)
        or _unread(snapshot, now, stale)
        or (_aws(kind, application, snapshot, memory, now) if snapshot else None)
    )


def expected_seconds(application: Application, kind: Kind) -> float:
    """About how long it takes where everything goes well."""
    policy = application.policy
    rest = max(policy.bake_seconds, policy.settle_seconds) + policy.drain_seconds
    if kind is Kind.REHEARSAL:
        return rest
    steps = len(policy.shift_steps) + len(policy.failback_steps)
    return policy.settle_seconds + application.drills.stay_seconds + steps * policy.step_seconds + rest


def _people(kind: Kind, people: Situation) -> Refused | None:
    found = blocked(GOALS[kind], people, f"A {kind} was asked for")
    return Refused(found.rule, found.reason, found.remedy) if found else None


def _window(application: Application, kind: Kind, now: float) -> Refused | None:
    drills = application.drills
    window = drills.blocked_by(datetime.fromtimestamp(now, UTC), expected_seconds(application, kind))
    if window is None:
        return None
    reason = f"The {kind} would run into “{window.text}” ({drills.time_zone}), when there are no drills."
    return Refused("blocked_window", reason, "Ask after it has passed, or change drills.blocked.")


def _unread(snapshot: Snapshot | None, now: float, stale: float) -> Refused | None:
    parts = (snapshot.alarms, snapshot.routes, snapshot.service) if snapshot else ()
    unread = next((part for part in parts if part.value is None), None)
    if snapshot is None or unread is not None or now - snapshot.at > stale:
        why = unread.problem if unread else "it was not read lately"
        return Refused("stale", f"How the application stands is not known: {why}.", "Restore the access to AWS first.")
    return None


def _aws(kind: Kind, application: Application, snapshot: Snapshot, memory: Memory, now: float) -> Refused | None:
    alarm = _alarm(application, snapshot)
    if alarm:
        return alarm
    if snapshot.position is not Position.LAMBDA:
        reason = f"Traffic is not on Lambda alone (it is: {snapshot.position})."
        return Refused("position", reason, f"Fail back first: a {kind} begins on Lambda.")
    service = snapshot.service.value
    failed = launches_nothing(GOALS[kind], service)
    if failed:
        return Refused(failed.rule, failed.reason, failed.remedy)
    if service and service.deployment_running:
        reason = "A deployment of the ECS service is in progress."
        return Refused("deployment_running", reason, "Ask again when it has ended.")
    if service and memory.prewarmed is not None and service.desired > standby_count(application.policy, memory):
        reason = "Tasks are prewarmed: they may be needed any moment."
        return Refused("prewarmed", reason, "Ask again when they are retired.")
    return _demand(application, snapshot, memory, now) if kind is Kind.DRILL else None


def _alarm(application: Application, snapshot: Snapshot) -> Refused | None:
    alarms = snapshot.alarms.value or ()
    firing = alarming(application, alarms) or tuple(each for each in alarms if each.state is AlarmState.ALARM)
    if firing:
        return Refused("real_alarm", f"Alarm {firing[0].name} is in ALARM.", "Look after it; a drill can wait.")
    silent = next((each for each in alarms if each.state is not AlarmState.OK), None)
    if silent:
        reason = f"Alarm {silent.name} has no data: it could not interrupt the drill."
        return Refused("alarm_no_data", reason, "Set the alarm to treat missing data as not breaching.")
    return None


def _demand(application: Application, snapshot: Snapshot, memory: Memory, now: float) -> Refused | None:
    """Traffic that could not come home is not sent away."""
    projection = project(application.policy, snapshot, memory, now)
    if projection.fits:
        return None
    reason = f"Nothing says that traffic could come back to Lambda: {projection.reason}."
    return Refused("demand", reason, "Ask again when demand is lower, or raise Lambda's concurrency.")
