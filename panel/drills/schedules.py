"""Drills that are due by an application's schedule: each once, whoever else looks, and none long after its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from cronsim import CronSimError
from django.db import transaction

from failover.config import ConfigError
from panel.drills import services
from panel.drills.cron import due_after
from panel.drills.models import Drill, Kind, Schedule
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations.answers import Refused

LATE = timedelta(minutes=5)  # what is due is started no later: at another hour it may be unwelcome
MOST_MISSED = 1000

log = structlog.get_logger(__name__)


def follow(now: datetime) -> None:
    """Take over what the applications' TOML says, and start what is due."""
    _take_over(now)
    for schedule in Schedule.objects.filter(next_at__lte=now).select_related("application"):
        try:
            _run(schedule, now)
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # one schedule's trouble is no reason to leave out the others; it stays due
            log.exception("schedule_failed", application=schedule.application.slug, kind=schedule.kind)


def _take_over(now: datetime) -> None:
    known = {(each.application_id, each.kind): each for each in Schedule.objects.all()}
    wanted = {(row.pk, kind): told for row in _scheduled() for kind, *told in _wanted(row)}
    Schedule.objects.filter(pk__in=[each.pk for key, each in known.items() if key not in wanted]).delete()
    for key, (expression, time_zone) in wanted.items():
        have = known.get(key)
        if have is None or (have.expression, have.time_zone) != (expression, time_zone):
            _follow_anew(*key, expression, time_zone, now)


def _scheduled() -> Iterator[Application]:
    yield from Application.objects.filter(document__has_key="drills").defer("memory")


def _wanted(row: Application) -> Iterator[tuple[str, str, str]]:
    """Kind, expression and time zone of each schedule of an application."""
    try:
        drills = configuration(row).drills
    except ConfigError as problem:
        log.warning("application_unsound", application=row.slug, problem=str(problem))
        return
    for kind, expression in ((Kind.DRILL, drills.schedule), (Kind.REHEARSAL, drills.rehearsal_schedule)):
        if expression:
            yield kind.value, expression, drills.time_zone


def _follow_anew(application_id: int, kind: str, expression: str, time_zone: str, now: datetime) -> None:
    """What was due before this was asked for was not missed."""
    next_at = _next(expression, time_zone, now)
    values = {"expression": expression, "time_zone": time_zone, "checked_at": now, "next_at": next_at}
    Schedule.objects.update_or_create(application_id=application_id, kind=kind, defaults=values)


def _next(expression: str, time_zone: str, after: datetime) -> datetime | None:
    try:
        return next(due_after(expression, time_zone, after), None)
    except (CronSimError, ValueError) as problem:
        log.warning("schedule_unsound", expression=expression, problem=str(problem))
        return None


def _run(schedule: Schedule, now: datetime) -> None:
    """Whoever moves the schedule on starts what was due; both are one transaction, so that none is lost or doubled."""
    with transaction.atomic():
        moved = Schedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at, expression=schedule.expression)
        if not moved.update(next_at=_next(schedule.expression, schedule.time_zone, now), checked_at=now):
            return
        due = _new(schedule, list(islice(takewhile(lambda at: at <= now, _due(schedule)), MOST_MISSED)))
        if not due:
            return
        missed = [at for at in due if at < now - LATE]
        if missed:
            _record_missed(schedule, missed)
        if due[-1] >= now - LATE:
            _start(schedule, due[-1])


def _new(schedule: Schedule, due: list[datetime]) -> list[datetime]:
    """Those that no drill stands for yet: a clock that was set back makes a time come twice."""
    mine = Drill.objects.filter(application=schedule.application_id, kind=schedule.kind, due_at__in=due[-1:])
    return [] if mine.exists() else due


def _due(schedule: Schedule) -> Iterator[datetime]:
    yield from due_after(schedule.expression, schedule.time_zone, schedule.checked_at)


def _record_missed(schedule: Schedule, missed: list[datetime]) -> None:
    times = "" if len(missed) == 1 else f" So were {len(missed) - 1} before it."
    refused = Refused(
        "missed",
        f"It was due at {missed[-1]:%Y-%m-%d %H:%M} UTC, and the panel was not at work.{times}",
        "Start one by hand, or wait for the next one.",
    )
    services.skip(schedule.application, Kind(schedule.kind), missed[-1], refused, _why(schedule))


def _start(schedule: Schedule, due_at: datetime) -> None:
    kind = Kind(schedule.kind)
    try:
        services.start_drill(schedule.application, kind, reason=_why(schedule), due_at=due_at)
    except Refused as refused:
        services.skip(schedule.application, kind, due_at, refused, _why(schedule))


def _why(schedule: Schedule) -> str:
    return f"scheduled, {schedule.expression} ({schedule.time_zone})"
