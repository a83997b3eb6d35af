"""Whether the panel's own parts work, looked at from two sides: beat looks at the workers, the workers look at beat.

What has not worked for a minute is told once, and once more when it works again. Where no worker could deliver that,
beat does it itself. Without the database nobody can be told from here: that is what the dead man's switch is for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import Error, connections, transaction
from django.utils import timezone

from panel import broker, queues
from panel.fleet import heartbeats
from panel.fleet.models import Application
from panel.notify import delivering, outbox
from panel.notify.models import Delivery, Part

PATIENCE = timedelta(minutes=1)
EVERY = 10.0  # seconds between beat's looks
BROKER = "broker"
SAYS = {
    BROKER: "The broker (Redis) does not answer: nothing that is asked for reaches a worker.",
    heartbeats.BEAT: "Beat has not ticked: applications are not read and lost work is not picked up.",
    heartbeats.OBSERVER: "AWS has not been read: nothing starts by itself.",
}
log = structlog.get_logger(__name__)


def seen_by_beat() -> dict[str, bool]:
    """Everything but beat: whether each part works."""
    beats = heartbeats.read_all()
    parts = {f"worker {queue}": beats[queue].ok for queue in heartbeats.QUEUES}
    parts[heartbeats.OBSERVER] = beats[heartbeats.OBSERVER].ok or not Application.objects.exists()
    return {**parts, BROKER: broker.answers()}


def seen_by_worker() -> dict[str, bool]:
    return {heartbeats.BEAT: heartbeats.read_all()[heartbeats.BEAT].ok}


def judge(parts: Mapping[str, bool], now: datetime) -> None:
    """Tell of what has been sick for long enough, and of what is well again."""
    known = {part.name: part for part in Part.objects.filter(name__in=parts)}
    for name, well in parts.items():
        part = known.get(name)
        if part is None and not well:
            Part.objects.get_or_create(name=name, defaults={"sick_since": now})
        elif part is not None and well:
            _well(part, now)
        elif part is not None and not part.told and now - part.sick_since >= PATIENCE:
            _sick(part)


def _sick(part: Part) -> None:
    """Of several who look at once one changes the row, and tells."""
    with transaction.atomic():
        if Part.objects.filter(pk=part.pk, told=False).update(told=True):
            what = SAYS.get(part.name, f"No worker runs tasks of the queue {part.name.removeprefix('worker ')}.")
            since = f"{what} So since {part.sick_since:%H:%M:%S} UTC."
            outbox.tell("panel.sick", subject=part.name, what=since, key=f"sick:{part.pk}")


def _well(part: Part, now: datetime) -> None:
    with transaction.atomic():
        if Part.objects.filter(pk=part.pk).delete()[0] and part.told:
            minutes = max(1, round((now - part.sick_since) / timedelta(minutes=1)))
            what = f"It did not work for about {minutes} min."
            outbox.tell("panel.well", subject=part.name, what=what, key=f"well:{part.pk}")


class Watch:
    """Beat's look, in a thread that nobody waits for: the broker may be silent, and so may a target."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._looked_at = -EVERY

    def look(self) -> None:
        if time.monotonic() - self._looked_at < EVERY or (self._thread and self._thread.is_alive()):
            return
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=_look, name="health", daemon=True)
        self._thread.start()


def _look() -> None:
    try:
        parts = seen_by_beat()
        judge(parts, timezone.now())
        if not (parts[BROKER] and parts[f"worker {queues.NOTIFY}"]):
            deliver_ourselves()
    except Error:
        log.warning("health_not_judged", exc_info=True)
    finally:
        connections.close_all()


def deliver_ourselves() -> None:
    """What is due about the panel itself, where no worker would. Everything else waits for the worker."""
    due = Delivery.objects.filter(status=Delivery.Status.WAITING, notice__kind__startswith="panel.")
    waiting = set(due.values_list("target_id", flat=True))
    for pk in delivering.due_targets(timezone.now()):
        if pk in waiting:
            delivering.deliver(pk)
