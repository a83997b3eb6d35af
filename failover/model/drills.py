"""When an application is drilled, when it must not be, and what a drill is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Window:
    """A time of day on some weekdays (0 is Monday), in minutes since midnight; `end` may lie on the next day.

    `text` is as people wrote it.
    """

    text: str
    days: frozenset[int]
    start: int
    end: int

    def covers(self, local: datetime) -> bool:
        minute = 60 * local.hour + local.minute
        today = local.weekday() in self.days and self.start <= minute < self.end
        yesterday = (local.weekday() - 1) % 7 in self.days and self.start <= minute + DAY_MINUTES < self.end
        return today or yesterday


@dataclass(frozen=True)
class Drills:
    """Schedules are cron expressions in `time_zone`, "" for never. An alarm of `blocking_alarms` in ALARM keeps a drill
    from starting, one of `aborting_alarms` ends it. `target_seconds` 0 is no target.
    """

    schedule: str = ""
    rehearsal_schedule: str = ""
    time_zone: str = "UTC"
    blocked: tuple[Window, ...] = ()
    blocking_alarms: tuple[str, ...] = ()
    aborting_alarms: tuple[str, ...] = ()
    target_seconds: float = 300
    stay_seconds: float = 60

    def blocked_by(self, at: datetime, seconds: float = 0) -> Window | None:
        """The first window that covers any minute from `at` until so many seconds later."""
        local = at.astimezone(ZoneInfo(self.time_zone))
        minutes = (local + timedelta(minutes=number) for number in range(1 + int(seconds // 60)))
        return next((window for moment in minutes for window in self.blocked if window.covers(moment)), None)
