"""What AWS last said about an application, one row each, part by part the newest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

import structlog
from django.db import transaction

from failover.codec import decode, encode
from failover.model import NOT_READ, Alarm, AlarmState, Limits, Metrics, Reading, Series, Snapshot
from panel import live_hints
from panel.fleet.models import Application, StoredSnapshot

UNREAD: Reading[Any] = Reading()
BRIEF_POINTS = 40

log = structlog.get_logger(__name__)


def latest(application: Application) -> Snapshot | None:
    """The newest snapshot, or None where AWS was never read."""
    stored = StoredSnapshot.objects.filter(application=application).first()
    return read(stored.body, application.slug) if stored else None


def latest_of(applications: Collection[Application]) -> dict[str, Snapshot]:
    """The newest snapshots by slug, of those that were ever read."""
    stored = StoredSnapshot.objects.filter(application__in=applications).values_list("application__slug", "body")
    found = ((slug, read(body, slug)) for slug, body in stored)
    return {slug: snapshot for slug, snapshot in found if snapshot is not None}


def read(body: Any, slug: str) -> Snapshot | None:
    """A stored body, or None where it can't be read: as if AWS had never been asked. The next look replaces it."""
    try:
        return decode(Snapshot, body)
    except (TypeError, ValueError, KeyError) as problem:
        log.warning("snapshot_unreadable", application=slug, problem=f"{type(problem).__name__}: {problem}")
        return None


def store(application: Application, snapshot: Snapshot) -> Snapshot:
    """Keep `snapshot`, and of what it did not read, or read earlier, what is known already. Answers with the result."""
    with transaction.atomic():
        stored = StoredSnapshot.objects.select_for_update().filter(application=application).first()
        known = read(stored.body, application.slug) if stored else None
        merged = merge(known, snapshot) if known else snapshot
        StoredSnapshot.objects.update_or_create(
            application=application,
            defaults=columns(merged),
        )
    live_hints.publish(application.slug)
    return merged


def merge(known: Snapshot, new: Snapshot) -> Snapshot:
    """Part by part the later reading; a part that `new` did not ask for keeps what is known."""
    parts = {
        field.name: _later(getattr(known, field.name), getattr(new, field.name))
        for field in fields(Snapshot)
        if field.name != "at"
    }
    return replace(new, at=max(known.at, new.at), **parts)


def _later(known: Reading[Any], new: Reading[Any]) -> Reading[Any]:
    if new == UNREAD:
        return known
    # A failed reading has no time of its own: it is news, and says that the part is unknown now.
    return new if new.value is None or new.at >= known.at else known


# ---- what a list is sorted by ----


def columns(snapshot: Snapshot) -> dict[str, Any]:
    """The columns of a snapshot's row."""
    return {
        "body": encode(snapshot),
        "observed_at": datetime.fromtimestamp(snapshot.at, UTC),
        "brief": encode(brief(snapshot)),
        "read_at": read_at(snapshot),
        "alarm": worst(snapshot.alarms.value),
        "position": snapshot.position.value,
        "load": load(snapshot),
        "problem": problem(snapshot)[:200],
    }


def brief(snapshot: Snapshot) -> Snapshot:
    """The same with so many points of concurrency alone for its metrics: decoding all of them is what takes time."""
    metrics = snapshot.metrics.value
    if metrics is not None:
        metrics = Metrics(metrics.period, {"concurrency": peaks(metrics.points("concurrency"), BRIEF_POINTS)})
    return replace(snapshot, metrics=replace(snapshot.metrics, value=metrics), versions=UNREAD)


def peaks(points: Series, most: int) -> Series:
    """At most `most` points; of each group the highest, because peaks are what meets a limit."""
    if len(points) <= most:
        return points
    size = ceil(len(points) / most)
    return tuple(max(points[i : i + size], key=lambda point: point[1]) for i in range(0, len(points), size))


def problem(snapshot: Snapshot) -> str:
    """Why a part that matters could not be read; empty where all were, or were not asked for yet."""
    parts = (snapshot.alarms, snapshot.routes, snapshot.service, snapshot.targets, snapshot.metrics)
    return next((part.problem for part in parts if part.value is None and part.problem != NOT_READ), "")


def read_at(snapshot: Snapshot) -> float:
    """When the oldest part that matters was read: an operation reads some parts more often than others."""
    parts = (snapshot.alarms, snapshot.routes, snapshot.service, snapshot.targets)
    return min((part.at for part in parts if part.value is not None), default=snapshot.at)


def worst(alarms: Collection[Alarm] | None) -> str:
    """The worst state of several alarms; empty where they were not read. No alarm at all is no data."""
    if alarms is None:
        return ""
    states = {alarm.state for alarm in alarms}
    order = (AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA, AlarmState.OK)
    return next((state for state in order if state in states), AlarmState.INSUFFICIENT_DATA).value


def concurrency_limit(limits: Limits | None) -> float | None:
    """The concurrency that the function may reach: its own reservation or, without one, what the account has left."""
    if limits is None:
        return None
    pool = limits.reserved if limits.reserved is not None else limits.unreserved
    return None if pool is None else float(pool)


def load(snapshot: Snapshot) -> float | None:
    """Lambda's concurrency in percent of its limit; None where either is unknown."""
    metrics, limit = snapshot.metrics.value, concurrency_limit(snapshot.limits.value)
    now = metrics.latest("concurrency", snapshot.at) if metrics else None
    return None if now is None or not limit else round(100 * now / limit, 1)
