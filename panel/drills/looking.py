"""Who looks at a drill: one worker at a time, and none for a while where its account is slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from panel.celery import TASK_SECONDS
from panel.drills.models import Drill
from panel.fleet import observation
from panel.fleet.models import Application


@contextmanager
def looking(drill_id: int) -> Iterator[bool]:
    """Whether it is for us to look: one worker at a time does, and an account that is slow is left alone for a while.

    Looks come faster than a silent AWS lets them end: all of the observer's threads would wait for one account.
    """
    began = timezone.now()
    until = began + timedelta(seconds=TASK_SECONDS)
    free = Q(looking_until=None) | Q(looking_until__lt=began)
    ours = not _account_is_slow(drill_id, began) and bool(
        Drill.objects.filter(free, pk=drill_id, state__in=Drill.ACTIVE).update(looking_until=until)
    )
    try:
        yield ours
    finally:
        if ours:
            held = Drill.objects.filter(pk=drill_id, looking_until=until)
            held.update(looking_until=observation.rested(began, timezone.now()))


def _account_is_slow(drill_id: int, now: datetime) -> bool:
    """Whether a look at another drill of the same account and region takes long, or rests because it did."""
    near = Application.every.filter(drills=drill_id).values("account", "region")[:1]
    others = Drill.objects.filter(
        application__account=near.values("account"), application__region=near.values("region"), state__in=Drill.ACTIVE
    ).exclude(pk=drill_id)
    # One that was claimed within the last seconds lasts longer than this: it may still be a quick one.
    long_claimed = now + timedelta(seconds=TASK_SECONDS - observation.SLOW_SECONDS)
    return others.filter(looking_until__gt=now, looking_until__lt=long_claimed).exists()
