"""Whether the panel's own parts live, each shown by itself.

A worker's main process asks for a beat every two seconds and a task in its pool writes it, so `worker` says that tasks
run, with beat or without. Beat writes `beat` as it ticks. `observer` is written by every observation of AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from panel.fleet.models import Heartbeat

WORKER, BEAT, OBSERVER = "worker", "beat", "observer"
LATE_SECONDS = 15.0


@dataclass(frozen=True)
class Beat:
    """`age_seconds` is None where the part never showed itself."""

    age_seconds: float | None
    ok: bool


def show(name: str) -> None:
    """Say that the part lives now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def read() -> dict[str, Beat]:
    """Every part's last sign of life. An observer may be late by as much as it is asked to look less often."""
    now = timezone.now()
    ages = {name: (now - at) / timedelta(seconds=1) for name, at in Heartbeat.objects.values_list("name", "at")}
    late = {OBSERVER: LATE_SECONDS + settings.PANEL_OBSERVE_SECONDS}
    return {name: _beat(ages.get(name), late.get(name, LATE_SECONDS)) for name in (WORKER, BEAT, OBSERVER)}


def _beat(age: float | None, late: float) -> Beat:
    return Beat(age, ok=age is not None and age <= late)
