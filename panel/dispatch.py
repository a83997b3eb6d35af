"""Wake-ups for the workers, published by a thread of their own: no request and no task ever waits for the broker.

A wake-up is a task's name and one id (a heartbeat's is its queue). Losing one is allowed: whatever it would have woken
is a row that a sweep finds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction

from panel import trails
from panel.celery import app
from panel.trails import Trail

MOST_PENDING = 10_000
WORTHLESS_AFTER = 60.0  # a sweep has long found what a wake-up this late would wake
REST_SECONDS = 0.02  # between two batches: in a flood equal wake-ups become one
LINGER_SECONDS = 10.0  # that a connection to the broker is kept for more: opening one costs more than a wake-up
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wakeup:
    """A task to be run in so many seconds; worthless, and dropped by the worker, so many seconds from now."""

    task: str
    arguments: tuple[int | str, ...] = ()
    seconds: float = 0
    expires: float = WORTHLESS_AFTER


def wake(task: str, row_id: int | str, seconds: float = 0, *, worthless_after: float = WORTHLESS_AFTER) -> None:
    """Have `task(row_id)` run in so many seconds, once the transaction is committed; or not at all where no worker has
    taken it so many seconds later. Never blocks, never raises.
    """
    wakeup, trail = Wakeup(task, (row_id,), seconds, seconds + worthless_after), trails.current()
    transaction.on_commit(lambda: _dispatcher.put(wakeup, trail))


def tick(task: str, expires: float) -> None:
    """Have a scheduled task run now, or not at all once the next one is due. Never blocks, never raises."""
    _dispatcher.put(Wakeup(task, expires=expires), {})


class Dispatcher:
    """A queue in which equal wake-ups are one, emptied by a daemon thread that starts with the first of them.

    Each carries the ids of who asked first, for the task's logs.
    """

    def __init__(self) -> None:
        self._pending: dict[Wakeup, Trail] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, wakeup: Wakeup, trail: Trail) -> None:
        with self._changed:
            if len(self._pending) < MOST_PENDING:
                self._pending.setdefault(wakeup, trail)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            batch = self._next(None)
            try:
                self._publish_from(batch)
            except Exception as problem:  # noqa: BLE001 - whatever the broker does, this thread goes on
                # With a silent broker each try costs its time-out, so the rest of the batch is left to the sweep.
                log.warning("wakeups_lost", problem=str(problem))

    def _next(self, seconds: float | None) -> Mapping[Wakeup, Trail]:
        """What is pending, waited for so long, or for ever. Empty where nothing came."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._pending), seconds)
            batch, self._pending = self._pending, {}
        return batch

    def _publish_from(self, batch: Mapping[Wakeup, Trail]) -> None:
        """Publish, and what comes next over the same connection."""
        with app.connection_for_write() as connection:
            while batch:
                for wakeup, trail in batch.items():
                    with structlog.contextvars.bound_contextvars(**trail):
                        _send(wakeup, connection)
                time.sleep(REST_SECONDS)
                batch = self._next(LINGER_SECONDS)


def _send(wakeup: Wakeup, connection: Any) -> None:
    app.send_task(
        wakeup.task,
        wakeup.arguments,
        connection=connection,
        countdown=wakeup.seconds or None,
        expires=wakeup.expires,
    )


_dispatcher = Dispatcher()


def _start_afresh() -> None:
    """A forked child has neither the thread nor a lock that can be trusted."""
    global _dispatcher  # noqa: PLW0603 - one dispatcher a process is the point
    _dispatcher = Dispatcher()


os.register_at_fork(after_in_child=_start_afresh)
