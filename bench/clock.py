"""The time of day as the panel's code reads it: `time.time` and Django's `timezone.now`. Nothing else is moved."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.utils import timezone

right_time = time.time


def set_by(now: Callable[[], float]) -> None:
    """Have `now` (epoch seconds) tell the time. To be called before anything of the panel's is imported: a default
    argument keeps the function that it was given.
    """

    def moment() -> datetime:
        return datetime.fromtimestamp(now(), UTC)

    time.time = now
    timezone.now = moment
