"""Beat's schedule, in memory, with a sign of life."""

from __future__ import annotations

import time

import structlog
from celery.beat import Scheduler as InMemory
from django.db import Error, close_old_connections

from panel.fleet import heartbeats

SHOW_EVERY = 3.0
log = structlog.get_logger(__name__)


class Scheduler(InMemory):  # type: ignore[misc]  # celery has no types
    """Celery's scheduler without a file; as long as it ticks, it says so."""

    _shown = 0.0

    def tick(self, *args: object, **kwargs: object) -> float:
        wait: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._shown >= SHOW_EVERY:
            self._show()
        return wait

    def _show(self) -> None:
        self._shown = time.monotonic()
        close_old_connections()
        try:
            heartbeats.show(heartbeats.BEAT)
        except Error:
            # Without a database nothing else works either; beat goes on so that it is back as soon as that is.
            log.warning("heartbeat_not_written", exc_info=True)
