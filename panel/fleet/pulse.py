"""The strip on every page: do the panel's parts work, and is anything going on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Subquery

from panel import broker
from panel.fleet import heartbeats
from panel.fleet.heartbeats import Beat
from panel.fleet.models import Heartbeat
from panel.ingest.models import Event


@dataclass(frozen=True)
class Pulse:
    """`last_event_at` is None as well while no part has ever shown itself."""

    worker: Beat
    beat: Beat
    observer: Beat
    broker_ok: bool
    last_event_at: datetime | None


def pulse() -> Pulse:
    """Ask the database once, and the broker for at most 0.2 s."""
    newest = Event.objects.order_by("-pk").values("received_at")[:1]
    rows = list(Heartbeat.objects.annotate(last=Subquery(newest)).values_list("name", "at", "last"))
    return Pulse(
        **heartbeats.of_parts((name, at) for name, at, _ in rows),
        broker_ok=broker.answers(),
        last_event_at=rows[0][2] if rows else None,
    )
