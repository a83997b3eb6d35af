"""How long events are kept: as long as the notices and probes that belong to them.

Long after the last day on which EventBridge could deliver one again, so that a copy never counts as new.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from panel.ingest.models import Event

KEPT = timedelta(days=90)
MOST_AT_ONCE = 10_000  # of a flood's rows, the rest an hour later: a task must end


def forget_old(now: datetime) -> int:
    """Delete the oldest events that were dealt with, and answer how many. One that still waits is never deleted."""
    old = Event.objects.filter(received_at__lt=now - KEPT).exclude(status=Event.Status.STORED)
    deleted, _ = Event.objects.filter(
        pk__in=list(old.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    ).delete()
    return deleted
