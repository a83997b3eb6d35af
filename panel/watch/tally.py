"""Counting: in memory at first, then in the database, where every process's counts meet.

A process writes what it has counted once its answer is sent or its task is done, at most every two seconds. One that is
killed takes what it counted since with it; a rate over minutes does not notice.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict

import structlog
from django.db import Error, IntegrityError, transaction
from django.db.models import F

from panel.watch.models import Tally

FLUSH_EVERY = 2.0
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)  # seconds, upper ends
BUCKET, SUM = "_bucket", "_sum"

log = structlog.get_logger(__name__)

_lock = threading.Lock()
_counted: dict[tuple[str, str], float] = defaultdict(float)
_flushed_at = 0.0


def count(name: str, amount: float = 1.0, **labels: str) -> None:
    """Add to a count. Labels take a few values each, never text from outside. Never blocks, never raises."""
    with _lock:
        _counted[name, json.dumps(labels, sort_keys=True)] += amount


def measure(name: str, seconds: float, **labels: str) -> None:
    """Add a duration to a histogram with our BUCKETS."""
    bucket = next((str(upper) for upper in BUCKETS if seconds <= upper), "+Inf")
    count(name + BUCKET, 1.0, le=bucket, **labels)
    count(name + SUM, max(seconds, 0.0), **labels)


def flush_now_and_then(**_: object) -> None:
    """Write what was counted, unless that was done just now. Counts that can't be written wait for the next time."""
    global _flushed_at  # noqa: PLW0603 - one clock a process is the point
    if _counted and time.monotonic() - _flushed_at >= FLUSH_EVERY:
        _flushed_at = time.monotonic()
        flush()


def flush() -> None:
    """Write what was counted."""
    with _lock:
        taken = dict(_counted)
        _counted.clear()
    try:
        with transaction.atomic():
            # In one order everywhere: two processes that write the same counts must not wait for each other.
            for (name, labels), amount in sorted(taken.items()):
                _add(name, labels, amount)
    except Error as problem:
        log.debug("counts_not_written", problem=str(problem))
        with _lock:
            for key, amount in taken.items():
                _counted[key] += amount


def _add(name: str, labels: str, amount: float) -> None:
    row = Tally.objects.filter(name=name, labels=labels)
    if row.update(value=F("value") + amount):
        return
    try:
        with transaction.atomic():
            Tally.objects.create(name=name, labels=labels, value=amount)
    except IntegrityError:
        row.update(value=F("value") + amount)


def forget() -> None:
    """Drop what was counted and not yet written."""
    with _lock:
        _counted.clear()
