"""What the traffic asks for: tasks on ECS, and the concurrency that Lambda would have if it got all of it back."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from failover.model import Alarm, Limits, Memory, Metrics, Policy, Snapshot

CONCURRENCY_METRIC = "ConcurrentExecutions"


@dataclass(frozen=True)
class Projection:
    """Lambda's projected concurrency and the ceiling that it must stay under; None where unknown."""

    concurrency: float | None
    ceiling: float | None
    reason: str

    @property
    def fits(self) -> bool:
        return self.concurrency is not None and self.ceiling is not None and self.concurrency < self.ceiling


def highest_rate(metrics: Metrics, now: float, window: float) -> float:
    """The busiest period's requests a second. A period without data had no requests.

    What met a group without targets is in no group's count, and wants an answer all the same: while ECS is dead, its
    own count would say that demand has vanished. Another application on the same load balancer only raises the sum.
    """
    since = now - max(window, 2 * metrics.period) - metrics.period
    total: dict[float, float] = {}
    for name in ("lambda_requests", "ecs_requests", "unserved"):
        for at, count in metrics.points(name, since):
            total[at] = total.get(at, 0.0) + count
    return max(total.values(), default=0.0) / metrics.period


def tasks_needed(policy: Policy, snapshot: Snapshot, now: float) -> int:
    """Tasks that the present demand needs; 0 while a task's capacity is unproven or the demand is unknown."""
    if not policy.requests_per_task or snapshot.metrics.value is None:
        return 0
    rate = highest_rate(snapshot.metrics.value, now, policy.step_seconds)
    return ceil(rate / policy.requests_per_task)


def seconds_per_request(metrics: Metrics) -> float | None:
    """Lambda's time per request: the 95th percentile or, where a few slow requests outweigh it, the mean.

    By Little's law concurrency is rate times *mean* time; with a long tail the 95th percentile alone is too low. While
    Lambda is at its limit, concurrency over throughput says it too, and says it before the slow requests of a surge
    that has just begun have ended: until then no duration of theirs is published.
    """
    p95 = [value for _, value in metrics.points("duration_p95")]
    mean = [value for _, value in metrics.points("duration_avg")]
    invocations = dict(metrics.points("invocations"))
    weights = [invocations.get(at, 1.0) for at, _ in metrics.points("duration_avg")]
    if not mean or sum(weights) == 0:
        return max(p95, default=None)
    weighted = sum(value * weight for value, weight in zip(mean, weights, strict=True)) / sum(weights)
    return max(weighted, _median(p95), _median(_at_the_limit(metrics)))


def _at_the_limit(metrics: Metrics) -> list[float]:
    """Seconds per request in each whole period in which Lambda was throttled."""
    throttles, invocations = dict(metrics.points("throttles")), dict(metrics.points("invocations"))
    whole = metrics.points("concurrency")[:-1]  # the newest period may be incomplete
    return [most * metrics.period / invocations[at] for at, most in whole if throttles.get(at) and invocations.get(at)]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def concurrency_limit(limits: Limits, alarms: tuple[Alarm, ...]) -> float | None:
    """The lowest of what bounds Lambda: the concurrency alarm's threshold, and the function's reservation or, where it
    has none, the account's unreserved concurrency (a function with a reservation does not draw from that pool).
    """
    thresholds = [alarm.threshold for alarm in alarms if alarm.metric == CONCURRENCY_METRIC]
    pool = limits.reserved if limits.reserved is not None else limits.unreserved
    return min((float(limit) for limit in (*thresholds, pool) if limit is not None), default=None)


def project(policy: Policy, snapshot: Snapshot, memory: Memory, now: float) -> Projection:
    """Lambda's concurrency if all traffic were on it: the dwell's highest rate times Lambda's time per request."""
    if policy.demand_headroom == 0:
        return Projection(0.0, float("inf"), "the projection is switched off (demand_headroom = 0)")
    metrics, limits, alarms = snapshot.metrics.value, snapshot.limits.value, snapshot.alarms.value
    if metrics is None or limits is None or alarms is None:
        return Projection(None, None, "traffic, limits or alarms can't be read")
    rate = highest_rate(metrics, now, policy.dwell_seconds)
    duration = _duration(metrics, memory) if rate else 0.0  # no traffic needs no concurrency
    limit = concurrency_limit(limits, alarms)
    if duration is None or limit is None:
        missing = "time per request" if duration is None else "concurrency limit"
        return Projection(None, None, f"Lambda's {missing} is unknown")
    concurrency, ceiling = rate * duration, policy.demand_headroom * limit
    reason = f"{rate:.0f} requests a second of {duration * 1000:.0f} ms need {concurrency:.1f}, limit {ceiling:.1f}"
    return Projection(concurrency, ceiling, reason)


def _duration(metrics: Metrics, memory: Memory) -> float | None:
    """What was remembered before the failover, or what has been measured since, if that is more: a memory from the
    first seconds of a surge knows its fast requests alone.
    """
    known = [each for each in (memory.duration, seconds_per_request(metrics)) if each]  # no request takes no time
    return max(known, default=None)
