"""Reports of benchmarks over time, and what got worse since the last one that the repository stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import Figure, read, shown

DIRECTORY = Path(__file__).parent / "history"
TOLERATED_PERCENT = 20.0


def newest(directory: Path) -> Path | None:
    """The newest stored report: they are named by date."""
    return max(directory.glob("*.json"), default=None)


def load(path: Path) -> dict[str, list[Figure]]:
    """The figures of a report by benchmark."""
    results: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {name: [read(each) for each in figures] for name, figures in results.items()}


def worse(before: dict[str, list[Figure]], now: dict[str, list[Figure]]) -> Iterator[str]:
    """A sentence for each figure that got worse by more than is tolerated, or is no longer measured."""
    for benchmark in before.keys() & now.keys():
        current = {(each.of, each.name): each for each in now[benchmark]}
        for old in before[benchmark]:
            name = ": ".join(filter(None, (benchmark, old.of, old.name)))
            new = current.get((old.of, old.name))
            if old.value is not None and old.better and (new is None or new.value is None):
                yield f"{name} was {shown(old.value)} and is not measured any more."
            elif new is not None and _got_worse(old, new):
                yield f"{name} was {shown(old.value)} {old.unit}".rstrip() + f" and is {shown(new.value)}."


def _got_worse(old: Figure, new: Figure) -> bool:
    if old.value is None or new.value is None:
        return False
    factor = 1 + TOLERATED_PERCENT / 100
    if old.better == "lower":
        return new.value > old.value * factor
    return old.better == "higher" and new.value < old.value / factor
