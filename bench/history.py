"""Reports of benchmarks over time, and what got worse since the last one that the repository stores.

Seconds, rates and memory depend on the machine, and are compared on one of the same kind alone. Counts and ratios are
compared everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, read, shown

DIRECTORY = Path(__file__).parent / "history"
TOLERATED_PERCENT = 20.0
SAME = ("cores", "processor")  # of a machine: what makes two of them one kind
OF_MACHINES = frozenset({"s", "ms", "h", "/s", "%", "MB"})  # units of what a faster machine does better


@dataclass(frozen=True)
class Stored:
    """A report: its figures by benchmark, and what they were measured on."""

    results: Mapping[str, list[Figure]]
    machine: Mapping[str, Any]

    @property
    def machine_named(self) -> str:
        return " ".join([f"{self.machine.get('cores', '?')} cores of", str(self.machine.get("processor", "unknown"))])


@dataclass(frozen=True)
class Compared:
    """Sentences about what got worse and what is gone, names of what is new, and how many figures were compared."""

    alike: bool
    figures: int
    worse: list[str]
    gone: list[str]
    new: list[str]


def newest(directory: Path) -> Path | None:
    """The newest stored report: they are named by date."""
    return max(directory.glob("*.json"), default=None)


def load(path: Path) -> Stored:
    report = json.loads(path.read_text(encoding="utf-8"))
    results = {name: [read(each) for each in figures] for name, figures in report["results"].items()}
    return Stored(results, report.get("machine", {}))


def compared(before: Stored, now: Stored) -> Compared:
    """Of the benchmarks that both reports have. One that was not run this time is no news."""
    alike = all(before.machine.get(key) == now.machine.get(key) for key in SAME)
    old, new = _by_name(before, now.results), _by_name(now, before.results)
    both = [name for name in old if _measured(old, name) and _measured(new, name)]
    comparable = [name for name in both if old[name].better and (alike or not depends_on_machine(old[name]))]
    return Compared(
        alike=alike,
        figures=len(comparable),
        worse=[sentence for name in comparable for sentence in _worse(name, old[name], new[name])],
        gone=[
            f"{name} was {shown(old[name].value)} and is not measured any more."
            for name in old
            if old[name].better and _measured(old, name) and not _measured(new, name)
        ],
        new=[name for name in new if _measured(new, name) and not _measured(old, name)]
        + [f"all of {benchmark}" for benchmark in now.results if benchmark not in before.results],
    )


def depends_on_machine(figure: Figure) -> bool:
    """Whether it is seconds, a rate or memory, and no count or ratio."""
    return figure.unit in OF_MACHINES


def _by_name(report: Stored, also: Mapping[str, list[Figure]]) -> dict[str, Figure]:
    """By "benchmark: column: name"; benchmarks that the other report lacks are left out."""
    return {
        ": ".join(filter(None, (benchmark, figure.of, figure.name))): figure
        for benchmark, figures in report.results.items()
        if benchmark in also
        for figure in figures
    }


def _measured(figures: Mapping[str, Figure], name: str) -> bool:
    return name in figures and figures[name].value is not None


def _worse(name: str, old: Figure, new: Figure) -> Iterator[str]:
    if _got_worse(old, new):
        yield f"{name} was {shown(old.value)} {old.unit}".rstrip() + f" and is {shown(new.value)}."


def _got_worse(old: Figure, new: Figure) -> bool:
    if old.value is None or new.value is None:
        return False
    factor = 1 + TOLERATED_PERCENT / 100
    if old.better == "lower":
        return new.value > old.value * factor
    return old.better == "higher" and new.value < old.value / factor
