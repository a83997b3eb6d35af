"""Every few seconds a worker asks itself for a sign of life on each of its queues.

Celery's own heartbeat, an event for monitors that nobody runs here, is switched off: each would be a message to all.
"""

from __future__ import annotations

from typing import Any

from panel import dispatch, queues
from panel.fleet import heartbeats
from panel.repeating import Repeating


class Showing(Repeating):
    def start(self, parent: Any) -> None:
        self.act(parent)
        super().start(parent)

    def act(self, consumer: Any) -> None:
        for queue in consumer.app.amqp.queues.consume_from:
            if queue in heartbeats.QUEUES:
                dispatch.wake(queues.HEARTBEAT_TASK, queue)
