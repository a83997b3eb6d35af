"""``python -m bench.capacity``: what a panel for so many applications takes, by figures that were measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from bench.hundred import CPU_SECONDS, LATENCY_SECONDS

# `make bench BENCH=sweep`, on two shared cores.
CALLS_EACH = 0.24  # of a sweep, an application in an account of fifty, in the dearest one
SWEEP_CPU_SECONDS = 0.0075  # an application and sweep, most of it JSON
EACH_ACCOUNT = 50
BUSY = 0.75  # how much of an interpreter or thread may be in use before what is due waits

AT_ONCE = 0.1  # of the applications, in the worst incident that is planned for
LOOK_SECONDS = 2.0  # between two steps of an operation that waits
STEP_CALLS = 4

# panel.fleet.history: rows by the seconds that they stand for, and the days that they are kept.
SAMPLES = ((60, 2), (300, 30), (3600, 400))
SAMPLE_BYTES = 260  # a row and its four indexes, by the widths of its columns
SNAPSHOT_BYTES = 20_000  # a body and its brief, before compression
OPERATIONS_A_DAY, OPERATION_BYTES = 0.2, 12_000  # an application: with its journal and events
WEB_PROCESSES, LIVE_VIEWERS = 2, 200  # what `panel.commands` starts, and what one live process was measured with

SIZES = ((1000, 5.0), (10_000, 5.0), (10_000, 15.0), (100_000, 30.0))


@dataclass(frozen=True)
class Needs:
    """Of so many applications in accounts of fifty, each looked at every so many seconds."""

    applications: int
    every: float

    @property
    def observing(self) -> int:
        """Processes: what a sweep computes, one interpreter at a time."""
        return ceil(self.applications * SWEEP_CPU_SECONDS / self.every / BUSY)

    @property
    def calls_a_second(self) -> float:
        """Of one account, whose limits don't grow with the fleet."""
        return EACH_ACCOUNT * CALLS_EACH / self.every

    @property
    def operations(self) -> int:
        return ceil(self.applications * AT_ONCE)

    @property
    def stepping(self) -> int:
        return ceil(self.operations * CPU_SECONDS / LOOK_SECONDS / BUSY)

    @property
    def stepping_threads(self) -> int:
        """In all of them together."""
        return ceil(self.operations * (STEP_CALLS * LATENCY_SECONDS + CPU_SECONDS) / LOOK_SECONDS / BUSY)

    @property
    def rows_a_day(self) -> int:
        """Samples; those of a minute are most of what is written."""
        return self.applications * sum(86_400 // seconds for seconds, _ in SAMPLES)

    @property
    def gigabytes(self) -> float:
        """After a year and more, with everything that is kept."""
        samples = sum(86_400 // seconds * days for seconds, days in SAMPLES) * SAMPLE_BYTES
        operations = 365 * OPERATIONS_A_DAY * OPERATION_BYTES
        return self.applications * (samples + operations + SNAPSHOT_BYTES) / 1e9

    @property
    def snapshots_a_second(self) -> float:
        return self.applications / self.every

    @property
    def megabytes_a_second(self) -> float:
        """Of snapshots that are written, before PostgreSQL compresses them."""
        return self.snapshots_a_second * SNAPSHOT_BYTES / 1e6


def markdown() -> str:
    """The table of docs/scale.md."""
    needs = [Needs(*size) for size in SIZES]
    lines = [
        "| | " + " | ".join(f"{each.applications:,}, every {each.every:g} s" for each in needs) + " |",
        "|---|" + "--:|" * len(needs),
        *(f"| {name} | " + " | ".join(values) + " |" for name, values in _rows(needs)),
    ]
    return "\n".join(lines)


def _rows(needs: list[Needs]) -> Iterator[tuple[str, list[str]]]:
    yield "accounts of fifty", [f"{each.applications // EACH_ACCOUNT:,}" for each in needs]
    yield "AWS calls a second in each account, at most", [f"{each.calls_a_second:.1f}" for each in needs]
    yield "observing processes", [f"{each.observing:,}" for each in needs]
    yield "operations at once, a tenth of the applications", [f"{each.operations:,}" for each in needs]
    yield "stepping processes", [f"{each.stepping:,}" for each in needs]
    yield "stepping threads, in all of them", [f"{each.stepping_threads:,}" for each in needs]
    yield "samples written a day", [f"{each.rows_a_day / 1e6:,.1f} million" for each in needs]
    yield "snapshots written a second", [f"{each.snapshots_a_second:,.0f}" for each in needs]
    yield "megabytes of snapshots written a second, at most", [f"{each.megabytes_a_second:,.0f}" for each in needs]
    yield "gigabytes in PostgreSQL after 400 days", [f"{each.gigabytes:,.0f}" for each in needs]


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
