"""What becomes of a stored event. It only wakes: what happens is decided on the alarms as re-read after it came."""

from __future__ import annotations

from datetime import timedelta

import structlog
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
LOST_AFTER = timedelta(seconds=3)  # from then on the sweep wakes an event that still waits

log = structlog.get_logger(__name__)


def process(event_pk: int) -> None:
    """Consider every application that the event matched, and write down what became of it and why.

    Another worker that is reading one of them may have begun before the event: the event is tried again in a moment,
    and later as often as the sweep finds it.
    """
    event = Event.objects.filter(pk=event_pk, status=Event.Status.STORED).first()
    if event is None:
        return
    with structlog.contextvars.bound_contextvars(**({"request_id": event.request_id} if event.request_id else {})):
        _process(event)


def _process(event: Event) -> None:
    outcomes = {application: _outcome(event, application) for application in event.applications.all()}
    if None in outcomes.values():
        # Each of the sweep's wake-ups would otherwise begin a chain of its own.
        if event.received_at > timezone.now() - LOST_AFTER:
            dispatch.wake(PROCESS_TASK, event.pk, AGAIN_SECONDS)
        return
    outcome = "\n".join(f"{application}: {sentence}" for application, sentence in outcomes.items())
    Event.objects.filter(pk=event.pk).update(
        status=Event.Status.PROCESSED, processed_at=timezone.now(), outcome=outcome
    )
    log.info("event_processed", event_id=event.event_id, outcome=outcome)


def _outcome(event: Event, application: Application) -> str | None:
    limit = configuration(application).policy.max_event_age_seconds
    age = (event.received_at - event.happened_at).total_seconds() if event.happened_at else 0.0
    if age > limit:
        return (
            f"It was {age:.0f} s old when it came, more than max_event_age_seconds ({limit:g}), and changed nothing; "
            f"what the alarms show now decides."
        )
    snapshot = _read_since(application, event.received_at.timestamp())
    return automatic.consider(application, snapshot, counts=True) if snapshot else None


def _read_since(application: Application, moment: float) -> Snapshot | None:
    """A snapshot whose alarms were read after `moment`: of a flood of events only the first has to read AWS."""
    known = snapshots.latest(application)
    if known is not None and known.at >= moment and known.alarms.at >= moment:
        return known
    return observe(application)
