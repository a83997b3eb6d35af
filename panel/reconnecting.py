"""A worker that lost its broker notices it even when all its hands were full.

A task that ends while the broker is away can't be acknowledged, and kombu goes on counting it as delivered. Where as
many are lost as a worker may hold, it asks for no more; without a question on its way there is no socket that could
break, and it would wait for ever beside a broker that is back. What was not acknowledged is delivered again.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state

CHECK_SECONDS = 5.0

log = structlog.get_logger(__name__)


def is_stuck(consumer: Any) -> bool:
    """Whether it may ask for nothing more although it does nothing."""
    tasks = consumer.task_consumer
    idle = not (state.reserved_requests or state.active_requests)
    return bool(idle and tasks is not None and not tasks.channel.qos.can_consume())


class Reconnecting(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **given: Any) -> None:
        super().__init__(parent, **given)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        self._timer = parent.timer.call_repeatedly(CHECK_SECONDS, _reconnect_if_stuck, (parent,))

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - as celery calls it
        if self._timer is not None:
            self._timer.cancel()


def _reconnect_if_stuck(consumer: Any) -> None:
    if is_stuck(consumer):
        log.warning("worker_reconnects", because="tasks that ended while the broker was away hold every place")
        raise ConnectionResetError("The broker was away.")
