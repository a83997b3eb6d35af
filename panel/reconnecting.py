"""A worker that lost its broker notices it even when all its hands were full.

A task that ends while the broker is away can't be acknowledged, and kombu goes on counting it as delivered. Where as
many are lost as a worker may hold, it asks for no more; without a question on its way there is no socket that could
break, and it would wait for ever beside a broker that is back. What was not acknowledged is delivered again.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery.worker import state

from panel.repeating import Repeating

log = structlog.get_logger(__name__)


def is_stuck(consumer: Any) -> bool:
    """Whether it may ask for nothing more although it does nothing."""
    tasks = consumer.task_consumer
    idle = not (state.reserved_requests or state.active_requests)
    return bool(idle and tasks is not None and not tasks.channel.qos.can_consume())


class Reconnecting(Repeating):
    def act(self, consumer: Any) -> None:
        if is_stuck(consumer):
            log.warning("worker_reconnects", because="tasks that ended while the broker was away hold every place")
            raise ConnectionResetError("The broker was away.")
