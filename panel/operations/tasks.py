"""Stepping operations, and finding what time alone has changed: lost wake-ups, holds that ran out."""

from __future__ import annotations

from django.utils import timezone

from panel import dispatch
from panel.celery import app
from panel.operations.journal import unheld
from panel.operations.models import Operation
from panel.operations.services import STEP_TASK, expire_holds
from panel.operations.stepping import step_operation


@app.task(name=STEP_TASK)  # type: ignore[untyped-decorator]  # celery has no types
def step(operation_id: int) -> None:
    step_operation(operation_id)


@app.task(name="operations.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Wake everything due that nobody holds: new, waited long enough, or left behind by a worker that died. And record
    which holds have run out.
    """
    now = timezone.now()
    due = Operation.objects.filter(unheld(now), status__in=Operation.ACTIVE, next_step_at__lte=now)
    for pk in due.values_list("pk", flat=True):
        dispatch.wake(STEP_TASK, pk)
    expire_holds()
