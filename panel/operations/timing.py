"""How long each part of an operation took, from the alarm that caused it to the end."""

from __future__ import annotations

from datetime import datetime, timedelta

from failover.milestones import seconds
from failover.resume import stored_progress
from panel.ingest.models import Event
from panel.operations.models import Operation

# An event that came longer before an operation than this did not cause it: the sweep found the alarm by itself.
CAUSED_WITHIN = timedelta(seconds=30)


def parts(operation: Operation) -> dict[str, float]:
    """Seconds by part, of those whose both ends were reached. Only an event's operation has the first two."""
    return {**_before(operation), **seconds(stored_progress(operation.progress))}


def _before(operation: Operation) -> dict[str, float]:
    event = _cause(operation)
    if event is None or event.happened_at is None:
        return {}
    return {
        "alarm_to_webhook": _between(event.happened_at, event.received_at),
        "webhook_to_decision": _between(event.received_at, operation.created_at),
    }


def _cause(operation: Operation) -> Event | None:
    """The event that woke the automation: the newest of its application's alarms right before the start."""
    if operation.trigger != Operation.Trigger.AUTOMATIC:
        return None
    events = Event.objects.filter(applications=operation.application_id).exclude(alarm_name="")
    since = operation.created_at - CAUSED_WITHIN
    return events.filter(received_at__gt=since, received_at__lte=operation.created_at).order_by("-received_at").first()


def _between(first: datetime, last: datetime) -> float:
    """Never negative: the alarm's clock is AWS's."""
    return round(max(0.0, (last - first).total_seconds()), 3)
