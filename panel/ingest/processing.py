"""What becomes of stored events. They only wake: what happens is decided on the alarms as re-read after they came."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from failover.model import Snapshot
from panel import dispatch
from panel.fleet import snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.ingest.inbox import PROCESS_TASK
from panel.ingest.models import Event
from panel.operations import automatic

AGAIN_SECONDS = 0.5
MOST_SECONDS = 5.0  # of one task: the next one carries on with a flood
MOST_AT_ONCE = 200
LOST_AFTER = timedelta(seconds=3)  # from then on the sweep wakes an event that still waits

log = structlog.get_logger(__name__)


def process_waiting(application_id: int) -> None:
    """Process the application's stored events, the oldest first.

    Another worker that reads AWS for it may have begun before an event came: that event is tried again in a moment, and
    later as often as the sweep finds it.
    """
    end = time.monotonic() + MOST_SECONDS
    stored = Event.objects.filter(status=Event.Status.STORED, applications=application_id).order_by("pk")
    again = False
    for number, event in enumerate(stored[:MOST_AT_ONCE], start=1):
        again = (not process(event) and _young(event)) or again
        if number == MOST_AT_ONCE or time.monotonic() > end:
            dispatch.wake(PROCESS_TASK, application_id)
            return
    if again:
        dispatch.wake(PROCESS_TASK, application_id, AGAIN_SECONDS)


def _young(event: Event) -> bool:
    """Each of the sweep's wake-ups would otherwise begin a chain of its own."""
    return event.received_at > timezone.now() - LOST_AFTER


def process(event: Event) -> bool:
    """Consider every application that the event matched, and write down what became of it and why.

    False: one of them can't be read now, and nothing was done.
    """
    with structlog.contextvars.bound_contextvars(**({"request_id": event.request_id} if event.request_id else {})):
        return _process(event)


def _process(event: Event) -> bool:
    applications = list(event.applications.all())
    fresh = [each for each in applications if not _too_old(event, each)]
    snapshots_read = {each: _read_since(each, event.received_at.timestamp()) for each in fresh}
    read = {each: snapshot for each, snapshot in snapshots_read.items() if snapshot is not None}
    if len(read) < len(fresh):
        return False
    # What an event leads to and that it was processed are one commit: it happens once, whoever else is at it, and a
    # worker that dies over it leaves it stored.
    with transaction.atomic():
        if _claim(event):
            outcome = "\n".join(f"{each}: {_outcome(event, each, read.get(each))}" for each in applications)
            Event.objects.filter(pk=event.pk).update(outcome=outcome)
            log.info("event_processed", event_id=event.event_id, outcome=outcome)
    return True


def _claim(event: Event) -> bool:
    stored = Event.objects.filter(pk=event.pk, status=Event.Status.STORED)
    return bool(stored.update(status=Event.Status.PROCESSED, processed_at=timezone.now()))


def _outcome(event: Event, application: Application, snapshot: Snapshot | None) -> str:
    return automatic.consider(application, snapshot, counts=True) if snapshot else _too_old(event, application)


def _too_old(event: Event, application: Application) -> str:
    """A sentence, or nothing where the event is young enough."""
    limit = configuration(application).policy.max_event_age_seconds
    age = (event.received_at - event.happened_at).total_seconds() if event.happened_at else 0.0
    if age <= limit:
        return ""
    return (
        f"It was {age:.0f} s old when it came, more than max_event_age_seconds ({limit:g}), and changed nothing; "
        f"what the alarms show now decides."
    )


def _read_since(application: Application, moment: float) -> Snapshot | None:
    """A snapshot whose alarms were read after `moment`: of a flood of events only the first has to read AWS."""
    known = snapshots.latest(application)
    if known is not None and known.at >= moment and known.alarms.at >= moment:
        return known
    return observe(application)
