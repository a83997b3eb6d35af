"""Reading AWS for one application and keeping what it said. One worker at a time reads an application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Q
from django.utils import timezone

import failover.model
from failover.model import Part, Policy, Reading, Snapshot
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
        snapshot = snapshots.store(application, _read(wanted, parts))
    heartbeats.show(heartbeats.OBSERVER)
    return snapshot


def _read(wanted: failover.model.Application, parts: frozenset[Part]) -> Snapshot:
    """An AWS that is silent for as long as a task may take is an answer too: nothing is known any more."""
    try:
        return connections.connect(wanted).observe(parts)
    except SoftTimeLimitExceeded:
        unknown: Reading[Any] = Reading(problem="AWS did not answer in time")
        return Snapshot(timezone.now().timestamp(), *(unknown for _ in Part))


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
