"""What AWS said about one application, part by part. Unknown is a value of its own and never a guess."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from failover.model.application import Split

T = TypeVar("T")

NOT_READ = "not read yet"


class AlarmState(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Position(StrEnum):
    """Where an application's traffic is, judged over all its routes."""

    LAMBDA = "lambda"
    ECS = "ecs"
    SPLIT = "split"
    UNKNOWN = "unknown"


class Part(StrEnum):
    """One independently read part of a snapshot. Forwarders are a part of its routes: whatever else forwards to the
    two groups, which takes a search of whole load balancers.
    """

    ALARMS = "alarms"
    PREWARM = "prewarm"
    ROUTES = "routes"
    FORWARDERS = "forwarders"
    SERVICE = "service"
    TARGETS = "targets"
    BOUNDS = "bounds"
    METRICS = "metrics"
    LIMITS = "limits"
    VERSIONS = "versions"


# What decisions are made from. What code the pools have is told to people alone, and no operation waits for it.
DECIDING = frozenset(Part) - {Part.VERSIONS}


@dataclass(frozen=True)
class Reading(Generic[T]):
    """One part of a snapshot: its value and when it was read, or unknown and why. Unknown is never a guess."""

    value: T | None = None
    at: float = 0.0
    problem: str = NOT_READ

    @classmethod
    def of(cls, value: T, at: float) -> Reading[T]:
        return cls(value, at, "")

    def age(self, now: float) -> float:
        return now - self.at if self.value is not None else float("inf")


@dataclass(frozen=True)
class Alarm:
    """`suppressed_by` says what suppresses a composite alarm's actions (Alarm, WaitPeriod or ExtensionPeriod)."""

    name: str
    state: AlarmState
    since: float
    reason: str = ""
    threshold: float | None = None
    metric: str = ""
    actions_enabled: bool = True
    suppressed_by: str = ""

    @property
    def muted(self) -> bool:
        """Somebody said that nothing is to follow: actions disabled or, of a composite alarm, suppressed."""
        return not self.actions_enabled or bool(self.suppressed_by)


@dataclass(frozen=True)
class RouteState:
    """One route as read. `fingerprint` covers every action but our two weights, so a change of anything else shows."""

    arn: str
    label: str
    split: Split | None
    fingerprint: str
    other_weight: int = 0
    sticky: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Routes:
    """The managed routes, and every listener or rule of the load balancers that gives the ECS group weight.

    `foreign` names each listener or rule that is no route of ours and forwards to either group, whatever the weights.
    `elsewhere` says which group is attached to a load balancer that no route is on. Both, and the forwarders that are
    no routes, are as of `searched_at`, when the whole load balancers were last read; 0 for never.
    """

    managed: tuple[RouteState, ...]
    ecs_forwarders: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    searched_at: float = 0.0


@dataclass(frozen=True)
class Service:
    """The ECS service. `task_addresses` are the private IPv4 addresses of its RUNNING tasks.

    `trouble` is one sentence about what keeps it from its desired count, empty where nothing does. `weight_writer` says
    who else rewrites the load balancer's weights (ECS's own blue/green deployments), empty for nobody.
    """

    desired: int
    pending: int
    running: int
    status: str = "ACTIVE"
    deployment_running: bool = False
    deployment_failed: bool = False
    task_addresses: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    trouble: str = ""
    weight_writer: str = ""
    task_definition: str = ""


@dataclass(frozen=True)
class Targets:
    """Targets by state. `ecs_healthy` counts only healthy targets that are this service's running tasks."""

    ecs_healthy: int
    ecs_states: tuple[tuple[str, int], ...] = ()
    lambda_states: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Bounds:
    """A scalable target's minimum and maximum capacity."""

    minimum: int
    maximum: int


@dataclass(frozen=True)
class Scaling:
    """`bounds` is None where no scalable target is registered for the service.

    `suspended` names what is suspended of it: scaling in, scaling out, scheduled scaling.
    """

    bounds: Bounds | None = None
    suspended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """Lambda concurrency limits: the function's reservation (None: none) and the account's unreserved pool."""

    reserved: int | None
    unreserved: int | None


@dataclass(frozen=True)
class Code:
    """What code one pool has: the digest of its image and its tag `version`, each empty where it has none.

    `problem` says why tags can't be read.
    """

    digest: str = ""
    version: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Versions:
    """The code behind both pools. `cpu_units` are a Fargate task's; 0 where it is none, or does not say."""

    function: Code
    task: Code
    cpu_units: int = 0


Series = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Metrics:
    """Time series by name, oldest first, a point per `period` seconds; a period without data has no point.

    Names: concurrency (maximum), throttles, invocations, errors (sums), duration_p95, duration_avg (seconds),
    lambda_requests, ecs_requests, lambda_5xx, ecs_5xx (sums by target group), unserved (answered 503 by the load
    balancer because a group had no target; a sum over the whole load balancer).
    """

    period: int
    series: dict[str, Series] = field(default_factory=dict)

    def points(self, name: str, since: float = 0.0) -> Series:
        return tuple(point for point in self.series.get(name, ()) if point[0] >= since)

    def latest(self, name: str, now: float) -> float:
        """The newest value; 0 where the last three periods have none, since an idle function publishes nothing."""
        points = self.points(name, now - 4 * self.period)
        return points[-1][1] if points else 0.0


@dataclass(frozen=True)
class Probed:
    """Requests to the application's probe URL, sent from `at` on, by who answered: lambda, ecs, or "" where nothing
    says which pool it was.
    """

    at: float
    pool: str
    sent: int
    failed: int


@dataclass(frozen=True)
class Snapshot:
    """What AWS said about one application. `at` is when the observation began.

    `alarms` are those that a failover follows, `prewarm` those that only start tasks. `probes` is what the probe URL
    answered lately, oldest first: the one part that is not AWS's.
    """

    at: float
    alarms: Reading[tuple[Alarm, ...]] = Reading()
    routes: Reading[Routes] = Reading()
    service: Reading[Service] = Reading()
    targets: Reading[Targets] = Reading()
    scaling: Reading[Scaling] = Reading()
    metrics: Reading[Metrics] = Reading()
    limits: Reading[Limits] = Reading()
    prewarm: Reading[tuple[Alarm, ...]] = Reading()
    versions: Reading[Versions] = Reading()
    probes: Reading[tuple[Probed, ...]] = Reading()

    def updated(self, newer: Snapshot) -> Snapshot:
        """The same with every part that `newer` asked AWS for."""
        parts = (field.name for field in fields(self) if field.name != "at")
        read: dict[str, Any] = {name: getattr(newer, name) for name in parts if getattr(newer, name) != Reading()}
        return replace(self, at=newer.at, **read)

    @property
    def splits(self) -> tuple[Split | None, ...]:
        return tuple(route.split for route in self.routes.value.managed) if self.routes.value else ()

    @property
    def split(self) -> Split | None:
        """The split that all routes share, or None while they differ or are unknown."""
        return self.splits[0] if len(set(self.splits)) == 1 else None

    @property
    def position(self) -> Position:
        splits = self.splits
        if not splits or None in splits:
            return Position.UNKNOWN
        if all(split is not None and split.ecs == 0 for split in splits):
            return Position.LAMBDA
        if all(split is not None and split.lambda_ == 0 for split in splits):
            return Position.ECS
        return Position.SPLIT
