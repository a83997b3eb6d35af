"""What a drill does next: pure, so that a crash at any point is resumed by asking again.

    asked → forward → staying → back → ended          a rehearsal does not stay
    asked → not_started

A real alarm ends a drill wherever it is: what it began is the controller's from then on, and the drill brings nothing
back. An alarm that aborts, or a person, has it brought home by an ordinary failback, which goes where evidence is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from panel.drills.models import Drill
from panel.operations.models import Operation

State, Outcome = Drill.State, Drill.Outcome
KEEPS_STILL = ("kill_switch", "foreign_change")  # what stopped for these moves nothing more by itself


@dataclass(frozen=True)
class Alarms:
    """What was just read: the name of one in ALARM for each kind, empty for none. `unread` says why one is unknown.

    `prewarm` calls for tasks: a rehearsal that stopped them would take them from whoever needs them next.
    """

    real: str = ""
    prewarm: str = ""
    blocking: str = ""
    aborting: str = ""
    unread: str = ""


@dataclass(frozen=True)
class Leg:
    """One of a drill's operations as it is now. `starved`: it failed because ECS had no room for its tasks."""

    status: str
    rule: str = ""
    error: str = ""
    starved: bool = False

    @property
    def active(self) -> bool:
        return self.status in Operation.ACTIVE

    @property
    def succeeded(self) -> bool:
        return self.status == Operation.Status.SUCCEEDED


@dataclass(frozen=True)
class Wait:
    pass


@dataclass(frozen=True)
class Begin:
    pass


@dataclass(frozen=True)
class Cancel:
    """Have the operation under way end at a safe split; the drill is `interrupted`."""

    told: str


@dataclass(frozen=True)
class Stay:
    until: datetime


@dataclass(frozen=True)
class Return:
    """Begin the way back. `outcome` is empty where it is still open."""

    outcome: str = ""
    told: str = ""


@dataclass(frozen=True)
class NotStarted:
    rule: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class End:
    outcome: str
    told: str
    rule: str = ""
    real: bool = False


Move = Wait | Begin | Cancel | Stay | Return | NotStarted | End


def next_move(
    drill: Drill,
    alarms: Alarms,
    forward: Leg | None,
    back: Leg | None,
    now: datetime,
    *,
    overruled: str = "",
    failover: str = "",
) -> Move:
    """`forward` and `back` are the drill's operations, None until they were asked for. `overruled` says which other one
    a person began since, `failover` which one automation began: its alarm may be over, or unread, at this look.
    """
    if drill.state == State.ASKED:
        return _start(drill, alarms)
    if alarms.real or failover or (forward and forward.rule == "real_alarm"):
        return _overtaken(drill, alarms.real, failover)
    if drill.state == State.FORWARD and forward:
        return _forward(drill, alarms, forward, now)
    if drill.state == State.STAYING:
        return _staying(drill, alarms, now, overruled)
    return _back(drill, back, _needed(drill, alarms)) if back else Wait()


def _start(drill: Drill, alarms: Alarms) -> Move:
    if drill.abort_requested:
        return NotStarted("aborted", drill.abort_requested, "Start another one when it suits.")
    if alarms.unread:
        return NotStarted("stale", f"The alarms can't be read: {alarms.unread}", "Restore the access to AWS first.")
    if alarms.real:
        return NotStarted("real_alarm", f"Alarm {alarms.real} is in ALARM.", "Look after it; a drill can wait.")
    if alarms.prewarm:
        reason = f"Prewarm alarm {alarms.prewarm} is in ALARM: tasks may be needed any moment."
        return NotStarted("prewarmed", reason, "Ask again when it is OK.")
    if alarms.blocking:
        remedy = "Ask again when it is OK, or take it out of drills.blocking_alarms."
        return NotStarted("blocking_alarm", f"Alarm {alarms.blocking} is in ALARM, and blocks drills.", remedy)
    if alarms.aborting:
        remedy = "Ask again when it is OK, or take it out of drills.aborting_alarms."
        return NotStarted("aborting_alarm", f"Alarm {alarms.aborting} is in ALARM, and would abort it.", remedy)
    return Begin()


def _overtaken(drill: Drill, alarm: str, failover: str) -> End:
    became = (
        "The tasks that it started stay, for the failover that follows."
        if drill.rehearses
        else "What it began is no drill any more: the controller decides where traffic goes, and when it comes back."
    )
    what = (
        f"Alarm {alarm} is in ALARM"
        if alarm
        else f"{failover} began by itself"
        if failover
        else "An alarm was in ALARM"
    )
    said = f"{what}: this is real."
    return End(Outcome.INTERRUPTED, f"{said} {became}", "real_alarm", real=True)


def _wish(drill: Drill, alarms: Alarms) -> str:
    """Why the drill is to end before its time."""
    if drill.abort_requested:
        return drill.abort_requested
    return f"Alarm {alarms.aborting} is in ALARM, and aborts drills." if alarms.aborting else ""


def _needed(drill: Drill, alarms: Alarms) -> str:
    """Why a rehearsal's tasks are to stay. Automation retires them when nothing calls for them any more."""
    return f"Prewarm alarm {alarms.prewarm} is in ALARM: the tasks stay." if drill.rehearses and alarms.prewarm else ""


def _forward(drill: Drill, alarms: Alarms, forward: Leg, now: datetime) -> Move:
    wish = _wish(drill, alarms)
    if forward.active:
        return Cancel(wish) if wish and not drill.outcome else Wait()
    if forward.status == Operation.Status.SUPERSEDED:
        return End(Outcome.INTERRUPTED, f"Another operation took its place. {forward.error}", "single_writer")
    if drill.outcome:  # it was asked to end
        return _kept_still(drill.outcome, forward) or Return(drill.outcome, drill.told)
    needed = _needed(drill, alarms)
    if needed:
        return End(Outcome.INTERRUPTED, needed, "prewarmed")
    if forward.succeeded:
        if wish:
            return Return(Outcome.INTERRUPTED, wish)
        return Return() if drill.rehearses else Stay(now + timedelta(seconds=drill.stay_seconds))
    if forward.status == Operation.Status.CANCELLED:
        return Return(Outcome.INTERRUPTED, forward.error)
    outcome = Outcome.NOT_ENOUGH_CAPACITY if forward.starved else Outcome.FAILED
    return _kept_still(Outcome.INTERRUPTED, forward) or Return(outcome, forward.error)


def _kept_still(outcome: str, leg: Leg) -> End | None:
    return End(outcome, leg.error, leg.rule) if leg.rule in KEEPS_STILL else None


def _staying(drill: Drill, alarms: Alarms, now: datetime, overruled: str) -> Move:
    if overruled:
        return End(Outcome.INTERRUPTED, overruled, "people_first")
    wish = _wish(drill, alarms)
    if wish:
        return Return(Outcome.INTERRUPTED, wish)
    return Return() if drill.stay_until is None or now >= drill.stay_until else Wait()


def _back(drill: Drill, back: Leg, needed: str) -> Move:
    if back.active:
        return Cancel(needed) if needed and not drill.outcome else Wait()
    if back.succeeded:
        return End(drill.outcome or Outcome.SUCCEEDED, drill.told)
    if back.status in (Operation.Status.SUPERSEDED, Operation.Status.CANCELLED) or back.rule in KEEPS_STILL:
        return End(drill.outcome or Outcome.INTERRUPTED, f"{drill.told} It was not brought back: {back.error}".strip())
    return End(drill.outcome or Outcome.FAILED, f"{drill.told} The way back failed: {back.error}".strip(), back.rule)
