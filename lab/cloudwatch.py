"""CloudWatch metrics: what was published, and statistics over it.

The lab publishes every 5 seconds instead of every minute; time itself is not scaled, so rates are true.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

PUBLISHING_PERIOD = 5.0
KEPT_SECONDS = 3 * 3600  # CloudWatch keeps data points finer than a minute for three hours


class Metric(NamedTuple):
    """A metric's identity: the same name with other dimensions is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "Metric":
        return cls(namespace, name, tuple(sorted(dimensions.items())))


class Metrics:
    """Published values, grouped by metric and publishing period as value and count."""

    def __init__(self, period: float = PUBLISHING_PERIOD) -> None:
        self.period = period
        self._published: dict[Metric, dict[int, Counter[float]]] = {}

    def put(self, metric: Metric, value: float, at: float, count: int = 1) -> None:
        """Publish a value, ``count`` times over."""
        buckets = self._published.get(metric)
        if buckets is None:
            buckets = self._published[metric] = {}
        index = int(at // self.period)
        bucket = buckets.get(index)
        if bucket is None:
            bucket = buckets[index] = Counter()
            while len(buckets) * self.period > KEPT_SECONDS:
                del buckets[next(iter(buckets))]
        value = round(value, 3)
        bucket[value] = bucket.get(value, 0) + count

    def values(self, metric: Metric, start: float, end: float) -> Counter[float]:
        """The values published in [start, end), each with its count; not to be changed."""
        buckets = self._published.get(metric, {})
        if end - start == self.period and start % self.period == 0:
            return buckets.get(int(start // self.period)) or Counter()
        total: Counter[float] = Counter()
        for index in range(math.floor(start / self.period), math.ceil(end / self.period)):
            total.update(buckets.get(index, {}))
        return total

    def statistic(self, metric: Metric, statistic: str, start: float, end: float) -> float | None:
        """One data point, or None where nothing was published: CloudWatch has no zero for silence."""
        values = self.values(metric, start, end)
        return float(summarise(values, statistic)) if values else None


def summarise(values: Counter[float], statistic: str) -> float:
    """Statistic over a non-empty set of values. Raises ValueError for one that the lab does not know."""
    count = sum(values.values())
    total = sum(value * times for value, times in values.items())
    match statistic:
        case "Sum":
            return total
        case "SampleCount":
            return float(count)
        case "Average":
            return total / count
        case "Maximum":
            return max(values)
        case "Minimum":
            return min(values)
    return _percentile(values, percentile_of(statistic), count)


def percentile_of(statistic: str) -> float:
    """95.0 for ``p95``. Raises ValueError for anything else."""
    if statistic[:1] != "p":
        raise ValueError(f"Unknown statistic {statistic!r}: Sum, SampleCount, Average, Maximum, Minimum or pNN.")
    percent = float(statistic[1:])
    if not 0 <= percent <= 100:
        raise ValueError(f"Percentile {statistic!r} is not between p0 and p100.")
    return percent


def _percentile(values: Counter[float], percent: float, count: int) -> float:
    rank = max(1, math.ceil(percent / 100 * count))
    for value in sorted(values):
        rank -= values[value]
        if rank <= 0:
            return value
    return max(values)
