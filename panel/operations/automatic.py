"""What starts by itself: the controller's judgement on a snapshot, turned into an operation or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from django.db import Error, transaction
from django.utils import timezone

import failover.automation
from failover import guard
from failover.automation import Refused, Situation, Start
from failover.codec import decode
from failover.memory import found_changed
from failover.model import Goal, Memory, Position, Snapshot
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations import services, situations, told
from panel.operations.models import Operation
from panel.operations.remembering import change_memory

log = structlog.get_logger(__name__)


def calling(seen: Mapping[Application, Snapshot]) -> list[Application]:
    """Those of many that `consider` has something to do for, told in a few queries for all of them.

    All of them where the database can't say. One that was retired or deleted meanwhile is not among them.
    """
    now = timezone.now().timestamp()
    try:
        with transaction.atomic():
            rows = Application.objects.in_bulk([each.pk for each in seen])
            people = situations.of(rows.values())
    except Error:
        log.exception("situation_unread", applications=len(seen))
        return list(seen)
    return [
        each for each, snapshot in seen.items()
        if each.pk in rows and not _quiet(rows[each.pk], snapshot, people[each.pk], now)
    ]  # fmt: skip


def _quiet(application: Application, snapshot: Snapshot, people: Situation, now: float) -> bool:
    try:
        wanted, known = configuration(application), decode(Memory, application.memory)
        changes = guard.observed(wanted, snapshot, known, now) != known
        return not changes and failover.automation.consider(wanted, snapshot, known, people, now) is None
    except Exception:  # noqa: BLE001 - whoever considers it meets the same, and says so for this one alone
        return False


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
    return situations.of([application])[application.pk]


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
