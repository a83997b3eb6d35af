"""Processing stored events, and finding those whose wake-up was lost."""

from __future__ import annotations

from django.utils import timezone

from panel import dispatch
from panel.celery import app
from panel.ingest.inbox import PROCESS_TASK
from panel.ingest.models import Event
from panel.ingest.processing import LOST_AFTER, process

MOST_AT_ONCE = 200


@app.task(name=PROCESS_TASK)  # type: ignore[untyped-decorator]  # celery has no types
def process_one(event_pk: int) -> None:
    process(event_pk)


@app.task(name="ingest.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Wake the oldest events that were stored a while ago and still wait."""
    waiting = Event.objects.filter(status=Event.Status.STORED, received_at__lt=timezone.now() - LOST_AFTER)
    for pk in waiting.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE]:
        dispatch.wake(PROCESS_TASK, pk)
