"""Charts as plain coordinates that templates draw as SVG. Times are epoch seconds, x runs from 0 (oldest) to 1000."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _

from failover.demand import CONCURRENCY_METRIC
from failover.model import Alarm, Metrics, Series, Snapshot
from panel.fleet.snapshots import concurrency_limit, peaks
from panel.operations.models import Operation
from panel.web.panels import WIDTH, Frame, Panel, panels, polyline, polylines, scale
from panel.web.sentences import title
from panel.web.times import duration
from panel.words import gettext_lazy

TOP, PLOT = 20, 150  # pixels: where the plot begins and how tall it is
BAND_TOP, BAND = 188, 14
SPARK_POINTS = 60
TABLE_ROWS = 90
COLUMNS = (
    ("concurrency", gettext_lazy("Concurrency")),
    ("throttles", gettext_lazy("Throttled")),
    ("lambda_requests", gettext_lazy("To Lambda")),
    ("ecs_requests", gettext_lazy("To ECS")),
    ("lambda_5xx", gettext_lazy("Lambda 5xx")),
    ("ecs_5xx", gettext_lazy("ECS 5xx")),
    ("desired", gettext_lazy("Desired")),
    ("healthy", gettext_lazy("Healthy")),
    ("lambda_seconds", gettext_lazy("Lambda s")),
    ("ecs_seconds", gettext_lazy("ECS s")),
)


@dataclass(frozen=True)
class Spark:
    """A small line against its limit, 100 high; `limit_y` is empty where none is known. `label` is for who hears it."""

    line: str
    area: str
    limit_y: str
    words: str
    label: str


@dataclass(frozen=True)
class Label:
    """A text at so many percent of the width, or pixels from the top; `epoch` where it names a time."""

    at: float
    text: str
    epoch: float = 0.0
    anchor: str = "middle"

    @property
    def above(self) -> float:
        return self.at - 4


@dataclass(frozen=True)
class Band:
    """A stretch of the split band, in percent of the width; `ecs` percent of its requests went to ECS."""

    x: float
    width: float
    ecs: int | None

    @property
    def lambda_height(self) -> float:
        return 0.0 if self.ecs is None else (100 - self.ecs) / 100 * BAND

    @property
    def ecs_height(self) -> float:
        return 0.0 if self.ecs is None else self.ecs / 100 * BAND

    @property
    def ecs_y(self) -> float:
        return BAND_TOP + self.lambda_height


@dataclass(frozen=True)
class TableRow:
    """`values` are those of COLUMNS, None where nothing was published."""

    at: float
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Line:
    """A stretch without a gap, and the same closed down to zero."""

    points: str
    area: str


@dataclass(frozen=True)
class Chart:
    """Concurrency with its limits and, under it on the same axis, which pool answered, and the rest in panels."""

    lines: tuple[Line, ...]
    grid: tuple[Label, ...]
    ticks: tuple[Label, ...]
    limit: Label | None
    threshold: Label | None
    bands: tuple[Band, ...]
    marks: tuple[Label, ...]
    rows: tuple[TableRow, ...]
    panels: tuple[Panel, ...]
    start: float
    end: float
    summary: str

    columns = tuple(label for _, label in COLUMNS)

    @property
    def minutes(self) -> int:
        return max(1, round((self.end - self.start) / 60))

    @property
    def foot(self) -> int:
        """Where the plots end, in pixels from the top."""
        return self.panels[-1].foot if self.panels else BAND_TOP + BAND

    @property
    def height(self) -> int:
        return self.foot + 24

    @property
    def span(self) -> str:
        return _("%(minutes)s min") % {"minutes": self.minutes} if self.minutes < 120 else duration(60 * self.minutes)


def threshold_of(alarms: tuple[Alarm, ...] | None) -> float | None:
    found = [a.threshold for a in alarms or () if a.metric == CONCURRENCY_METRIC and a.threshold is not None]
    return min(found, default=None)


def spark(snapshot: Snapshot | None) -> Spark | None:
    """Concurrency as a sparkline, or None where there is nothing to draw."""
    metrics = snapshot.metrics.value if snapshot else None
    points = peaks(metrics.series.get("concurrency", ()) if metrics else (), SPARK_POINTS)
    if snapshot is None or len(points) < 2:
        return None
    limit = concurrency_limit(snapshot.limits.value)
    top = max([value for _, value in points] + [limit or 0.0, 1.0]) * 1.08
    line = polyline(points, Frame(points[0][0], points[-1][0], top, 100))
    area, now = f"0,100 {line} {WIDTH},100", f"{round(points[-1][1], 1):g}"
    if limit is None:
        said = {"now": now}
        return Spark(line, area, "", _("%(now)s at once") % said, _("Lambda concurrency, now %(now)s") % said)
    said = {"now": now, "limit": f"{limit:g}"}
    return Spark(
        line,
        area,
        f"{100 - 100 * limit / top:.1f}",
        _("%(now)s of %(limit)s at once") % said,
        _("Lambda concurrency, now %(now)s, limit %(limit)s") % said,
    )


def chart(
    snapshot: Snapshot | None, operations: tuple[Operation, ...] = (), *, since: float | None = None
) -> Chart | None:
    """The big chart, or None while there are fewer than two points. The axis begins `since` then, or with the data."""
    metrics = snapshot.metrics.value if snapshot else None
    points = metrics.series.get("concurrency", ()) if metrics else ()
    times = sorted({at for name in ("concurrency", "lambda_requests", "ecs_requests") for at, _ in _of(metrics, name)})
    if snapshot is None or metrics is None or len(times) < 2:
        return None
    start, end = since if since is not None else times[0], times[-1]
    limit, threshold = concurrency_limit(snapshot.limits.value), threshold_of(snapshot.alarms.value)
    step, top = scale(max([value for _, value in points] + [limit or 0.0, threshold or 0.0, 1.0]))
    return Chart(
        lines=tuple(
            Line(line, _under(line)) for line in polylines(points, metrics.period, Frame(start, end, top, PLOT))
        ),
        grid=tuple(Label(_y(n * step, top), f"{n * step:g}") for n in range(round(top / step) + 1)),
        ticks=_ticks(start, end),
        limit=None if limit is None else Label(_y(limit, top), _("limit %(limit)s") % {"limit": f"{limit:g}"}),
        threshold=None
        if threshold is None
        else Label(_y(threshold, top), _("alarm at %(threshold)s") % {"threshold": f"{threshold:g}"}),
        bands=_bands(metrics, times, start),
        marks=_marks(operations, start, end),
        rows=_table(metrics, start, end),
        panels=panels(metrics, start, end, BAND_TOP + BAND),
        start=start,
        end=end,
        summary=_summary(points, limit),
    )


def _of(metrics: Metrics | None, name: str) -> Series:
    return metrics.series.get(name, ()) if metrics else ()


def _summary(points: Series, limit: float | None) -> str:
    if not points:
        return _("No concurrency reported in this time.")
    against = "" if limit is None else _(", limit %(limit)s") % {"limit": f"{limit:g}"}
    return _("Now %(now)s, highest %(highest)s%(against)s.") % {
        "now": f"{points[-1][1]:g}",
        "highest": f"{max(value for _at, value in points):g}",
        "against": against,
    }


def _under(line: str) -> str:
    """The area below a line, down to zero."""
    points = line.split(" ")
    return f"{points[0].split(',')[0]},{PLOT} {line} {points[-1].split(',')[0]},{PLOT}"


def _y(value: float, top: float) -> float:
    return round(TOP + PLOT - PLOT * value / top, 1)


def _ticks(start: float, end: float) -> tuple[Label, ...]:
    anchors = ((0.0, "start"), (50.0, "middle"), (100.0, "end"))
    return tuple(Label(at, "", start + (end - start) * at / 100, anchor) for at, anchor in anchors)


def _share(lambda_requests: float, ecs_requests: float) -> int | None:
    total = lambda_requests + ecs_requests
    return round(100 * ecs_requests / total) if total else None


def _bands(metrics: Metrics, times: list[float], start: float) -> tuple[Band, ...]:
    """Which pool answered, period by period; equal neighbours are one stretch."""
    to_lambda, to_ecs = dict(_of(metrics, "lambda_requests")), dict(_of(metrics, "ecs_requests"))
    span = times[-1] - start
    shares = [(at, _share(to_lambda.get(at, 0.0), to_ecs.get(at, 0.0))) for at in times[:-1]]
    runs = [(share, [at for at, _ in group]) for share, group in groupby(shares, key=lambda pair: pair[1])]
    edges = [run[0] for _, run in runs] + [times[-1]]
    return tuple(
        Band(round(100 * (left - start) / span, 2), round(100 * (right - left) / span, 2), share)
        for (share, _), left, right in zip(runs, edges, edges[1:], strict=False)
    )


def _marks(operations: tuple[Operation, ...], start: float, end: float) -> tuple[Label, ...]:
    inside = [(row.created_at.timestamp(), row) for row in operations]
    return tuple(
        Label(round(x, 2), title(row).lower(), at, "end" if x > 80 else "start")
        for at, row in inside
        if start <= at <= end and (x := 100 * (at - start) / (end - start)) is not None
    )


def _table(metrics: Metrics, start: float, end: float) -> tuple[TableRow, ...]:
    """The newest first; where there are too many, each row has the most of several periods."""
    slot = max(float(metrics.period), (end - start) / TABLE_ROWS)
    found: dict[float, dict[str, float]] = defaultdict(dict)
    for name, _label in COLUMNS:
        for at, value in metrics.points(name, start):
            row = found[start + (at - start) // slot * slot]
            row[name] = max(value, row.get(name, value))
    return tuple(
        TableRow(at, tuple(found[at].get(name) for name, _label in COLUMNS)) for at in sorted(found, reverse=True)
    )
