"""What starts by itself: the controller's judgement on a snapshot, turned into an operation or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import Error, transaction
from django.utils import timezone

import failover.automation
from failover import guard
from failover.automation import Acknowledgement, Refused, Situation, Start
from failover.codec import decode
from failover.memory import found_changed
from failover.model import Goal, Memory, Mode, Position, Snapshot
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations import services, told
from panel.operations.models import Operation
from panel.operations.remembering import change_memory

log = structlog.get_logger(__name__)


def consider(application: Application, snapshot: Snapshot, *, counts: bool) -> str:
    """Start what is called for, record what is refused, and answer with a sentence that says which and why.

    `counts`: an event asked, so a refusal counts; a poll that meets the same refusal again only shows that it lasts.
    Mode and memory are read anew: `application` may be older than the operation that has just ended.
    """
    application.refresh_from_db()
    now = timezone.now().timestamp()
    people = _situation_or_none(application)
    if people is None:
        return _fail_closed(application, snapshot, counts=counts)
    memory = _remembered(application, lambda known: guard.observed(configuration(application), snapshot, known, now))
    verdict = failover.automation.consider(configuration(application), snapshot, memory, people, now)
    if verdict is None:
        return _nothing_to_do(application, snapshot)
    if verdict.page:
        log.warning("page", application=application.slug, reason=verdict.page)
        told.paged(application, verdict if isinstance(verdict, Refused) else None, verdict.page)
    if isinstance(verdict, Start):
        return _start(application, verdict)
    if verdict.hold_minutes:
        _hold(application, verdict, snapshot, now)
    return _refuse(application, verdict, counts=counts)


def _refuse(application: Application, refused: Refused, *, counts: bool) -> str:
    services.record_refusal(application, refused.goal, refused.rule, refused.reason, refused.remedy, counts=counts)
    return f"No {refused.goal} was started ({refused.rule}): {refused.reason} {refused.remedy}"


def _situation_or_none(application: Application) -> Situation | None:
    """None: what people decided can't be read, so that automation must not act on it."""
    try:
        with transaction.atomic():
            return situation(application)
    except Error:
        log.exception("situation_unread", application=application.slug)
        return None


def _fail_closed(application: Application, snapshot: Snapshot, *, counts: bool) -> str:
    """Where the refusal can't be stored either, the database's error says it."""
    goal = Goal.FAILBACK if snapshot.position is Position.ECS else Goal.FAILOVER
    reason = "Whether the kill switch or a hold is on can't be read from the database, so that automation does nothing."
    return _refuse(application, Refused(goal, "fail_closed", reason, "Restore the database; until then act by hand."),
                   counts=counts)  # fmt: skip


def _remembered(application: Application, change: Callable[[Memory], Memory]) -> Memory:
    """Change what is remembered, where it does change. What an operation that ends meanwhile stores is not lost."""
    known = decode(Memory, application.memory)
    if change(known) == known:
        return known
    with transaction.atomic():
        application.memory = change_memory(application.pk, change).memory
    return decode(Memory, application.memory)


def _hold(application: Application, refused: Refused, snapshot: Snapshot, now: float) -> None:
    """Hold once: what is there now is remembered as somebody's decision."""
    services.place_hold(
        application, owner=services.PANEL, reason=refused.reason, minutes=refused.hold_minutes, rule=refused.rule
    )
    _remembered(application, lambda known: found_changed(known, snapshot, now))


def situation(application: Application) -> Situation:
    """What the panel knows and AWS does not."""
    active = services.active_operation(application)
    holds = services.active_holds(application)
    known = services.last_acknowledgement(application)
    return Situation(
        mode=Mode(application.mode),
        hold=f"{holds[0]} (until {holds[0].expires_at:%Y-%m-%d %H:%M} UTC)" if holds else "",
        hold_rule=holds[0].rule if len({hold.rule for hold in holds}) == 1 else "",
        kill_switch=services.kill_switch_is_on(),
        active=f"{active} is {active.status}." if active else "",
        active_goal=Goal(active.goal) if active else None,
        last_failure_at=_last_failure_at(application, Goal.FAILOVER),
        last_failback_failure_at=_last_failure_at(application, Goal.FAILBACK),
        last_prepare_failure_at=_last_failure_at(application, Goal.SET_WEIGHTS),
        acknowledgement=Acknowledgement(known.at.timestamp(), known.by, known.comment) if known else None,
    )


def _last_failure_at(application: Application, goal: Goal) -> float | None:
    """When the newest operation with this goal ended, if it failed. A drill that failed keeps no real failover back."""
    of_goal = Operation.objects.filter(application=application, goal=goal)
    last = (of_goal.exclude(trigger=Operation.Trigger.DRILL) if goal is Goal.FAILOVER else of_goal).first()
    if last is None or last.status != Operation.Status.FAILED or last.finished_at is None:
        return None
    return last.finished_at.timestamp()


def _start(application: Application, start: Start) -> str:
    try:
        operation = services.request_operation(
            application,
            start.request.goal,
            trigger=Operation.Trigger.AUTOMATIC,
            reason=start.reason,
            tasks=start.tasks,
        )
    except services.Refused as refused:
        return f"No {start.request.goal} was started ({refused.rule}): {refused}"
    return f"Started {operation}: {start.reason}"


def _nothing_to_do(application: Application, snapshot: Snapshot) -> str:
    active = services.active_operation(application)
    if active:
        return f"Nothing more to do: {active} is under way."
    alarms = ", ".join(f"{alarm.name} is {alarm.state}" for alarm in snapshot.alarms.value or ())
    return f"Nothing to do: {alarms or 'no alarm was read'}, and traffic is on {snapshot.position}."
