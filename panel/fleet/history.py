"""What happened longer ago than CloudWatch is asked for: samples of a minute, rolled up into longer ones, and ended.

Requests and throttles come from CloudWatch's own points, which arrive minutes late: each observation writes the last
quarter of an hour anew. Tasks and weights are what was seen last in the minute. Rolling up twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from failover.model import Metrics, Snapshot
from panel.fleet.models import Application, Sample

MINUTE, FIVE_MINUTES, HOUR = 60, 300, 3600
LATE_SECONDS = 15 * MINUTE
KEPT = {MINUTE: timedelta(days=2), FIVE_MINUTES: timedelta(days=30), HOUR: timedelta(days=400)}
SUMS = {
    "lambda_requests": ("lambda_requests",),
    "ecs_requests": ("ecs_requests",),
    "throttles": ("throttles",),
    "failed": ("lambda_5xx", "ecs_5xx", "unserved"),
    "lambda_5xx": ("lambda_5xx",),
    "ecs_5xx": ("ecs_5xx",),
}
PEAKS = {"concurrency": "concurrency", "lambda_seconds": "duration_p95", "ecs_seconds": "ecs_seconds"}
MEASURED = (*SUMS, *PEAKS)
SEEN = ("ecs_percent", "desired", "healthy")


def record(application: Application, snapshot: Snapshot) -> None:
    """Keep what a snapshot shows. Without metrics nothing is kept: what is unknown was not zero."""
    record_together({application: snapshot})


def record_together(seen: Mapping[Application, Snapshot]) -> None:
    """The same for many, in two queries (on SQLite, which takes few values a query, some more)."""
    earlier: list[Sample] = []
    present: list[Sample] = []
    for application, snapshot in seen.items():
        if snapshot.metrics.value is not None:
            *before, last = _samples(application, snapshot, snapshot.metrics.value)
            earlier += before
            present.append(last)
    _write(earlier, MEASURED)
    _write(present, (*MEASURED, *SEEN))


def _samples(application: Application, snapshot: Snapshot, metrics: Metrics) -> list[Sample]:
    """The last is the present one, which alone shows tasks and weights."""
    newest = _floor(snapshot.at, _resolution(metrics))
    samples = {at: Sample(at=_moment(at), **values) for at, values in _measured(metrics, snapshot.at)}
    present = samples.setdefault(newest, Sample(at=_moment(newest)))
    present.desired = snapshot.service.value.desired if snapshot.service.value else None
    present.healthy = snapshot.targets.value.ecs_healthy if snapshot.targets.value else None
    present.ecs_percent = snapshot.split.ecs_percent if snapshot.split else None
    for sample in samples.values():
        sample.application, sample.seconds = application, _resolution(metrics)
    return [*(sample for at, sample in samples.items() if at != newest), present]


def _write(samples: list[Sample], columns: Iterable[str]) -> None:
    """Writes nothing where there are none."""
    Sample.objects.bulk_create(
        # In one order everywhere: two processes that write the same rows can't wait for each other.
        sorted(samples, key=lambda each: (each.application_id, each.seconds, each.at)),
        update_conflicts=True,
        unique_fields=["application", "seconds", "at"],
        update_fields=list(columns),
    )


def _resolution(metrics: Metrics) -> int:
    return MINUTE if metrics.period <= MINUTE else FIVE_MINUTES if metrics.period <= FIVE_MINUTES else HOUR


def _measured(metrics: Metrics, now: float) -> Iterator[tuple[float, dict[str, float | None]]]:
    """Values by the beginning of their minute, of those minutes that CloudWatch shows from their beginning."""
    seconds = _resolution(metrics)
    since = _floor(now - LATE_SECONDS, seconds)
    first = min((points[0][0] for points in metrics.series.values() if points), default=now)
    for at in range(int(since), int(now) + 1, seconds):
        if at >= first - metrics.period:
            values = _of_minute(metrics, at, at + seconds)
            if any(value is not None for value in values.values()):
                yield float(at), values


def _of_minute(metrics: Metrics, start: float, end: float) -> dict[str, float | None]:
    sums = {name: _sum(_between(metrics, series, start, end)) for name, series in SUMS.items()}
    peaks = {name: max(_between(metrics, (series,), start, end), default=None) for name, series in PEAKS.items()}
    return {**sums, **peaks}


def _between(metrics: Metrics, names: Iterable[str], start: float, end: float) -> list[float]:
    return [value for name in names for at, value in metrics.points(name, start) if at < end]


def _sum(values: list[float]) -> float | None:
    return sum(values) if values else None


def _floor(at: float, seconds: int) -> float:
    return float(at // seconds * seconds)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


# ---- rolling up ----


def roll_up(now: datetime) -> None:
    """Write the longer samples that may have changed since the last time, anew from the shorter ones."""
    for seconds, longer in ((MINUTE, FIVE_MINUTES), (FIVE_MINUTES, HOUR)):
        since = _moment(_floor(now.timestamp() - LATE_SECONDS - 2 * longer, longer))
        _write(_longer(Sample.objects.filter(seconds=seconds, at__gte=since), longer), (*MEASURED, *SEEN))


def _longer(samples: Iterable[Sample], seconds: int) -> list[Sample]:
    groups: dict[tuple[int, float], list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.application_id, _floor(sample.at.timestamp(), seconds)].append(sample)
    return [
        Sample(
            application_id=application,
            seconds=seconds,
            at=_moment(at),
            desired=_most(each.desired for each in group),
            healthy=min((each.healthy for each in group if each.healthy is not None), default=None),
            ecs_percent=_mean([each.ecs_percent for each in group if each.ecs_percent is not None]),
            **{name: _most(getattr(each, name) for each in group) for name in PEAKS},
            **{name: _sum([value for each in group if (value := getattr(each, name)) is not None]) for name in SUMS},
        )
        for (application, at), group in groups.items()
    ]


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def forget(now: datetime) -> None:
    """Delete samples that are older than their kind is kept."""
    for seconds, kept in KEPT.items():
        Sample.objects.filter(seconds=seconds, at__lt=now - kept).delete()


# ---- reading ----


@dataclass(frozen=True)
class Span:
    """How far back a page looks, and with samples of how many seconds."""

    name: str
    label: str
    back: timedelta
    seconds: int


SPANS = (
    Span("hour", "1 h", timedelta(hours=1), MINUTE),
    Span("6 hours", "6 h", timedelta(hours=6), MINUTE),
    Span("day", "24 h", timedelta(days=1), MINUTE),
    Span("week", "7 d", timedelta(days=7), FIVE_MINUTES),
    Span("month", "30 d", timedelta(days=30), HOUR),
    Span("year", "1 y", timedelta(days=365), HOUR),
)


def span_named(name: str) -> Span | None:
    return next((each for each in SPANS if each.name == name), None)


@dataclass(frozen=True)
class Totals:
    """`ecs_share` is the percentage of requests that ECS answered; None without requests."""

    requests: int
    failed: int
    throttles: int
    ecs_share: float | None


def totals(metrics: Metrics) -> Totals:
    counts = {name: sum(value for _, value in metrics.points(name)) for name in SUMS}
    requests = counts["lambda_requests"] + counts["ecs_requests"]
    share = 100 * counts["ecs_requests"] / requests if requests else None
    return Totals(round(requests), round(counts["failed"]), round(counts["throttles"]), share)


def read(application: Application, span: Span, now: datetime | None = None) -> Metrics:
    """The samples of a span as the time series that charts take; `ecs_percent`, `desired` and `healthy` too."""
    until = now or timezone.now()
    return between(application, until - span.back, until, span.seconds)


def between(application: Application, start: datetime, end: datetime, seconds: int = MINUTE) -> Metrics:
    """The same from `start` to `end`, of samples that are at least so many `seconds` long: the finest that are kept."""
    since = _moment(_floor(start.timestamp(), seconds))
    kept = Sample.objects.filter(application=application, seconds__gte=seconds, at__gte=since, at__lte=end)
    finest = min(kept.order_by().values_list("seconds", flat=True).distinct(), default=seconds)
    samples = list(kept.filter(seconds=finest).order_by("at"))
    return Metrics(
        finest,
        {
            name: tuple(
                (sample.at.timestamp(), float(value))
                for sample in samples
                if (value := getattr(sample, name)) is not None
            )
            for name in (*MEASURED, *SEEN)
        },
    )
