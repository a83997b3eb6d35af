"""The words of this product as values: what an application is, what AWS said about it, what is to be done.

Everything here is frozen and does no I/O. Times are epoch seconds (UTC) as floats, durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import gcd
from typing import Generic, TypeVar

T = TypeVar("T")

NOT_READ = "not read yet"
MAX_WEIGHT = 999  # ALB's own range: ForwardActionConfig, TargetGroupTuple.Weight


class Pool(StrEnum):
    LAMBDA = "lambda"
    ECS = "ecs"


class Goal(StrEnum):
    FAILOVER = "failover"
    FAILBACK = "failback"
    SET_WEIGHTS = "set_weights"


class Mode(StrEnum):
    AUTO = "auto"
    OBSERVE = "observe"
    OFF = "off"


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
    """One independently read part of a snapshot."""

    ALARMS = "alarms"
    ROUTES = "routes"
    SERVICE = "service"
    TARGETS = "targets"
    BOUNDS = "bounds"
    METRICS = "metrics"
    LIMITS = "limits"


@dataclass(frozen=True)
class Split:
    """Two weights, 0-999 each, their sum above 0. Equal when their ratio is: 1/0 equals 100/0.

    Raises ValueError with a sentence when a weight is out of range or both are 0.
    """

    lambda_: int
    ecs: int

    def __post_init__(self) -> None:
        for name, weight in (("lambda", self.lambda_), ("ecs", self.ecs)):
            if not 0 <= weight <= MAX_WEIGHT:
                raise ValueError(f"The weight of {name} is {weight}; a load balancer takes 0 to {MAX_WEIGHT}.")
        if self.lambda_ + self.ecs == 0:
            raise ValueError("Weights 0/0 would leave no pool to answer; give at least one pool some weight.")

    @classmethod
    def of_ecs_percent(cls, percent: int) -> Split:
        return cls(100 - percent, percent)

    @property
    def ecs_percent(self) -> float:
        return 100 * self.ecs / (self.lambda_ + self.ecs)

    def _ratio(self) -> tuple[int, int]:
        divisor = gcd(self.lambda_, self.ecs)
        return self.lambda_ // divisor, self.ecs // divisor

    def __eq__(self, other: object) -> bool:
        return self._ratio() == other._ratio() if isinstance(other, Split) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._ratio())

    def __str__(self) -> str:
        return f"{self.lambda_}/{self.ecs}"


@dataclass(frozen=True)
class Route:
    """Where weights live: a listener's default action (`listener_arn`) or one listener rule (`rule_arn`)."""

    arn: str

    @property
    def is_rule(self) -> bool:
        return ":listener-rule/" in self.arn


@dataclass(frozen=True)
class Policy:
    """An application's limits; names, units and defaults as in the application's TOML."""

    failover_count: int = 2
    standby_count: int = 0
    min_healthy: int = 2
    requests_per_task: float = 0
    shift_steps: tuple[int, ...] = (100,)
    failback_steps: tuple[int, ...] = (90, 50, 0)
    step_seconds: float = 30
    healthy_checks: int = 2
    max_5xx_percent: float = 5
    min_requests: int = 20
    on_inconclusive: str = "hold"
    settle_seconds: float = 30
    drain_seconds: float = 120
    bake_seconds: float = 300
    scale_deadline_seconds: float = 600
    dwell_seconds: float = 300
    cooldown_seconds: float = 600
    demand_headroom: float = 0.8
    metric_period_seconds: int = 60
    max_event_age_seconds: float = 900
    probe_per_second: float = 2
    probe_timeout_seconds: float = 2


@dataclass(frozen=True)
class Application:
    """One API that we protect, as its TOML describes it."""

    slug: str
    name: str
    region: str
    alarms: tuple[str, ...]
    function_name: str
    lambda_target_group_arn: str
    cluster: str
    service: str
    ecs_target_group_arn: str
    routes: tuple[Route, ...]
    policy: Policy = Policy()
    role_arn: str = ""
    external_id: str = ""
    team: str = ""
    alarm_rule: str = "any"
    prewarm_alarms: tuple[str, ...] = ()
    mode: Mode = Mode.AUTO
    probe_url: str = ""
    lease_table: str = ""


# ---- what AWS said ----


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
    name: str
    state: AlarmState
    since: float
    reason: str = ""
    threshold: float | None = None
    metric: str = ""
    actions_enabled: bool = True


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
    """The managed routes, and every listener or rule of the load balancers that gives the ECS group weight."""

    managed: tuple[RouteState, ...]
    ecs_forwarders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    """The ECS service. `task_addresses` are the private IPv4 addresses of its RUNNING tasks."""

    desired: int
    pending: int
    running: int
    status: str = "ACTIVE"
    deployment_running: bool = False
    deployment_failed: bool = False
    task_addresses: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


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
    """`bounds` is None where no scalable target is registered for the service."""

    bounds: Bounds | None = None


@dataclass(frozen=True)
class Limits:
    """Lambda concurrency limits: the function's reservation (None: none) and the account's unreserved pool."""

    reserved: int | None
    unreserved: int | None


Series = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Metrics:
    """Time series by name, oldest first, a point per `period` seconds; a period without data has no point.

    Names: concurrency (maximum), throttles, invocations, errors (sums), duration_p95, duration_avg (seconds),
    lambda_requests, ecs_requests, lambda_5xx, ecs_5xx (sums by target group).
    """

    period: int
    series: dict[str, Series] = field(default_factory=dict)

    def points(self, name: str, since: float = 0.0) -> Series:
        return tuple(point for point in self.series.get(name, ()) if point[0] >= since)


@dataclass(frozen=True)
class Snapshot:
    """What AWS said about one application. `at` is when the observation began."""

    at: float
    alarms: Reading[tuple[Alarm, ...]] = Reading()
    routes: Reading[Routes] = Reading()
    service: Reading[Service] = Reading()
    targets: Reading[Targets] = Reading()
    scaling: Reading[Scaling] = Reading()
    metrics: Reading[Metrics] = Reading()
    limits: Reading[Limits] = Reading()

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


# ---- what is to be done ----


@dataclass(frozen=True)
class SetBounds:
    bounds: Bounds

    def __str__(self) -> str:
        return f"Autoscaling bounds become {self.bounds.minimum} to {self.bounds.maximum}"


@dataclass(frozen=True)
class SetDesiredCount:
    count: int

    def __str__(self) -> str:
        return f"Desired count becomes {self.count}"


@dataclass(frozen=True)
class SetSplit:
    """`before` is what the decision saw there; the adapter writes nothing where it finds something else."""

    route_arn: str
    split: Split
    before: Split

    def __str__(self) -> str:
        return f"Weights become {self.split} on {self.route_arn.split('/', 1)[-1]}"


Action = SetBounds | SetDesiredCount | SetSplit


class Kind(StrEnum):
    ACT = "act"
    WAIT = "wait"
    DONE = "done"
    REFUSE = "refuse"
    STOP = "stop"


@dataclass(frozen=True)
class Baseline:
    """What stood before the first write of a failover, to be restored by the failback."""

    desired: int
    bounds: Bounds | None = None


@dataclass(frozen=True)
class Memory:
    """What an application remembers between operations.

    `duration` is Lambda's time per request (seconds) as it was before the failover; `bounds_written` are the
    autoscaling bounds that we set, so that a failback restores them only where they are still ours.
    """

    baseline: Baseline | None = None
    bounds_written: Bounds | None = None
    duration: float | None = None
    failover_at: float | None = None
    failover_automatic: bool = False
    failback_at: float | None = None
    dwell_factor: int = 1


@dataclass(frozen=True)
class Progress:
    """How far an operation is. Written before each write, so that a crash anywhere is resumed by deciding again.

    `allowed` lists per route the splits that it may show: what was there and what we wrote. Anything else is foreign.
    `wanted` and `enough` are the tasks and healthy targets that this operation settled on. `origin` is the split to
    return to. `returning` says why weights go back. `marks` says when each milestone was first reached.
    """

    version: int = 1
    phase: str = "start"
    phase_since: float = 0.0
    memory: Memory = Memory()
    wanted: int = 0
    enough: int = 0
    healthy_streak: int = 0
    agreed_streak: int = 0
    sick_streak: int = 0
    step: int = 0
    step_since: float | None = None
    allowed: tuple[tuple[str, tuple[Split, ...]], ...] = ()
    origin: Split | None = None
    returning: str = ""
    marks: tuple[tuple[str, float], ...] = ()

    def mark(self, name: str) -> float | None:
        return dict(self.marks).get(name)

    def marked(self, name: str, now: float) -> Progress:
        """The same progress with a milestone reached; the first time counts."""
        return self if self.mark(name) is not None else replace(self, marks=(*self.marks, (name, now)))

    def entered(self, phase: str, now: float) -> Progress:
        return replace(self, phase=phase, phase_since=now, agreed_streak=0, sick_streak=0)

    def may_show(self, route: str, split: Split) -> bool:
        return split in dict(self.allowed).get(route, ())


@dataclass(frozen=True)
class Request:
    """What an operation was asked for. `split` goes with set_weights; `override` names rules, with a reason."""

    goal: Goal
    split: Split | None = None
    automatic: bool = False
    override: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """The outcome of one cycle.

    `headline` is one stable line (journaled when it changes), `detail` the moving figures beside it.
    `wait` says in how many seconds to step again; `rule` names what refused or stopped; `remedy` what clears it.
    """

    kind: Kind
    headline: str
    progress: Progress
    detail: str = ""
    actions: tuple[Action, ...] = ()
    wait: float = 2.0
    rule: str = ""
    remedy: str = ""
