"""Every few seconds a worker asks itself for a sign of life on each of its queues.

Celery's own heartbeat, an event for monitors that nobody runs here, is switched off: each would be a message to all.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from panel import dispatch, queues
from panel.fleet import heartbeats

SECONDS = 5.0


class Showing(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **given: Any) -> None:
        super().__init__(parent, **given)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        _ask(parent)
        self._timer = parent.timer.call_repeatedly(SECONDS, _ask, (parent,))

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - as celery calls it
        if self._timer is not None:
            self._timer.cancel()


def _ask(consumer: Any) -> None:
    for queue in consumer.app.amqp.queues.consume_from:
        if queue in heartbeats.QUEUES:
            dispatch.wake(queues.HEARTBEAT_TASK, queue)
