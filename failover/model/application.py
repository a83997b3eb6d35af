"""What an application is: two pools, routes, alarms, a policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import gcd

from failover.model.drills import Drills

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

    def is_exactly(self, other: Split) -> bool:
        """Whether both weights are the same, and not only their ratio."""
        return (self.lambda_, self.ecs) == (other.lambda_, other.ecs)

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
    probe_header: str = "X-Pool"
    lease_table: str = ""
    drills: Drills = field(default_factory=Drills)

    @property
    def account(self) -> str:
        """The AWS account that it is in, as its target groups' ARNs have it."""
        return self.ecs_target_group_arn.split(":")[4]
