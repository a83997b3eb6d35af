"""Processing stored events, and finding those whose wake-up was lost."""

from __future__ import annotations

from django.utils import timezone

from panel import dispatch
from panel.celery import app
from panel.ingest import retention
from panel.ingest.inbox import PROCESS_TASK
from panel.ingest.models import Event
from panel.ingest.processing import LOST_AFTER, process_waiting


@app.task(name=PROCESS_TASK)  # type: ignore[untyped-decorator]  # celery has no types
def process(application_id: int) -> None:
    process_waiting(application_id)


@app.task(name="ingest.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Wake the applications for which events were stored a while ago and still wait."""
    waiting = Event.objects.filter(status=Event.Status.STORED, received_at__lt=timezone.now() - LOST_AFTER)
    for application_id in waiting.order_by().values_list("applications", flat=True).distinct():
        dispatch.wake(PROCESS_TASK, application_id)


@app.task(name="ingest.forget_old")  # type: ignore[untyped-decorator]
def forget_old() -> None:
    retention.forget_old(timezone.now())
