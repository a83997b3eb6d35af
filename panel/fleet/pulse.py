"""The strip on every page: do the panel's parts work, and is anything going on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from failover.model import AlarmState
from panel import broker
from panel.fleet import heartbeats, snapshots
from panel.fleet.heartbeats import Beat
from panel.fleet.models import StoredSnapshot
from panel.ingest.models import Event
from panel.operations.models import Operation


@dataclass(frozen=True)
class Pulse:
    """`alarms` counts the applications that have an alarm in ALARM, as last read."""

    worker: Beat
    beat: Beat
    observer: Beat
    broker_ok: bool
    last_event_at: datetime | None
    active_operations: int
    alarms: int


def pulse() -> Pulse:
    """Read the database, and ask the broker for at most 0.2 s."""
    return Pulse(
        **heartbeats.read(),
        broker_ok=broker.answers(),
        last_event_at=Event.objects.values_list("received_at", flat=True).first(),
        active_operations=Operation.objects.filter(status__in=Operation.ACTIVE).count(),
        alarms=sum(_in_alarm(*each) for each in _present().values_list("application__slug", "body")),
    )


def _present() -> QuerySet[StoredSnapshot]:
    return StoredSnapshot.objects.filter(application__retired_at=None)


def _in_alarm(slug: str, body: object) -> bool:
    snapshot = snapshots.read(body, slug)
    alarms = (snapshot and snapshot.alarms.value) or ()
    return any(alarm.state is AlarmState.ALARM for alarm in alarms)
