"""Drills under way are looked at every few seconds; schedules a few times a minute."""

from __future__ import annotations

from django.utils import timezone

from panel import dispatch
from panel.celery import app
from panel.drills import advancing, schedules
from panel.drills.models import Drill
from panel.drills.services import ADVANCE_TASK


@app.task(name=ADVANCE_TASK)  # type: ignore[untyped-decorator]  # celery has no types
def advance(drill_id: int) -> None:
    advancing.advance(drill_id)


@app.task(name="drills.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """What is under way comes first: no schedule's trouble leaves a drill on ECS."""
    go_on()
    schedules.follow(timezone.now())


def go_on() -> None:
    """Have every drill under way looked at."""
    for pk in Drill.objects.filter(state__in=Drill.ACTIVE).values_list("pk", flat=True):
        dispatch.wake(ADVANCE_TASK, pk)
