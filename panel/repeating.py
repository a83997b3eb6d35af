"""A step of a worker's consumer that does something every few seconds, for as long as the broker is there."""

from __future__ import annotations

from typing import Any, ClassVar

from celery import bootsteps


class Repeating(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Subclasses say what, in `act`, and how often."""

    seconds: ClassVar[float] = 5.0
    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **given: Any) -> None:
        super().__init__(parent, **given)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        self._timer = parent.timer.call_repeatedly(self.seconds, self.act, (parent,))

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - as celery calls it
        if self._timer is not None:
            self._timer.cancel()

    def act(self, consumer: Any) -> None:
        raise NotImplementedError
