"""Reading AWS and keeping what it said: for one application at once, or for all of a scope together.

Of each account and region one worker at a time reads a single application, and one sweeps them together. The two don't
wait for each other: of each part the later reading stays. An account that answers slowly is left alone for a while
afterwards: however many of them are silent, the workers have time for the others.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

import failover.model
from failover.aws.batches import chunks
from failover.config import ConfigError
from failover.model import DECIDING, Part, Policy, Reading, Snapshot
from panel.celery import TASK_SECONDS
from panel.fleet import connections, heartbeats, history, snapshots
from panel.fleet.applications import configuration
from panel.fleet.connections import Scope
from panel.fleet.models import Application
from panel.fleet.snapshots import Stored
from panel.operations.models import Operation
from panel.watch import tally

SWEEP = "sweep_seconds"
OBSERVING, SWEEPING = "observing_until", "sweeping_until"
SLOW_SECONDS = 5.0  # a scope that took longer rests for twice as long as it took, but at most
LONGEST_REST = 20.0
STORED_TOGETHER = 25  # whoever steps one of their operations waits that long to store what it saw

log = structlog.get_logger(__name__)


def observe(application: Application) -> Snapshot | None:
    """Read AWS and store the snapshot; the answer holds every part as known now.

    None: another worker reads something of the same account and region, it rests because it was slow, or the
    application was deleted meanwhile.
    """
    with _claimed(OBSERVING, [_gate(application)]) as claimed:
        if not claimed:
            return None
        wanted = configuration(application)
        parts = due(snapshots.latest(application), wanted.policy, timezone.now().timestamp())
        snapshot = _kept(application, _read(wanted, parts))
    heartbeats.show(heartbeats.OBSERVER)
    return snapshot


def sweep(applications: Sequence[Application]) -> dict[Application, Snapshot]:
    """Read AWS for applications of one scope, those that no other worker sweeps, and store their snapshots."""
    with _claimed(SWEEPING, applications) as claimed:
        if not claimed:
            return {}
        began = time.monotonic()
        before = snapshots.stored_of(claimed)
        new = _swept(claimed, before)
        tally.measure(SWEEP, time.monotonic() - began)
        stored: dict[Application, Snapshot] = {}
        for some in chunks(claimed, STORED_TOGETHER):
            stored |= _kept_together({each: new[each.slug] for each in some}, before)
    heartbeats.show(heartbeats.OBSERVER)
    return stored


def _kept_together(
    new: Mapping[Application, Snapshot], before: Mapping[Application, Stored]
) -> dict[Application, Snapshot]:
    """Those that were stored. Where not all could be, each by itself tells which."""
    try:
        with transaction.atomic():
            merged = snapshots.store_together(new, before)
    except IntegrityError:
        kept = {each: _kept(each, snapshot) for each, snapshot in new.items()}
        return {each: snapshot for each, snapshot in kept.items() if snapshot is not None}
    _sampled_together({each: merged[each] for each, snapshot in new.items() if snapshot.metrics.value is not None})
    return merged


def _sampled_together(seen: Mapping[Application, Snapshot]) -> None:
    try:
        with transaction.atomic():
            history.record_together(seen)
    except Error as problem:
        log.warning("samples_not_kept", applications=len(seen), problem=str(problem))


def _kept(application: Application, new: Snapshot) -> Snapshot | None:
    """A sample is written as often as metrics are read. None where the application was deleted while AWS was read."""
    try:
        merged = snapshots.store(application, new)
        if new.metrics.value is not None:
            _sampled(application, merged)
    except IntegrityError:
        if Application.objects.filter(pk=application.pk).exists():
            raise
        log.info("application_deleted", application=application.slug)
        return None
    return merged


def _sampled(application: Application, snapshot: Snapshot) -> None:
    """A chart with a gap is no reason to leave the alarms of a whole scope unconsidered."""
    try:
        history.record(application, snapshot)
    except IntegrityError:
        raise
    except Error as problem:
        log.warning("sample_not_kept", application=application.slug, problem=str(problem))


def by_scope(applications: Collection[Application]) -> list[list[Application]]:
    """The applications grouped by what is read together. One whose document is unsound is told and left out."""
    groups: dict[Scope, list[Application]] = defaultdict(list)
    for application in applications:
        try:
            groups[Scope.of(configuration(application))].append(application)
        except ConfigError as problem:
            log.warning("application_unsound", application=application.slug, problem=str(problem))
    return list(groups.values())


def _gate(application: Application) -> Application:
    """The row that stands for the application's account and region while one of them is read by itself."""
    near = Application.objects.filter(account=application.account, region=application.region)
    return near.order_by("pk").first() or application


def neighbours(application: Application) -> list[Application]:
    """Everything in the application's scope, itself among it."""
    near = Application.objects.filter(account=application.account, region=application.region)
    return next((group for group in by_scope(near) if application in group), [])


def _read(wanted: failover.model.Application, parts: frozenset[Part]) -> Snapshot:
    """An AWS that is silent for as long as a task may take is an answer too: nothing is known any more."""
    try:
        return connections.connect(wanted).observe(parts)
    except SoftTimeLimitExceeded:
        return _silent()


def _swept(applications: Sequence[Application], before: Mapping[Application, Stored]) -> dict[str, Snapshot]:
    wanted = [configuration(application) for application in applications]
    active = Operation.objects.filter(application__in=applications, status__in=Operation.ACTIVE)
    busy = frozenset(active.values_list("application__slug", flat=True))
    known = {each.slug: stored.snapshot for each, stored in before.items() if stored.snapshot is not None}
    try:
        return connections.fleet(wanted[0]).observe(wanted, known, busy)
    except SoftTimeLimitExceeded:
        return {application.slug: _silent() for application in applications}


def _silent() -> Snapshot:
    unknown: Reading[Any] = Reading(problem="AWS did not answer in time")
    parts = [each.name for each in fields(Snapshot) if each.name != "at"]
    return Snapshot(timezone.now().timestamp(), **dict.fromkeys(parts, unknown))


def due(known: Snapshot | None, policy: Policy, now: float) -> frozenset[Part]:
    """The parts to read: metrics as often as AWS publishes them, what decides each time; sweeps read the rest."""
    fresh = known is not None and known.metrics.age(now) < policy.metric_period_seconds
    return DECIDING - ({Part.METRICS} if fresh else frozenset())


@contextmanager
def _claimed(
    claim: str, applications: Sequence[Application], clock: Callable[[], datetime] = timezone.now
) -> Iterator[list[Application]]:
    """Rows that are free are locked and taken: of two workers one finds a row free. A killed worker's claim ends by
    itself.

    A task is killed after TASK_SECONDS, so nobody reads on once the claim has run out.
    """
    began = clock()
    until = began + timedelta(seconds=TASK_SECONDS)
    free = Q(**{claim: None}) | Q(**{f"{claim}__lt": began})
    with transaction.atomic():
        rows = Application.objects.select_for_update().filter(free, pk__in=[each.pk for each in applications])
        mine = set(rows.order_by("pk").values_list("pk", flat=True))
        Application.objects.filter(pk__in=mine).update(**{claim: until})
    try:
        yield [each for each in applications if each.pk in mine]
    finally:
        held = Application.objects.filter(pk__in=mine, **{claim: until})
        held.update(**{claim: rested(began, clock())})


def rested(began: datetime, ended: datetime) -> datetime | None:
    """Until when a scope is left alone that was read from `began` to `ended`. None: it was fast."""
    took = (ended - began).total_seconds()
    return None if took <= SLOW_SECONDS else ended + timedelta(seconds=min(2 * took, LONGEST_REST))
