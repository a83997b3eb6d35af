"""The table [drills] of an application's TOML. Cron expressions are checked by whoever keeps the schedule."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from failover.model.drills import DAY_MINUTES, Drills, Window

Problem = Callable[[str, str, object], None]  # key, what is allowed, what stands there

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = {
    "schedule", "rehearsal_schedule", "time_zone", "blocked", "blocking_alarms", "aborting_alarms", "target_seconds",
    "stay_seconds",
}  # fmt: skip
MOST_SECONDS = {"target_seconds": 86_400, "stay_seconds": 3600}
WINDOW = re.compile(r"(?P<days>[a-z]{3,5}(?:[-,][a-z]{3})*) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)", re.IGNORECASE)
WINDOWS = 'a list of windows such as "Mon-Fri 08:00-18:00", "Sat,Sun 00:00-24:00" or "daily 22:00-06:00"'


def read(table: dict[str, Any], problem: Problem) -> Drills:
    """The table as values; what is wrong is told to `problem`, and takes its default."""
    values: dict[str, Any] = {}
    for key in ("schedule", "rehearsal_schedule"):
        values[key] = _text(table, key, "a cron expression such as '30 3 * * 2', or empty", problem)
    values["time_zone"] = _zone(table, problem)
    values["blocked"] = tuple(_windows(table, problem))
    for key in ("blocking_alarms", "aborting_alarms"):
        values[key] = _names(table, key, problem)
    for key, most in MOST_SECONDS.items():
        values[key] = _seconds(table, key, most, problem)
    return Drills(**values)


def _text(table: dict[str, Any], key: str, allowed: str, problem: Problem) -> str:
    found = table.get(key, "")
    if _is_text(found):
        return str(found).strip()
    problem(f"drills.{key}", allowed, found)
    return ""


def _is_text(value: Any) -> bool:
    """As in failover.config: a database may take no control character."""
    return isinstance(value, str) and not any(ord(each) < 32 or ord(each) == 127 for each in value)


def _zone(table: dict[str, Any], problem: Problem) -> str:
    found = table.get("time_zone", Drills.time_zone)
    try:
        return ZoneInfo(found).key
    except (OSError, ValueError, TypeError, LookupError):  # ZoneInfoNotFoundError is a KeyError
        problem("drills.time_zone", 'a time zone\'s name such as "UTC" or "America/Sao_Paulo"', found)
    return Drills.time_zone


def _names(table: dict[str, Any], key: str, problem: Problem) -> tuple[str, ...]:
    found = table.get(key, [])
    if isinstance(found, list) and all(_is_text(name) and name for name in found):
        return tuple(found)
    problem(f"drills.{key}", "a list of alarm names", found)
    return ()


def _seconds(table: dict[str, Any], key: str, most: int, problem: Problem) -> float:
    default: float = getattr(Drills, key)
    found = table.get(key, default)
    if isinstance(found, (int, float)) and not isinstance(found, bool) and 0 <= found <= most:
        return found
    problem(f"drills.{key}", f"a number from 0 to {most}", found)
    return default


# ---- windows ----


def _windows(table: dict[str, Any], problem: Problem) -> list[Window]:
    found = table.get("blocked", [])
    windows = [_window(text) for text in found] if isinstance(found, list) else [None]
    if None in windows:
        problem("drills.blocked", WINDOWS, found)
    return [window for window in windows if window is not None]


def _window(text: Any) -> Window | None:
    match = WINDOW.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    days, start, end = _days(match["days"].lower()), _minutes(match["start"]), _minutes(match["end"])
    if not days or start is None or end is None or start in (DAY_MINUTES, end):
        return None
    return Window(text.strip(), days, start, end if end > start else end + DAY_MINUTES)


def _days(text: str) -> frozenset[int]:
    """Weekdays by number; none where a word of it is no weekday."""
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            return frozenset()
        begin, until = DAYS.index(first), DAYS.index(last or first)
        found |= {number % 7 for number in range(begin, until + (1 if until >= begin else 8))}
    return frozenset(found)


def _minutes(text: str) -> int | None:
    hours, minutes = map(int, text.split(":"))
    whole = 60 * hours + minutes
    return whole if minutes < 60 and whole <= DAY_MINUTES else None
