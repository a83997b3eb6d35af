"""CloudWatch metrics: what was published, and statistics over it.

The lab publishes every 5 seconds instead of every minute; time itself is not scaled, so rates are true.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

PUBLISHING_PERIOD = 5.0
KEPT_SECONDS = 3 * 3600  # CloudWatch keeps data points finer than a minute for three hours

Values = dict[float, int]  # how often each value was published


class Metric(NamedTuple):
    """A metric's identity: the same name with other dimensions is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "Metric":
        return cls(namespace, name, tuple(sorted(dimensions.items())))


class Series:
    """One metric's published values, grouped by publishing period as value and count."""

    __slots__ = ("_bucket", "_buckets", "_index", "_most", "_period")

    def __init__(self, period: float) -> None:
        self._period = period
        self._most = int(KEPT_SECONDS / period)
        self._buckets: dict[int, Values] = {}
        self._index: int | None = None  # of the bucket that was put into last
        self._bucket: Values = {}

    def put(self, value: float, at: float, count: int = 1) -> None:
        """Publish a value, ``count`` times over."""
        index = int(at // self._period)
        if index != self._index:
            self._open(index)
        if isinstance(value, float):
            value = round(value, 3)
        self._bucket[value] = self._bucket.get(value, 0) + count

    def values(self, start: float, end: float) -> Values:
        """The values published in [start, end), each with its count; not to be changed."""
        period = self._period
        if end - start == period and start % period == 0:
            return self._buckets.get(int(start // period)) or {}
        total: Counter[float] = Counter()
        for index in range(math.floor(start / period), math.ceil(end / period)):
            total.update(self._buckets.get(index, {}))
        return total

    def statistic(self, statistic: str, start: float, end: float) -> float | None:
        """One data point, or None where nothing was published: CloudWatch has no zero for silence."""
        values = self.values(start, end)
        return float(summarise(values, statistic)) if values else None

    def _open(self, index: int) -> None:
        bucket = self._buckets.get(index)
        if bucket is None:
            bucket = self._buckets[index] = {}
            if len(self._buckets) > self._most:
                del self._buckets[next(iter(self._buckets))]
        self._index, self._bucket = index, bucket


class Metrics:
    """The series of each metric. Whoever publishes often keeps its series: finding it costs more than publishing."""

    def __init__(self, period: float = PUBLISHING_PERIOD) -> None:
        self.period = period
        self._series: dict[Metric, Series] = {}

    def series(self, metric: Metric) -> Series:
        found = self._series.get(metric)
        if found is None:
            found = self._series[metric] = Series(self.period)
        return found

    def put(self, metric: Metric, value: float, at: float, count: int = 1) -> None:
        """Publish a value, ``count`` times over."""
        self.series(metric).put(value, at, count)

    def statistic(self, metric: Metric, statistic: str, start: float, end: float) -> float | None:
        """One data point of a metric, or None where nothing was published."""
        series = self._series.get(metric)
        return series.statistic(statistic, start, end) if series else None


def summarise(values: Values, statistic: str) -> float:
    """Statistic over a non-empty set of values. Raises ValueError for one that the lab does not know."""
    match statistic:
        case "Sum":
            return _total(values)
        case "SampleCount":
            return float(sum(values.values()))
        case "Average":
            return _total(values) / sum(values.values())
        case "Maximum":
            return max(values)
        case "Minimum":
            return min(values)
    return _percentile(values, percentile_of(statistic))


def _total(values: Values) -> float:
    total = 0.0
    for value, times in values.items():
        total += value * times
    return total


def percentile_of(statistic: str) -> float:
    """95.0 for ``p95``. Raises ValueError for anything else."""
    if statistic[:1] != "p":
        raise ValueError(f"Unknown statistic {statistic!r}: Sum, SampleCount, Average, Maximum, Minimum or pNN.")
    percent = float(statistic[1:])
    if not 0 <= percent <= 100:
        raise ValueError(f"Percentile {statistic!r} is not between p0 and p100.")
    return percent


def _percentile(values: Values, percent: float) -> float:
    rank = max(1, math.ceil(percent / 100 * sum(values.values())))
    for value in sorted(values):
        rank -= values[value]
        if rank <= 0:
            return value
    return max(values)
