"""The strip on every page: do the panel's parts work, and is anything going on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from panel import broker
from panel.fleet import heartbeats
from panel.fleet.heartbeats import Beat
from panel.ingest.models import Event


@dataclass(frozen=True)
class Pulse:
    worker: Beat
    beat: Beat
    observer: Beat
    broker_ok: bool
    last_event_at: datetime | None


def pulse() -> Pulse:
    """Read the database, and ask the broker for at most 0.2 s."""
    return Pulse(
        **heartbeats.read(),
        broker_ok=broker.answers(),
        last_event_at=Event.objects.values_list("received_at", flat=True).first(),
    )
