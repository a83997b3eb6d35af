"""What AWS last said about an application, one row each, part by part the newest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
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


@dataclass(frozen=True)
class Stored:
    """A row's body, and what it says; None where it can't be read."""

    body: Any
    snapshot: Snapshot | None = None


NOTHING = Stored(None)


def stored_of(applications: Collection[Application]) -> dict[Application, Stored]:
    """What is stored of each, of those that were ever read."""
    rows = StoredSnapshot.objects.filter(application__in=applications).values_list("application", "body")
    bodies = dict(rows)
    return {
        each: Stored(bodies[each.pk], read(bodies[each.pk], each.slug)) for each in applications if each.pk in bodies
    }


def read(body: Any, slug: str) -> Snapshot | None:
    """A stored body, or None where it can't be read: as if AWS had never been asked. The next look replaces it."""
    try:
        return decode(Snapshot, body)
    except (TypeError, ValueError, KeyError) as problem:
        log.warning("snapshot_unreadable", application=slug, problem=f"{type(problem).__name__}: {problem}")
        return None


def store(application: Application, snapshot: Snapshot) -> Snapshot:
    """Keep `snapshot`, and of what it did not read, or read earlier, what is known already. Answers with the result."""
    return store_together({application: snapshot})[application]


def store_together(
    new: Mapping[Application, Snapshot], before: Mapping[Application, Stored] | None = None
) -> dict[Application, Snapshot]:
    """The same for many in two queries, all or nothing: their rows are locked meanwhile, so let them be few.

    `before` is what was stored a moment ago. Where it still is, nothing of it is decoded or encoded once more, which is
    most of what a sweep computes.
    """
    with transaction.atomic():
        # In one order everywhere: two that store the same rows can't wait for each other.
        rows = StoredSnapshot.objects.select_for_update().filter(application__in=new).order_by("application")
        bodies = dict(rows.values_list("application", "body"))
        known = {each: _known(each, bodies.get(each.pk), (before or {}).get(each, NOTHING)) for each in new}
        merged = {each: merge(known[each].snapshot, snapshot) for each, snapshot in new.items()}
        _write({each: columns(snapshot, known[each]) for each, snapshot in merged.items()})
    live_hints.publish(*(each.slug for each in new))
    return merged


def _known(application: Application, body: Any, before: Stored) -> Stored:
    if body is None or body == before.body:
        return before if body is not None else NOTHING
    return Stored(body, read(body, application.slug))


def _write(found: Mapping[Application, dict[str, Any]]) -> None:
    rows = [StoredSnapshot(application=each, **values) for each, values in found.items()]
    StoredSnapshot.objects.bulk_create(
        sorted(rows, key=lambda row: row.application_id),
        update_conflicts=True,
        unique_fields=["application"],
        update_fields=list(COLUMNS),
    )


def merge(known: Snapshot | None, new: Snapshot) -> Snapshot:
    """Part by part the later reading; a part that `new` did not ask for keeps what is known."""
    if known is None:
        return new
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

COLUMNS = ("body", "observed_at", "brief", "read_at", "alarm", "position", "load", "problem")


def columns(snapshot: Snapshot, before: Stored = NOTHING) -> dict[str, Any]:
    """The columns of a snapshot's row; parts that are the very ones of `before` are taken from there as they are."""
    return {
        "body": _body(snapshot, before),
        "observed_at": datetime.fromtimestamp(snapshot.at, UTC),
        "brief": encode(brief(snapshot)),
        "read_at": read_at(snapshot),
        "alarm": worst(snapshot.alarms.value),
        "position": snapshot.position.value,
        "load": load(snapshot),
        "problem": problem(snapshot)[:200],
    }


def _body(snapshot: Snapshot, before: Stored) -> dict[str, Any]:
    if before.snapshot is None:
        return {field.name: encode(getattr(snapshot, field.name)) for field in fields(Snapshot)}
    return {
        field.name: before.body[field.name]
        if field.name in before.body and getattr(snapshot, field.name) is getattr(before.snapshot, field.name)
        else encode(getattr(snapshot, field.name))
        for field in fields(Snapshot)
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
