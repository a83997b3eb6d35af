"""Reading AWS for one application and keeping what it said. One worker at a time reads an application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from failover.model import Part, Policy, Snapshot
from panel.celery import TASK_SECONDS
from panel.fleet import connections, heartbeats, snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application


def observe(application: Application) -> Snapshot | None:
    """Read AWS and store the snapshot; the answer holds every part as known now. None: another worker is reading."""
    with _claimed(application) as claimed:
        if not claimed:
            return None
        wanted = configuration(application)
        parts = due(snapshots.latest(application), wanted.policy, timezone.now().timestamp())
        snapshot = snapshots.store(application, connections.connect(wanted).observe(parts))
    heartbeats.show(heartbeats.OBSERVER)
    return snapshot


def due(known: Snapshot | None, policy: Policy, now: float) -> frozenset[Part]:
    """The parts to read: metrics as often as AWS publishes them, the rest each time."""
    fresh = known is not None and known.metrics.age(now) < policy.metric_period_seconds
    return frozenset(Part) - ({Part.METRICS} if fresh else frozenset())


@contextmanager
def _claimed(application: Application) -> Iterator[bool]:
    """A compare-and-set UPDATE: of two workers one changes the row. A killed worker's claim ends by itself.

    A task is killed after TASK_SECONDS, so nobody reads on once the claim has run out.
    """
    now = timezone.now()
    until = now + timedelta(seconds=TASK_SECONDS)
    free = Q(observing_until=None) | Q(observing_until__lt=now)
    claimed = bool(Application.objects.filter(free, pk=application.pk).update(observing_until=until))
    try:
        yield claimed
    finally:
        if claimed:
            Application.objects.filter(pk=application.pk, observing_until=until).update(observing_until=None)
