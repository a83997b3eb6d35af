"""Tasks before they are needed: a prewarm alarm starts them and moves no traffic; unneeded, they are retired again."""

from __future__ import annotations

from failover.capacity import wanted_tasks
from failover.demand import tasks_needed
from failover.failback import deploying, not_all_ok, too_short
from failover.model import Alarm, AlarmState, Application, Goal, Memory, Position, Request, Service, Snapshot
from failover.retire import standby_count
from failover.verdict import (
    RETRY_SECONDS,
    Refused,
    Situation,
    Start,
    Verdict,
    blocked,
    failed_lately,
    launches_nothing,
)

PREPARE = Request(Goal.SET_WEIGHTS, automatic=True)


def consider(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, now: float
) -> Verdict | None:
    """For traffic that is on Lambda while no alarm calls for a failover."""
    if situation.active or snapshot.position is not Position.LAMBDA:
        return None
    if not application.prewarm_alarms and memory.prewarmed is None:
        return None
    alarms, service = snapshot.prewarm.value, snapshot.service.value
    if alarms is None or service is None:
        problem = snapshot.prewarm.problem if alarms is None else snapshot.service.problem
        return Refused(Goal.SET_WEIGHTS, "stale", f"The prewarm alarms or the service can't be read: {problem}.",
                       "Restore the access to AWS; a failover starts its tasks itself.")  # fmt: skip
    firing = tuple(alarm for alarm in alarms if alarm.state is AlarmState.ALARM)
    if firing:
        return _start(application, snapshot, service, situation, firing, now)
    return _retire(application, snapshot, service, memory, situation, now)


def _start(
    application: Application,
    snapshot: Snapshot,
    service: Service,
    situation: Situation,
    firing: tuple[Alarm, ...],
    now: float,
) -> Verdict | None:
    policy, names = application.policy, " and ".join(alarm.name for alarm in firing)
    wanted = wanted_tasks(policy, service.desired, tasks_needed(policy, snapshot, now))
    if service.desired >= wanted:
        return None
    prevented = (
        blocked(Goal.SET_WEIGHTS, situation, f"Prewarm alarm {names} is in ALARM")
        or _muted(firing, names)
        or launches_nothing(Goal.SET_WEIGHTS, service)
        or _failed_just_now(situation, now)
    )
    reason = f"Prewarm alarm {names} is in ALARM: {wanted} tasks are started, weights stay"
    return prevented or Start(PREPARE, reason, tasks=wanted)


def _muted(firing: tuple[Alarm, ...], names: str) -> Refused | None:
    if not all(alarm.muted for alarm in firing):
        return None
    return Refused(Goal.SET_WEIGHTS, "muted", f"Prewarm alarm {names} is in ALARM, but its actions are off.",
                   "Enable the alarm's actions in CloudWatch.")  # fmt: skip


def _failed_just_now(situation: Situation, now: float) -> Refused | None:
    failed_at = situation.last_prepare_failure_at
    if failed_at is not None and now - failed_at < RETRY_SECONDS:
        return Refused(Goal.SET_WEIGHTS, "capacity", "The last prewarm failed.",
                       f"It is tried again in {RETRY_SECONDS - (now - failed_at):.0f} s.")  # fmt: skip
    return None


def _retire(
    application: Application, snapshot: Snapshot, service: Service, memory: Memory, situation: Situation, now: float
) -> Verdict | None:
    """Bring the desired count back to what it was before, once nothing has called for the tasks for the dwell."""
    baseline = standby_count(application.policy, memory)
    if memory.prewarmed is None or service.desired <= baseline:
        return None
    if service.desired > memory.prewarmed:
        return Refused(Goal.FAILBACK, "people_first",
                       f"The desired count is {service.desired}, and the prewarm asked for {memory.prewarmed}.",
                       "Somebody else raised it: scale it in by hand.")  # fmt: skip
    policy, alarms = application.policy, (snapshot.alarms.value or ()) + (snapshot.prewarm.value or ())
    prevented = (
        not_all_ok(application.alarms + application.prewarm_alarms, alarms)
        or blocked(Goal.FAILBACK, situation, "The prewarmed tasks were not needed")
        or too_short(policy.dwell_seconds, alarms, now)
        or failed_lately(policy, memory, situation, now)
        or deploying(snapshot)
    )
    reason = f"The prewarmed tasks were not needed: desired count {service.desired} → {baseline}"
    return prevented or Start(Request(Goal.FAILBACK, automatic=True), reason)
