"""What may not grow, judged on figures that were taken now and then. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MOST_MORE_MEMORY = 1.10  # of what the process held when it had settled
MOST_MORE_OBJECTS = 1.10
SETTLED_DAYS = 5


@dataclass(frozen=True)
class Figures:
    """At the end of a day: MB of the process, objects that the interpreter follows, what waits, rows by table."""

    day: int
    memory_mb: float
    objects: int
    backlog: Mapping[str, int]
    rows: Mapping[str, int]


def judge(
    figures: Sequence[Figures], bounded: Sequence[str], beyond: Sequence[str], unknown: Sequence[str]
) -> list[str]:
    """Everything that grew and should not have, a sentence each.

    `bounded` names the tables whose rows time does not add to, `beyond` says which rows should be gone, `unknown` names
    tables of which nobody has said what keeps them small.
    """
    return [
        *(f"Nobody has said what keeps {name} from growing: add it to bench/month/tables.py." for name in unknown),
        *_growth(figures),
        *_backlog(figures),
        *_bounded(figures, bounded),
        *beyond,
    ]


def _settled(figures: Sequence[Figures]) -> Figures | None:
    return next((each for each in figures if each.day >= SETTLED_DAYS), None)


def _growth(figures: Sequence[Figures]) -> Iterator[str]:
    first, last = _settled(figures), figures[-1]
    if first is None or first is last:
        yield f"Less than {SETTLED_DAYS} days and one more were seen: nothing can be said about growth."
        return
    if last.memory_mb > first.memory_mb * MOST_MORE_MEMORY:
        yield f"Memory grew from {first.memory_mb:.0f} MB on day {first.day} to {last.memory_mb:.0f} on day {last.day}."
    if last.objects > first.objects * MOST_MORE_OBJECTS:
        yield f"The interpreter follows {last.objects} objects on day {last.day}, and {first.objects} on {first.day}."


def _backlog(figures: Sequence[Figures]) -> Iterator[str]:
    for each in figures:
        for name, count in each.backlog.items():
            if count:
                yield f"On day {each.day} there were {count} {name}."


def _bounded(figures: Sequence[Figures], bounded: Sequence[str]) -> Iterator[str]:
    first, last = _settled(figures), figures[-1]
    for name in bounded if first else ():
        before, after = (each.rows.get(name, 0) for each in (first, last) if each)
        if after > 2 * before + 10:
            yield f"{name} grew from {before} rows to {after}, and has a fixed number of things to keep."
