"""Whether something should start by itself, judged on the alarms as re-read: a goal, a refusal, or nothing to do."""

from __future__ import annotations

from dataclasses import dataclass

from failover.demand import project
from failover.evidence import alarming
from failover.model import Alarm, AlarmState, Application, Goal, Memory, Mode, Policy, Position, Request, Snapshot

STALE_SECONDS = 30.0  # what was read longer ago than this starts nothing
RETRY_SECONDS = 60.0  # a failover that failed is tried again after this long


@dataclass(frozen=True)
class Situation:
    """What the panel knows and AWS does not. `hold` and `active` are sentences, empty where there is none."""

    mode: Mode
    hold: str = ""
    kill_switch: bool = False
    active: str = ""
    active_goal: Goal | None = None
    last_failure_at: float | None = None
    last_failback_failure_at: float | None = None


@dataclass(frozen=True)
class Start:
    request: Request
    reason: str


@dataclass(frozen=True)
class Refused:
    goal: Goal
    rule: str
    reason: str
    remedy: str


def consider(
    application: Application, snapshot: Snapshot, memory: Memory, situation: Situation, now: float
) -> Start | Refused | None:
    """Answer what an alarm event, a timer or a click on "check now" leads to. None: nothing calls for anything."""
    alarms = snapshot.alarms.value
    if alarms is None or snapshot.alarms.age(now) > STALE_SECONDS:
        return Refused(Goal.FAILOVER, "stale", f"The alarms can't be read: {snapshot.alarms.problem or 'too old'}.",
                       "Restore the panel's access to AWS; until then act by hand.")  # fmt: skip
    firing = alarming(application, alarms)
    if firing:
        return _failover(snapshot, situation, firing, now)
    if snapshot.position in (Position.ECS, Position.SPLIT) and memory.failover_at is not None:
        return _failback(application, snapshot, memory, situation, alarms, now)
    return None


# ---- failover ----


def _failover(
    snapshot: Snapshot, situation: Situation, firing: tuple[Alarm, ...], now: float
) -> Start | Refused | None:
    if snapshot.position is Position.ECS or situation.active_goal is Goal.FAILOVER:
        return None
    names = " and ".join(alarm.name for alarm in firing)
    blocked = _blocked(Goal.FAILOVER, situation, f"Alarm {names} is in ALARM")
    if blocked:
        return blocked
    if not any(alarm.actions_enabled for alarm in firing):
        return Refused(Goal.FAILOVER, "muted", f"Alarm {names} is in ALARM but its actions are disabled.",
                       "Enable the alarm's actions in CloudWatch, or fail over by hand.")  # fmt: skip
    if snapshot.position is Position.UNKNOWN:
        return Refused(Goal.FAILOVER, "stale", f"The weights can't be read: {snapshot.routes.problem or 'unusable'}.",
                       "Look at the routes on the application's page.")  # fmt: skip
    if situation.last_failure_at is not None and now - situation.last_failure_at < RETRY_SECONDS:
        left = RETRY_SECONDS - (now - situation.last_failure_at)
        return Refused(Goal.FAILOVER, "capacity", "The last failover failed.",
                       f"It is tried again in {left:.0f} s; or start it by hand.")  # fmt: skip
    reason = firing[0].reason or "no reason given"
    return Start(Request(Goal.FAILOVER, automatic=True), f"Alarm {names} is in ALARM: {reason}")


# ---- failback ----


def _failback(
    application: Application,
    snapshot: Snapshot,
    memory: Memory,
    situation: Situation,
    alarms: tuple[Alarm, ...],
    now: float,
) -> Start | Refused | None:
    if situation.active:
        return None
    quiet = [alarm for alarm in alarms if alarm.state is not AlarmState.OK]
    missing = set(application.alarms) - {alarm.name for alarm in alarms}
    if quiet or missing:
        return _not_all_ok(quiet, sorted(missing))
    blocked = _blocked(Goal.FAILBACK, situation, "All alarms are OK") or _too_early(
        application.policy, memory, alarms, now
    )
    blocked = blocked or _failed_lately(application.policy, situation, now)
    if blocked:
        return blocked
    projection = project(application.policy, snapshot, memory, now)
    if not projection.fits:
        return Refused(Goal.FAILBACK, "demand", f"Lambda would be at its limit again: {projection.reason}.",
                       "It fails back by itself when demand falls, or raise Lambda's concurrency.")  # fmt: skip
    return Start(Request(Goal.FAILBACK, automatic=True), f"All alarms are OK and demand fits: {projection.reason}")


def _not_all_ok(quiet: list[Alarm], missing: list[str]) -> Refused | None:
    silent = [alarm.name for alarm in quiet if alarm.state is AlarmState.INSUFFICIENT_DATA] + missing
    if not silent:
        return None
    return Refused(Goal.FAILBACK, "alarm_no_data", f"Alarm {silent[0]} has no data, which is not OK.",
                   "Set the alarm to treat missing data as not breaching, or fail back by hand.")  # fmt: skip


def _too_early(policy: Policy, memory: Memory, alarms: tuple[Alarm, ...], now: float) -> Refused | None:
    if not memory.failover_automatic:
        return Refused(Goal.FAILBACK, "people_first", "A person moved this traffic; only a person moves it back.",
                       "Fail back by hand.")  # fmt: skip
    age = now - memory.failover_at if memory.failover_at is not None else 0.0
    cooldown = policy.cooldown_seconds - age
    if cooldown > 0:
        return Refused(Goal.FAILBACK, "cooldown", f"The failover is {age:.0f} s old.",
                       f"It may fail back in {cooldown:.0f} s.")  # fmt: skip
    since = max(alarm.since for alarm in alarms)
    dwell = policy.dwell_seconds * memory.dwell_factor - (now - since)
    if dwell > 0:
        return Refused(Goal.FAILBACK, "dwell", f"The alarms have been OK for {now - since:.0f} s.",
                       f"It may fail back in {dwell:.0f} s if they stay OK.")  # fmt: skip
    return None


def _failed_lately(policy: Policy, situation: Situation, now: float) -> Refused | None:
    """A failback that failed is not tried again at every look: traffic is safe where it is."""
    if situation.last_failback_failure_at is None:
        return None
    left = max(policy.cooldown_seconds, RETRY_SECONDS) - (now - situation.last_failback_failure_at)
    if left <= 0:
        return None
    remedy = f"It is tried again in {left:.0f} s; or look at why it failed and fail back by hand."
    return Refused(Goal.FAILBACK, "cooldown", "The last failback failed.", remedy)


# ---- both ----


def _blocked(goal: Goal, situation: Situation, trigger: str) -> Refused | None:
    """What people or the panel put in the way, the strongest first."""
    would = f"{trigger}; it would have started a {goal.value}"
    if situation.kill_switch:
        return Refused(goal, "kill_switch", f"{would}, but the kill switch is on.", "Turn the kill switch off.")
    if situation.mode is not Mode.AUTO:
        return Refused(goal, "mode", f"{would}, but the mode is {situation.mode.value}.", "Set the mode to auto.")
    if situation.hold:
        return Refused(goal, "hold", f"{would}, but: {situation.hold}", "Release the hold or let it expire.")
    if situation.active:
        return Refused(goal, "single_writer", f"{would}, but {situation.active}", "Wait for it to end, or cancel it.")
    return None
