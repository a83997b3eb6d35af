"""Delivering, on a queue of its own: a target that does not answer holds up nothing but other targets."""

from __future__ import annotations

from django.utils import timezone

from panel import dispatch
from panel.celery import app
from panel.notify import delivering
from panel.notify.outbox import DELIVER_TASK

SOFT_SECONDS, HARD_SECONDS = 10, 15


@app.task(name=DELIVER_TASK, soft_time_limit=SOFT_SECONDS, time_limit=HARD_SECONDS)  # type: ignore[untyped-decorator]
def deliver(target_id: int) -> None:
    delivering.deliver(target_id)


@app.task(name="notify.sweep")  # type: ignore[untyped-decorator]  # celery has no types
def sweep() -> None:
    """Wake every target that something waits for: new, to be tried again, or left behind by a worker that died."""
    for pk in delivering.due_targets(timezone.now()):
        dispatch.wake(DELIVER_TASK, pk)


@app.task(name="notify.forget_old")  # type: ignore[untyped-decorator]
def forget_old() -> None:
    delivering.forget_old(timezone.now())
