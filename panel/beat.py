"""Beat's schedule, in memory, with a sign of life and a lease: of several beats one works, the others stand by."""

from __future__ import annotations

import os
import socket
import time
from typing import Any
from uuid import uuid4

import structlog
from celery.beat import Scheduler as InMemory
from django.conf import settings
from django.db import Error, close_old_connections

from panel import alive, dispatch
from panel.fleet import heartbeats
from panel.fleet.heartbeats import Holding
from panel.notify import health
from panel.watch import dead_man

SHOW_EVERY = 3.0
log = structlog.get_logger(__name__)


class Scheduler(InMemory):  # type: ignore[misc]  # celery has no types
    """Celery's scheduler without a file. It ticks while it holds the lease, and shows that it does.

    Two at once, for the seconds until one of them looks, do no harm: what a tick sends expires and finds work done.
    """

    _looked_at = 0.0
    _mine = False
    _told = ""
    _health = health.Watch()

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex[:8]}"
        super().__init__(*args, **kwargs)

    def tick(self, *args: object, **kwargs: object) -> float:
        if time.monotonic() - self._looked_at >= SHOW_EVERY:
            self._look()
        if not self._mine:
            return 1.0
        wait: float = super().tick(*args, **kwargs)
        return wait

    producer = None  # Celery's own would wait for a broker that is away, and beat would fall silent with it

    def apply_async(self, entry: Any, **_: object) -> None:
        dispatch.tick(entry.task, entry.options.get("expires", dispatch.WORTHLESS_AFTER))

    def close(self) -> None:
        super().close()
        try:
            heartbeats.release(heartbeats.BEAT, self.holder)
        except Error:
            log.warning("beat_lease_not_given_back", exc_info=True)

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        alive.show(settings.PANEL_ALIVE_PATH)
        close_old_connections()
        try:
            held = heartbeats.hold(heartbeats.BEAT, self.holder)
            if held.mine:
                dead_man.turn()
                self._health.look()
        except Error:
            # Without a database nothing else works either; a beat that worked goes on so that it is back as soon as
            # that is, and one that stood by stands by.
            log.warning("heartbeat_not_written", exc_info=True)
            return
        self._mine = held.mine
        self._tell(held)

    def _tell(self, held: Holding) -> None:
        """Once for each change of who works."""
        if held.holder == self._told:
            return
        self._told = held.holder
        if held.mine:
            log.info("beat_works", holder=held.holder)
            return
        silent = f"{heartbeats.LEASE_SECONDS:.0f} s after that one was last seen"
        reason = f"Another beat ({held.holder}) works. This one takes over {silent}; end one of the two."
        log.warning("beat_stands_by", holder=held.holder, reason=reason)
