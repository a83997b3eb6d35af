"""Which phase of an incident each request of the client belongs to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

PHASES = ("before", "throttled", "failover_shift", "on_ecs", "failback_shift", "after")
SLOW_PATH = "/sleep"


@dataclass(frozen=True)
class Request:
    """One request as the client saw it. Times are in seconds (epoch); `status` 0 means no answer.

    `pool` is `lambda` or `ecs`, "" where no answer named it.
    """

    sent: float
    ended: float
    path: str
    status: int
    pool: str

    @property
    def failed(self) -> bool:
        return self.status != 200

    def in_flight_at(self, moment: float) -> bool:
        return self.sent < moment < self.ended


@dataclass(frozen=True)
class Moments:
    """When an incident's turns came (epoch seconds); None for what has not happened."""

    limit_reached: float | None = None
    alarm: float | None = None
    webhook: float | None = None
    decision: float | None = None
    healthy: float | None = None
    failover_write: float | None = None
    every_node_on_ecs: float | None = None
    failover_verified: float | None = None
    failback_decision: float | None = None
    failback_write: float | None = None
    failback_verified: float | None = None
    scaled_in: float | None = None


def phase(request: Request, moments: Moments) -> str:
    """By when the request was sent and which pool it met.

    While Lambda is at its limit its pool fails requests, whatever the controller does; so what went there counts as
    `throttled` until every node of the load balancer has the new weights. A request that no pool answered counts as
    `throttled` only as long as Lambda's was the only pool with weight.
    """

    def came(moment: float | None) -> bool:
        return moment is not None and request.sent >= moment

    if not came(moments.limit_reached):
        return "before"
    if came(moments.failback_verified):
        return "after"
    if came(moments.failback_write):
        return "failback_shift"
    if came(moments.failover_verified):
        return "on_ecs"
    if not came(moments.failover_write):
        return "throttled"
    return "throttled" if request.pool == "lambda" and not came(moments.every_node_on_ecs) else "failover_shift"


def failures_by_phase(requests: Iterable[Request], moments: Moments) -> dict[str, int]:
    """How many requests failed, for every phase."""
    failed = Counter(phase(request, moments) for request in requests if request.failed)
    return {name: failed[name] for name in PHASES}


def slow_in_flight(requests: Iterable[Request], moment: float | None) -> int:
    """How many of the 5 s requests were on their way at that moment."""
    if moment is None:
        return 0
    return sum(request.path == SLOW_PATH and request.in_flight_at(moment) for request in requests)


def requests_per_second(requests: list[Request]) -> float:
    """The client's rate over the whole incident; it sends each request once, so none is a retry."""
    if not requests:
        return 0.0
    sent = [request.sent for request in requests]
    return len(sent) / max(max(sent) - min(sent), 1.0)
