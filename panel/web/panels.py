"""The smaller charts under the big one, on the same axis: requests, failures, tasks, and how long requests take."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from failover.model import Metrics, Series
from panel.fleet.snapshots import peaks
from panel.words import gettext_lazy

WIDTH = 1000
MOST_POINTS = 240
SEEN_SECONDS = 60  # how often tasks are kept, however often CloudWatch is read
GAP, HEIGHT = 26, 46  # pixels: room for a title, and a plot


@dataclass(frozen=True)
class Frame:
    """What a plot shows: from `start` to `end` (epoch seconds), from 0 to `top`, so many pixels high."""

    start: float
    end: float
    top: float
    height: float


@dataclass(frozen=True)
class Drawn:
    """One series: `kind` is its class, `points` its stretches without a gap."""

    kind: str
    label: str
    points: tuple[str, ...]
    now: float | None


@dataclass(frozen=True)
class Panel:
    """`above` is where its plot begins, in pixels from the chart's top; `top` the value of its upper edge."""

    title: str
    above: int
    top: float
    drawn: tuple[Drawn, ...]

    height = HEIGHT

    @property
    def foot(self) -> int:
        return self.above + HEIGHT

    @property
    def label_at(self) -> int:
        return self.above - 7


# Title, whether it counts (shown a minute), and its series with their kinds.
SHOWN = (
    (
        gettext_lazy("Requests a minute"),
        True,
        (("lambda", "lambda_requests", "Lambda"), ("ecs", "ecs_requests", "ECS")),
    ),
    (
        gettext_lazy("Failed a minute"),
        True,
        (
            ("lambda", "lambda_5xx", "Lambda"),
            ("ecs", "ecs_5xx", "ECS"),
            ("bad", "throttles", gettext_lazy("throttled")),
        ),
    ),
    (
        gettext_lazy("Tasks"),
        False,
        (("none", "desired", gettext_lazy("desired")), ("ecs", "healthy", gettext_lazy("healthy"))),
    ),
    (
        gettext_lazy("Seconds, slowest 5 %"),
        False,
        (("lambda", "lambda_seconds", "Lambda"), ("ecs", "ecs_seconds", "ECS")),
    ),
)


def panels(metrics: Metrics, start: float, end: float, above: int) -> tuple[Panel, ...]:
    """One below the other, from so many pixels on; a panel without data keeps its place."""
    return tuple(
        _panel(
            title,
            _series(metrics, names, start, counts=counts),
            metrics.period if counts else max(metrics.period, SEEN_SECONDS),
            start,
            end,
            above + GAP + each,
        )
        for (title, counts, names), each in zip(SHOWN, range(0, len(SHOWN) * (GAP + HEIGHT), GAP + HEIGHT), strict=True)
    )


def _series(
    metrics: Metrics, names: tuple[tuple[str, str, str], ...], start: float, *, counts: bool
) -> list[tuple[str, str, Series]]:
    by = 60 / metrics.period if counts else 1.0
    return [
        (kind, label, tuple((at, value * by) for at, value in metrics.points(name, start)))
        for kind, name, label in names
    ]


def _panel(
    title: str, series: list[tuple[str, str, Series]], period: int, start: float, end: float, above: int
) -> Panel:
    highest = max((value for _, _, points in series for _, value in points), default=0.0)
    _, top = scale(highest) if highest > 0 else (1.0, 1.0)
    frame = Frame(start, end, top, HEIGHT)
    drawn = tuple(
        Drawn(kind, label, tuple(polylines(points, period, frame)), points[-1][1] if points else None)
        for kind, label, points in series
    )
    return Panel(title, above, top, drawn)


def polylines(points: Series, period: int, frame: Frame) -> list[str]:
    """The series as lines, cut where periods are missing: nothing was published there, so nothing is drawn."""
    size = ceil(len(points) / MOST_POINTS) or 1
    few = peaks(points, MOST_POINTS)
    cuts = [i for i, (left, right) in enumerate(pairwise(few), 1) if right[0] - left[0] > 1.5 * period * size]
    edges = [0, *cuts, len(few)]
    return [polyline(few[left:right], frame) for left, right in pairwise(edges) if right > left]


def polyline(points: Series, frame: Frame) -> str:
    span = (frame.end - frame.start) or 1.0
    return " ".join(
        # What is so now is younger than the newest metric, where the time axis ends.
        f"{WIDTH * (min(at, frame.end) - frame.start) / span:.1f},{frame.height - frame.height * value / frame.top:.1f}"
        for at, value in points
    )


def scale(highest: float) -> tuple[float, float]:
    """A round step and a round top with three to five steps below it, and air above the highest value."""
    rough = highest * 1.1 / 4
    power = 10 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return step, step * ceil(highest * 1.1 / step)
