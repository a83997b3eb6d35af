"""One look at a drill under way: read the alarms, decide (`course`), and ask for the operation that comes next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

import failover.model
from failover.aws.service_events import tells_of_no_capacity
from failover.capacity import wanted_tasks
from failover.config import ConfigError
from failover.evidence import alarming
from failover.model import Alarm, AlarmState, Goal
from failover.resume import stored_progress
from failover.verdict import PEOPLE_FIRST, blocked
from panel import dispatch
from panel.drills import course, services
from panel.drills.course import Alarms, Begin, Cancel, End, Leg, Move, NotStarted, Return, Stay
from panel.drills.looking import looking
from panel.drills.models import Drill
from panel.fleet import connections, snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations import automatic, timing
from panel.operations import services as operations
from panel.operations.answers import Refused
from panel.operations.hints import hint
from panel.operations.models import JournalEntry, Operation

UNSOUND = "unsound"
UNSOUND_REMEDY = "Import the application again, corrected, and look where its traffic is."

log = structlog.get_logger(__name__)


def advance(drill_id: int) -> None:
    """Take the drill one step further, if there is one to take. Safe to call at any time, as often as one likes."""
    with looking(drill_id) as ours:
        if ours:
            _advance(drill_id)


def _advance(drill_id: int) -> None:
    drill = Drill.objects.select_related("application").filter(pk=drill_id, state__in=Drill.ACTIVE).first()
    if drill is None:
        return
    try:
        wanted = configuration(drill.application)
    except ConfigError as problem:
        _give_up(drill_id, problem)
        return
    alarms = read_alarms(wanted)
    with transaction.atomic():
        # The application's row first, as whoever starts an operation has it: of two that are here at once one waits.
        Application.every.select_for_update().get(pk=drill.application_id)
        found = Drill.objects.select_related("application", "forward", "back", "requested_by")
        drill = found.filter(pk=drill_id, state__in=Drill.ACTIVE).first()
        if drill is None:
            return
        now = timezone.now()
        legs = (_leg(drill.forward), _leg(drill.back))
        overruled, failover = _overruled(drill), _real_failover(drill)
        move = course.next_move(drill, alarms, *legs, now, overruled=overruled, failover=failover)
        _make(drill, move, now)


def _give_up(drill_id: int, problem: ConfigError) -> None:
    """What is stored no longer says what to look at, after an update for instance: nobody else would ever end it."""
    with transaction.atomic():
        drill = Drill.objects.select_for_update().filter(pk=drill_id, state__in=Drill.ACTIVE).first()
        if drill is None:
            return
        said = f"The application's configuration can't be read: {' '.join(problem.problems)}"
        if drill.state == Drill.State.ASKED:
            services.not_started(drill, UNSOUND, said, UNSOUND_REMEDY)
            return
        services.end(drill, Drill.Outcome.FAILED, f"{said} What it began goes on alone. {UNSOUND_REMEDY}", UNSOUND)


# ---- what is looked at ----


def read_alarms(application: failover.model.Application) -> Alarms:
    """The application's own, those that block and those that abort; one of these that does not exist is unknown."""
    drills = application.drills
    names = tuple(dict.fromkeys(application.alarms + drills.blocking_alarms + drills.aborting_alarms))
    reading = connections.connect(application).alarms(tuple(dict.fromkeys(names + application.prewarm_alarms)))
    found = reading.value or ()
    missing = [name for name in names if name not in {alarm.name for alarm in found}]
    unread = reading.problem if reading.value is None else f"there is no {missing[0]}." if missing else ""
    own = tuple(alarm for alarm in found if alarm.name in application.alarms)
    firing = alarming(application, own)
    return Alarms(
        real=firing[0].name if firing else "",
        prewarm=_firing(found, application.prewarm_alarms),
        blocking=_firing(found, drills.blocking_alarms),
        aborting=_firing(found, drills.aborting_alarms),
        unread=unread,
    )


def _firing(found: Iterable[Alarm], names: tuple[str, ...]) -> str:
    return next((alarm.name for alarm in found if alarm.name in names and alarm.state is AlarmState.ALARM), "")


def _leg(operation: Operation | None) -> Leg | None:
    if operation is None:
        return None
    starved = operation.rule == "capacity" and tells_of_no_capacity(operation.error)
    return Leg(operation.status, operation.rule, operation.error, starved)


def _overruled(drill: Drill) -> str:
    """Which operation a person began since traffic is on ECS; what they decided is not undone."""
    theirs = _later(drill).exclude(trigger__in=Operation.UNATTENDED).exclude(pk=drill.back_id or 0).first()
    return f"{theirs} was started meanwhile: {theirs.reason}" if theirs else ""


def _real_failover(drill: Drill) -> str:
    """Which one automation began since: a drill brings nothing home from that, whatever the alarm shows by now."""
    automatic = _later(drill).filter(goal=Goal.FAILOVER, trigger=Operation.Trigger.AUTOMATIC).first()
    return str(automatic) if automatic else ""


def _later(drill: Drill) -> QuerySet[Operation]:
    return Operation.objects.filter(application=drill.application_id, pk__gt=drill.forward_id or 0)


# ---- what is done ----


def _make(drill: Drill, move: Move, now: datetime) -> None:
    match move:
        case NotStarted():
            services.not_started(drill, move.rule, move.reason, move.remedy)
        case Begin():
            _begin(drill, now)
        case Cancel():
            _cancel(drill, move.told)
        case Stay():
            _measure(drill)
            drill.state, drill.stay_until = Drill.State.STAYING, move.until
            drill.save()
        case Return():
            _return(drill, move)
        case End():
            _end(drill, move)
        case _:
            return
    hint(drill.application)


def _begin(drill: Drill, now: datetime) -> None:
    """What the panel knows may have changed since it was asked for."""
    try:
        with transaction.atomic():
            drill.forward = _forward(drill)
    except Refused as refused:
        services.not_started(drill, refused.rule, refused.reason, refused.remedy)
        return
    drill.state, drill.started_at = Drill.State.FORWARD, now
    drill.save()


def _forward(drill: Drill) -> Operation:
    application, policy = drill.application, configuration(drill.application).policy
    _require_people(application, Goal.SET_WEIGHTS if drill.rehearses else Goal.FAILOVER, f"{drill} is to begin")
    snapshot = snapshots.latest(application)
    service = snapshot.service.value if snapshot else None
    tasks = wanted_tasks(policy, service.desired if service else 0, 0) if drill.rehearses else 0
    return operations.request_operation(
        application,
        Goal.SET_WEIGHTS if drill.rehearses else Goal.FAILOVER,
        trigger=Operation.Trigger.DRILL,
        reason=_why(drill),
        user=drill.requested_by,
        tasks=tasks,
    )


def _why(drill: Drill) -> str:
    return f"{drill.get_kind_display()} #{drill.pk}: {drill.reason}"


def _require_people(application: Application, goal: Goal, trigger: str) -> None:
    """Raises Refused where hold, mode, kill switch or a running operation says no: a drill overrides none of them."""
    refused = blocked(goal, automatic.situation(application), trigger)
    if refused:
        raise Refused(refused.rule, refused.reason, refused.remedy)


def _cancel(drill: Drill, told: str) -> None:
    """The operation under way ends at a safe split; where that was the way there, the way back begins once it has."""
    drill.outcome, drill.told = Drill.Outcome.INTERRUPTED, told
    drill.save()
    operation = drill.back or drill.forward
    if operation is None:
        return
    waiting = Operation.objects.filter(pk=operation.pk, status__in=Operation.ACTIVE, cancel_requested="")
    if waiting.update(cancel_requested=told, next_step_at=timezone.now()):
        _note(operation, told)
        operations.wake(operation)


def _return(drill: Drill, move: Return) -> None:
    """An ordinary failback, judged as any other: it goes where evidence is, and scales in what is not needed."""
    _measure(drill)
    drill.outcome, drill.told = move.outcome, move.told
    try:
        with transaction.atomic():
            drill.back = _way_back(drill)
    except Refused as refused:
        if refused.rule == "single_writer" and not _overruled(drill):
            return  # what automation does, more tasks for instance, ends by itself: asked for again at the next look
        said = f"{move.told} It was not brought back: {refused}".strip()
        services.end(drill, move.outcome or Drill.Outcome.INTERRUPTED, said, refused.rule)
        return
    drill.state = Drill.State.BACK
    drill.save()


def _way_back(drill: Drill) -> Operation:
    """A failback that automation began meanwhile is as good. Raises Refused."""
    application, overruled = drill.application, _overruled(drill)
    if overruled:
        raise Refused(PEOPLE_FIRST, f"{overruled}.", "Move traffic by hand from here on.")
    active = operations.active_operation(application)
    if active and active.goal == Goal.FAILBACK and active.automatic:
        return active
    _require_people(application, Goal.FAILBACK, f"{drill} is to come back")
    return operations.request_operation(
        application,
        Goal.FAILBACK,
        trigger=Operation.Trigger.DRILL,
        reason=f"{_why(drill)} The way back.",
        user=drill.requested_by,
    )


def _end(drill: Drill, move: End) -> None:
    _measure(drill)
    if move.real:
        for operation in (drill.forward, drill.back):
            if operation and operation.status in Operation.ACTIVE:
                _note(operation, f"{drill} is over. {move.told}")
        dispatch.wake("fleet.sweep", drill.application_id)  # a rehearsal has made way: look at once
    services.end(drill, move.outcome, move.told, move.rule)


def _note(operation: Operation, message: str) -> None:
    JournalEntry.objects.create(operation=operation, at=timezone.now(), kind="note", message=message)


def _measure(drill: Drill) -> None:
    """Seconds by part, as far as they were reached. The recovery ends where users would have been served."""
    drill.measured = measured(drill)


def measured(drill: Drill) -> dict[str, float]:
    found: dict[str, float] = {}
    if drill.forward:
        parts = timing.parts(drill.forward)
        found = {name: parts[name] for name in ("decision_to_healthy", "healthy_to_weights", "weights_to_verified")
                 if name in parts}  # fmt: skip
        there = stored_progress(drill.forward.progress).mark("healthy" if drill.rehearses else "verified")
        if there is not None:
            found["recovery"] = round(max(0.0, there - drill.forward.created_at.timestamp()), 3)
    if drill.back:
        home = stored_progress(drill.back.progress)
        for name, mark in (("failback", "verified"), ("stopped", "scaled_in")):
            at = home.mark(mark)
            if at is not None:
                found[name] = round(max(0.0, at - drill.back.created_at.timestamp()), 3)
    return found
