"""Whether the panel's own parts live, each shown by itself.

A worker's main thread asks for a beat on each of its queues every five seconds and a task in its pool writes it, so a
queue's beat says that tasks run, with beat or without; `worker` is the worst of them. Beat writes `beat` as it ticks.
`observer` is written by every observation of AWS.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from panel import queues
from panel.fleet.models import Heartbeat

WORKER, BEAT, OBSERVER = "worker", "beat", "observer"
QUEUES = (queues.STEPS, queues.EVENTS, queues.OBSERVE, queues.NOTIFY)
LATE_SECONDS = 15.0
LEASE_SECONDS = 10.0  # of a part that may run once: shown every 3 s, free for another once it was silent for so long


@dataclass(frozen=True)
class Beat:
    """`age_seconds` is None where the part never showed itself."""

    age_seconds: float | None
    ok: bool


@dataclass(frozen=True)
class Holding:
    """Who holds a part that may run once; `mine`: whoever asked."""

    holder: str
    mine: bool


def show(name: str) -> None:
    """Say that the part lives now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def hold(name: str, holder: str) -> Holding:
    """Show the part, if `holder` has it or may take it: nobody has it, or who had it was silent for a lease length."""
    now = timezone.now()
    Heartbeat.objects.get_or_create(name=name, defaults={"at": now, "holder": holder})
    free = Q(holder__in=["", holder]) | Q(at__lt=now - timedelta(seconds=LEASE_SECONDS))
    mine = bool(Heartbeat.objects.filter(free, name=name).update(at=now, holder=holder))
    return Holding(holder if mine else Heartbeat.objects.values_list("holder", flat=True).get(name=name), mine)


def release(name: str, holder: str) -> None:
    """Let another have the part at once."""
    Heartbeat.objects.filter(name=name, holder=holder).update(holder="")


def read() -> dict[str, Beat]:
    """The last sign of life of worker, beat and observer. The worker is as late as the latest of its queues."""
    return of_parts(_shown())


def of_parts(shown: Iterable[tuple[str, datetime]]) -> dict[str, Beat]:
    """As `read`, of rows that were read already."""
    found = _judged(shown)
    worker = max((found[queue] for queue in QUEUES), key=_lateness)
    return {WORKER: worker, BEAT: found[BEAT], OBSERVER: found[OBSERVER]}


def read_all() -> dict[str, Beat]:
    """The last sign of life of each queue, of beat and of the observer, which may be late by as much as it is asked to
    look less often. A worker of the release before shows `worker`, for all queues.
    """
    return _judged(_shown())


def _shown() -> Iterable[tuple[str, datetime]]:
    return Heartbeat.objects.values_list("name", "at")


def _judged(rows: Iterable[tuple[str, datetime]]) -> dict[str, Beat]:
    now = timezone.now()
    ages = {name: (now - at) / timedelta(seconds=1) for name, at in rows}
    shown = {queue: _youngest(ages.get(queue), ages.get(WORKER)) for queue in QUEUES}
    late = LATE_SECONDS + settings.PANEL_OBSERVE_SECONDS
    return {
        **{queue: _beat(age, LATE_SECONDS) for queue, age in shown.items()},
        BEAT: _beat(ages.get(BEAT), LATE_SECONDS),
        OBSERVER: _beat(ages.get(OBSERVER), late),
    }


def _youngest(*ages: float | None) -> float | None:
    return min((age for age in ages if age is not None), default=None)


def _lateness(beat: Beat) -> float:
    return float("inf") if beat.age_seconds is None else beat.age_seconds


def _beat(age: float | None, late: float) -> Beat:
    return Beat(age, ok=age is not None and age <= late)
