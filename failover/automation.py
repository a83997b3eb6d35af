"""Whether something should start by itself, judged on the alarms as re-read: a goal, a refusal, or nothing to do."""

from __future__ import annotations

from failover import failback, guard, prewarm
from failover.evidence import alarming
from failover.memory import MAX_DWELL_FACTOR
from failover.model import Alarm, AlarmState, Application, Goal, Memory, Position, Request, Snapshot
from failover.verdict import (
    RETRY_SECONDS,
    Acknowledgement,
    Refused,
    Situation,
    Start,
    Verdict,
    blocked,
    launches_nothing,
)

STALE_SECONDS = 30.0  # what was read longer ago than this starts nothing
FOREIGN_HOLD_MINUTES = 60  # how long a foreign change holds an application unless a person releases it


def consider(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, now: float
) -> Verdict | None:
    """Answer what an alarm event, a timer or a click on "check now" leads to. None: nothing calls for anything.

    The guard counts observations in a row: pass a memory that `guard.observed` has seen this snapshot with.
    """
    alarms = snapshot.alarms.value
    if alarms is None or snapshot.alarms.age(now) > STALE_SECONDS:
        return Refused(Goal.FAILOVER, "stale", f"The alarms can't be read: {snapshot.alarms.problem or 'too old'}.",
                       "Restore the access to AWS; until then act by hand.")  # fmt: skip
    firing = alarming(application, alarms)
    foreign = "" if situation.active else foreign_change(snapshot, memory)
    if foreign:
        return _held_by_foreign_change(Goal.FAILOVER if firing else Goal.FAILBACK, foreign)
    if firing and snapshot.position is not Position.ECS:
        return _failover(application, snapshot, memory, situation, firing, now)
    guarded = guard.consider(application, snapshot, memory, situation, now)
    if guarded or firing:
        return guarded
    if snapshot.position in (Position.ECS, Position.SPLIT):
        return failback.consider(application, snapshot, memory, situation, now)
    prewarmed = prewarm.consider(application, snapshot, memory, situation, now)
    if isinstance(prewarmed, Start):
        return prewarmed
    return _unable_to_fire(application, alarms, situation) or prewarmed


def foreign_change(snapshot: Snapshot, memory: Memory) -> str:
    """Name the first route that no longer shows what our last operation left there; "" where all do."""
    if snapshot.routes.value is None or snapshot.routes.at <= memory.left_at:
        return ""
    left = dict(memory.left)
    for route in snapshot.routes.value.managed:
        before = left.get(route.arn)
        if before is not None and route.split is not None and route.split != before:
            return f"{route.label} shows {route.split}, and was left at {before}"
    return ""


def _held_by_foreign_change(goal: Goal, foreign: str) -> Refused:
    reason = f"Somebody else changed the weights: {foreign}."
    remedy = "Find out who; then release the hold, or act by hand."
    return Refused(goal, "foreign_change", reason, remedy, hold_minutes=FOREIGN_HOLD_MINUTES, page=reason)


def _failover(
    application: Application,
    snapshot: Snapshot,
    memory: Memory,
    situation: Situation,
    firing: tuple[Alarm, ...],
    now: float,
) -> Verdict | None:
    if situation.active_goal is Goal.FAILOVER:
        return None
    names = " and ".join(alarm.name for alarm in firing)
    prevented = (
        blocked(Goal.FAILOVER, situation, f"Alarm {names} is in ALARM")
        or _muted(application, firing, names)
        or _unable(snapshot, situation, now)
        or _just_deserted(memory, now)
    )
    if prevented:
        return prevented
    service = snapshot.service.value
    deploying = " A deployment of the service is in progress." if service and service.deployment_running else ""
    reason = firing[0].reason or "no reason given"
    return Start(Request(Goal.FAILOVER, automatic=True), f"Alarm {names} is in ALARM: {reason}{deploying}")


def _muted(application: Application, firing: tuple[Alarm, ...], names: str) -> Refused | None:
    """A muted alarm calls for nothing; by the rule "any" another one still does."""
    loud = tuple(alarm for alarm in firing if not alarm.muted)
    if alarming(application, loud):
        return None
    muted = next(alarm for alarm in firing if alarm.muted)
    how = f"suppressed ({muted.suppressed_by})" if muted.suppressed_by else "disabled"
    return Refused(Goal.FAILOVER, "muted", f"Alarm {names} is in ALARM, but the actions of {muted.name} are {how}.",
                   "Enable the alarm's actions in CloudWatch, or fail over by hand.")  # fmt: skip


def _unable(snapshot: Snapshot, situation: Situation, now: float) -> Refused | None:
    if snapshot.position is Position.UNKNOWN:
        return Refused(Goal.FAILOVER, "stale", f"The weights can't be read: {snapshot.routes.problem or 'unusable'}.",
                       "Look at the routes on the application's page.")  # fmt: skip
    failed = launches_nothing(Goal.FAILOVER, snapshot.service.value)
    if failed:
        return failed
    if situation.last_failure_at is not None and now - situation.last_failure_at < RETRY_SECONDS:
        left = RETRY_SECONDS - (now - situation.last_failure_at)
        return Refused(Goal.FAILOVER, "capacity", "The last failover failed.",
                       f"It is tried again in {left:.0f} s; or start it by hand.")  # fmt: skip
    return None


def _just_deserted(memory: Memory, now: float) -> Refused | None:
    """Tasks that died of this traffic a moment ago would again: each time doubles how long Lambda keeps it."""
    watch = memory.watch
    if watch.deserted_at is None:
        return None
    left = RETRY_SECONDS * min(2 ** (watch.desertions - 1), MAX_DWELL_FACTOR) - (now - watch.deserted_at)
    if left <= 0:
        return None
    reason = f"ECS failed its traffic {now - watch.deserted_at:.0f} s ago, and Lambda took it back."
    remedy = f"It is tried again in {left:.0f} s; find out why the tasks fail, or start it by hand."
    return Refused(Goal.FAILOVER, "capacity", reason, remedy, page=reason)


def _unable_to_fire(application: Application, alarms: tuple[Alarm, ...], situation: Situation) -> Refused | None:
    """Alarms without data can't call for a failover: any one that has some can, or all must have by the rule "all"."""
    states = {alarm.name: alarm.state for alarm in alarms}
    silent = [n for n in application.alarms if states.get(n) in (None, AlarmState.INSUFFICIENT_DATA)]
    waiting = application.alarm_rule == "all" and AlarmState.ALARM in states.values()
    if situation.active or not silent or (len(silent) < len(application.alarms) and not waiting):
        return None
    return Refused(Goal.FAILOVER, "alarm_no_data", f"Alarm {silent[0]} has no data: it can't call for a failover.",
                   "Set the alarm to treat missing data as not breaching; until then act by hand.")  # fmt: skip


__all__ = ["Acknowledgement", "Refused", "Situation", "Start", "Verdict", "consider", "foreign_change"]
