"""The world file: what the lab contains, in TOML.

Every key but those without a default below may be left out. An error names file, key and what is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.alarms import COMPARISONS, MISSING_DATA
from lab.cloudwatch import percentile_of
from lab.tables import TableError, one_of, read_file

LAMBDA_METRICS = ("ConcurrentExecutions", "Throttles", "Invocations", "Errors", "Duration")
STATISTICS = ("Sum", "SampleCount", "Average", "Maximum", "Minimum")


class WorldError(Exception):
    """The world file cannot be used; the message is a sentence for the reader of the file."""


@dataclass(frozen=True)
class FunctionTable:
    """``reserved_concurrency`` left out: the function shares what the account has left."""

    reserved_concurrency: int | None = None
    timeout_seconds: float = 29.0
    warm_environments: int = 1
    idle_seconds: float = 900.0
    multi_value_headers: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskTable:
    """Times in seconds; ``health_check_grace_seconds`` counts from RUNNING."""

    desired_count: int = 0
    provisioning_seconds: float = 2.0
    pending_seconds: float = 4.0
    stop_timeout_seconds: float = 30.0
    health_check_grace_seconds: float = 30.0
    health_check_path: str = "/"
    health_check_interval_seconds: float = 2.0
    health_check_timeout_seconds: float = 1.5
    healthy_threshold: int = 2
    unhealthy_threshold: int = 2
    deregistration_delay_seconds: float = 10.0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ScalableTargetTable:
    min: int
    max: int


@dataclass(frozen=True)
class WeightsTable:
    """Weights of the two pools, 0 to 999; the key ``lambda`` is read into ``lambda_``."""

    lambda_: int = 1
    ecs: int = 0


@dataclass(frozen=True)
class RuleTable:
    """One more rule that forwards to both pools, by path."""

    priority: int
    path: str
    weights: WeightsTable = field(default_factory=WeightsTable)


@dataclass(frozen=True)
class AlarmTable:
    """An alarm on a metric of the application's function."""

    name: str
    metric: str
    statistic: str
    threshold: float
    comparison: str = "GreaterThanOrEqualToThreshold"
    period_seconds: int = 5
    evaluation_periods: int = 3
    datapoints_to_alarm: int = 2
    missing_data: str = "missing"
    description: str = ""

    def problems(self) -> list[str]:
        return [
            *one_of("metric", self.metric, LAMBDA_METRICS),
            *_statistic_problem(self.statistic),
            *one_of("comparison", self.comparison, tuple(COMPARISONS)),
            *one_of("missing_data", self.missing_data, MISSING_DATA),
            *one_of("datapoints_to_alarm", self.datapoints_to_alarm, range(1, self.evaluation_periods + 1)),
            *one_of("period_seconds", self.period_seconds, (5, 10, 20, 30, *range(60, 3601, 60))),
        ]


@dataclass(frozen=True)
class ApplicationTable:
    """One API behind its own load balancer, with a Lambda and an ECS pool."""

    name: str = ""
    function: FunctionTable = field(default_factory=FunctionTable)
    task: TaskTable = field(default_factory=TaskTable)
    weights: WeightsTable = field(default_factory=WeightsTable)
    scalable_target: ScalableTargetTable | None = None
    rules: tuple[RuleTable, ...] = ()
    alarms: tuple[AlarmTable, ...] = ()


@dataclass(frozen=True)
class WorldTable:
    """``node_delays_seconds``: when the load balancers' nodes a and b learn of changed weights."""

    applications: Mapping[str, ApplicationTable]
    region: str = "eu-west-1"
    account: str = "123456789012"
    cluster: str = "apis"
    account_concurrency: int = 1000
    node_delays_seconds: tuple[float, float] = (0.5, 3.0)

    def problems(self) -> list[str]:
        delays_fit = len(self.node_delays_seconds) == 2
        return [
            *([] if self.applications else ["applications: at least one [applications.SLUG] table is needed"]),
            *([] if delays_fit else ["node_delays_seconds: two numbers are needed, for nodes a and b"]),
        ]


def load(path: Path) -> WorldTable:
    """Reads a world file. Raises WorldError."""
    try:
        world: WorldTable = read_file(WorldTable, path)
    except TableError as error:
        raise WorldError(str(error)) from error
    return world


def _statistic_problem(statistic: str) -> list[str]:
    if statistic in STATISTICS:
        return []
    try:
        percentile_of(statistic)
    except ValueError:
        return [f"statistic: {statistic!r} is not allowed; allowed are {', '.join(STATISTICS)} and p0 to p100"]
    return []
