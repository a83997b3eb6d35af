"""Whether traffic comes home by itself: alarms OK for the dwell, demand that fits, and nobody's decision undone."""

from __future__ import annotations

from failover.demand import project
from failover.model import Alarm, AlarmState, Application, Goal, Memory, Policy, Request, Snapshot
from failover.verdict import PEOPLE_FIRST, Refused, Situation, Start, Verdict, blocked, failed_lately


def consider(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, now: float
) -> Verdict | None:
    """For traffic that ECS carries while no alarm calls for it. None: an operation is under way."""
    if situation.active:
        return None
    policy, alarms = application.policy, snapshot.alarms.value or ()
    prevented = (
        a_persons(memory)
        or not_all_ok(application.alarms, alarms)
        or blocked(Goal.FAILBACK, situation, "All alarms are OK")
        or _too_early(policy, memory, alarms, now)
        or failed_lately(policy, memory, situation, now)
        or deploying(snapshot)
    )
    if prevented:
        return prevented
    projection = project(policy, snapshot, memory, now)
    if not projection.fits:
        return Refused(Goal.FAILBACK, "demand", f"Lambda would be at its limit again: {projection.reason}.",
                       "It fails back by itself when demand falls, or raise Lambda's concurrency.")  # fmt: skip
    return Start(Request(Goal.FAILBACK, automatic=True), f"All alarms are OK and demand fits: {projection.reason}")


def a_persons(memory: Memory) -> Refused | None:
    """Automation reverses only what automation did."""
    if memory.failover_at is not None and memory.failover_automatic:
        return None
    return Refused(Goal.FAILBACK, PEOPLE_FIRST, "A person moved this traffic; only a person moves it back.",
                   "Fail back by hand.")  # fmt: skip


def not_all_ok(names: tuple[str, ...], alarms: tuple[Alarm, ...]) -> Refused | None:
    """The first of these alarms that is not OK; without data it is not."""
    states = {alarm.name: alarm.state for alarm in alarms}
    for name in names:
        state = states.get(name, AlarmState.INSUFFICIENT_DATA)
        if state is AlarmState.INSUFFICIENT_DATA:
            return Refused(Goal.FAILBACK, "alarm_no_data", f"Alarm {name} has no data, which is not OK.",
                           "Set the alarm to treat missing data as not breaching, or fail back by hand.")  # fmt: skip
        if state is AlarmState.ALARM:
            return Refused(Goal.FAILBACK, "dwell", f"Alarm {name} is in ALARM.",
                           "It may fail back once all alarms have been OK for the dwell.")  # fmt: skip
    return None


def too_short(seconds: float, alarms: tuple[Alarm, ...], now: float) -> Refused | None:
    """Whether the alarms have not been OK for so long yet."""
    calm = now - max((alarm.since for alarm in alarms), default=0.0)
    if calm >= seconds:
        return None
    return Refused(Goal.FAILBACK, "dwell", f"The alarms have been OK for {calm:.0f} s.",
                   f"It may fail back in {seconds - calm:.0f} s if they stay OK.")  # fmt: skip


def _too_early(policy: Policy, memory: Memory, alarms: tuple[Alarm, ...], now: float) -> Refused | None:
    age = now - memory.failover_at if memory.failover_at is not None else 0.0
    cooldown = policy.cooldown_seconds - age
    if cooldown > 0:
        return Refused(Goal.FAILBACK, "cooldown", f"The failover is {age:.0f} s old.",
                       f"It may fail back in {cooldown:.0f} s.")  # fmt: skip
    return too_short(policy.dwell_seconds * memory.dwell_factor, alarms, now)


def deploying(snapshot: Snapshot) -> Refused | None:
    service = snapshot.service.value
    if service is None or not service.deployment_running:
        return None
    return Refused(Goal.FAILBACK, "deployment_running", "A deployment of the ECS service is in progress.",
                   "It fails back by itself when the deployment has ended, or fail back by hand.")  # fmt: skip
