"""Cron expressions: what they may be, and when they are due. No database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from failover.model.drills import Drills

SHORTEST = timedelta(hours=1)  # between two of one kind
LOOKED_AT = 50  # due times that are compared
LONGEST = 120  # characters


def due_after(expression: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """The due times after a moment, in UTC. Raises CronSimError where the expression is none."""
    for due in CronSim(expression, after.astimezone(ZoneInfo(time_zone))):
        yield due.astimezone(UTC)


def problems(drills: Drills, source: str, now: datetime) -> list[str]:
    """A sentence for each schedule of an application's TOML that can't be followed."""
    given = {"drills.schedule": drills.schedule, "drills.rehearsal_schedule": drills.rehearsal_schedule}
    found = ((key, _problem(expression, drills.time_zone, now)) for key, expression in given.items() if expression)
    return [f"{source}: {key} {problem}" for key, problem in found if problem]


def _problem(expression: str, time_zone: str, now: datetime) -> str:
    if len(expression) > LONGEST:
        return f"must be a cron expression of at most {LONGEST} characters."
    try:
        due = list(islice(due_after(expression, time_zone, now), LOOKED_AT))
    except CronSimError as error:
        said = f"must be a cron expression of five fields such as '30 3 * * 2', not {expression!r}"
        return f"{said}: {str(error).rstrip('.') or 'it is none'}."
    if any(later - earlier < SHORTEST for earlier, later in pairwise(due)):
        return f"must be due once an hour at most; {expression!r} is due more often."
    return ""
