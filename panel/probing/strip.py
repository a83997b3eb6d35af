"""An operation's probes as people read them: figures, a strip of ticks by pool, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from failover.probing import OK, Tick
from panel.operations.models import Operation
from panel.probing.models import Burst
from panel.probing.rounds import ticks_of

WIDTH, COLUMNS = 1000, 240
LANE, TALL, SHORT = 26, 20, 12  # pixels: a pool's lane, a failed tick, one that went well
LANES = (("lambda", "Lambda"), ("ecs", "ECS"), ("", "Not known"))
TABLE_ROWS = 60


@dataclass(frozen=True)
class Figures:
    """`failed` counts the `unanswered` ones too, for which nothing came back in time, whoever's fault that is.

    `longest_gap` is the longest time without a good answer in which one failed (seconds); latencies are in
    milliseconds, of the probes that were answered, None where none was.
    """

    sent: int
    failed: int
    unanswered: int
    by_pool: dict[str, tuple[int, int]]
    longest_gap: float
    p50: int | None
    p95: int | None

    @property
    def pools(self) -> list[tuple[str, int, int]]:
        """Name, sent, failed, for people."""
        return [(name, *self.by_pool[pool]) for pool, name in LANES if pool in self.by_pool]


@dataclass(frozen=True)
class Mark:
    """A tick, or several that fall into one column; a failed one is taller, and says so."""

    x: float
    y: float
    height: int
    pool: str
    failed: bool
    says: str


@dataclass(frozen=True)
class Lane:
    pool: str
    name: str
    y: int
    sent: int
    failed: int


@dataclass(frozen=True)
class Row:
    """A few seconds of probes."""

    at: float
    sent: int
    failed: int
    lambda_: int
    ecs: int
    unsigned: int
    slowest: int
    errors: str


@dataclass(frozen=True)
class Strip:
    figures: Figures
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    start: float
    end: float
    problem: str = ""

    @property
    def height(self) -> int:
        return LANE * len(self.lanes)

    @property
    def mark_width(self) -> float:
        """Marks of probes at an even pace leave a gap as wide as themselves."""
        return round(WIDTH / 2 / max(40, min(COLUMNS, self.figures.sent)), 1)


def figures(ticks: Sequence[Tick]) -> Figures:
    answered = sorted(tick.milliseconds for tick in ticks if tick.status)
    pools = sorted({tick.pool for tick in ticks})
    by_pool = {pool: [tick.failed for tick in ticks if tick.pool == pool] for pool in pools}
    return Figures(
        sent=len(ticks),
        failed=sum(tick.failed for tick in ticks),
        unanswered=sum(tick.failed and not tick.status for tick in ticks),
        by_pool={pool: (len(failed), sum(failed)) for pool, failed in by_pool.items()},
        longest_gap=_longest_gap(ticks),
        p50=_percentile(answered, 50),
        p95=_percentile(answered, 95),
    )


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None


def _longest_gap(ticks: Sequence[Tick]) -> float:
    """From the last good answer to the next, or as far as was probed."""
    longest, good, failing = 0.0, ticks[0].at if ticks else 0.0, False
    for tick in ticks:
        failing = failing or tick.failed
        if failing:
            longest = max(longest, tick.at - good)
        if not tick.failed:
            good, failing = tick.at, False
    return round(longest, 1)


def summary(operation: Operation) -> Figures | None:
    """None where nothing was probed."""
    ticks = _ticks(list(operation.bursts.all()))
    return figures(ticks) if ticks else None


def _ticks(bursts: Sequence[Burst]) -> list[Tick]:
    return sorted((tick for burst in bursts for tick in ticks_of(burst)), key=lambda tick: tick.at)


def strip(operation: Operation) -> Strip | None:
    """None where the operation has no probes, and no reason why."""
    bursts = list(operation.bursts.all())
    ticks = _ticks(bursts)
    problem = next((burst.problem for burst in reversed(bursts) if burst.problem), "")
    if not ticks:
        return Strip(figures(()), (), (), (), 0, 0, problem) if problem else None
    found = figures(ticks)
    start, end = ticks[0].at, max(ticks[-1].at, ticks[0].at + 1)
    lanes = tuple(
        Lane(pool, name, number * LANE, *found.by_pool.get(pool, (0, 0)))
        for number, (pool, name) in enumerate(each for each in LANES if each[0] or each[0] in found.by_pool)
    )
    rows = tuple(_row(burst) for burst in reversed(bursts) if burst.ticks)[:TABLE_ROWS]
    return Strip(found, _marks(ticks, lanes, start, end), lanes, rows, start, end, problem)


def _marks(ticks: Sequence[Tick], lanes: Sequence[Lane], start: float, end: float) -> tuple[Mark, ...]:
    top = {lane.pool: lane.y for lane in lanes}

    columns = min(COLUMNS, len(ticks) - 1) or 1  # fewer than there are probes would make an even pace look uneven

    def place(tick: Tick) -> tuple[str, int]:
        return tick.pool, round(columns * (tick.at - start) / (end - start))

    found = []
    for (pool, column), group in groupby(sorted(ticks, key=place), key=place):
        own = list(group)
        failed = [tick for tick in own if tick.failed]
        height = TALL if failed else SHORT
        y = top[pool] + (LANE - height) / 2
        x = round((WIDTH - WIDTH / 80) * column / columns, 1)
        found.append(Mark(x, y, height, pool or "none", bool(failed), _says(own, failed)))
    return tuple(found)


def _says(ticks: Sequence[Tick], failed: Sequence[Tick]) -> str:
    if not failed:
        return f"{len(ticks)} answered well, the slowest in {max(tick.milliseconds for tick in ticks)} ms"
    return f"{len(failed)} of {len(ticks)} failed: {_words(failed)}"


def _words(failed: Sequence[Tick]) -> str:
    return ", ".join(sorted({str(tick.status) if tick.status else tick.outcome for tick in failed}))


def _row(burst: Burst) -> Row:
    ticks = ticks_of(burst)
    count = {pool: sum(tick.pool == pool for tick in ticks) for pool, _ in LANES}
    failed = [tick for tick in ticks if tick.outcome != OK]
    slowest = max(tick.milliseconds for tick in ticks)
    at = burst.at.timestamp()
    return Row(at, len(ticks), len(failed), count["lambda"], count["ecs"], count[""], slowest, _words(failed))
