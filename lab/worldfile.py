"""The world file: what the lab contains, in TOML.

Every key but those without a default below may be left out. An error names file, key and what is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.alarm_tables import AlarmTable, CompositeAlarmTable
from lab.event_patterns import PatternError
from lab.event_patterns import read as read_pattern
from lab.event_rules import DAY_SECONDS, MOST_RETRIES
from lab.iam import RoleTable, UserTable
from lab.tables import TableError, one_of, read_file
from lab.tasks import IMAGE

SLOW_START = (0, *range(30, 901))
SERVICE_STATUSES = ("ACTIVE", "INACTIVE")


class WorldError(Exception):
    """The world file cannot be used; the message is a sentence for the reader of the file."""


@dataclass(frozen=True)
class FunctionTable:
    """``reserved_concurrency`` left out: the function shares what the account has left.

    Health checks of a function are off by default, as on AWS: each is an invocation that costs concurrency.
    """

    reserved_concurrency: int | None = None
    timeout_seconds: float = 29.0
    warm_environments: int = 1
    idle_seconds: float = 900.0
    multi_value_headers: bool = False
    health_check: bool = False
    health_check_path: str = "/"
    health_check_interval_seconds: float = 35.0
    health_check_timeout_seconds: float = 30.0
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskTable:
    """The service and its tasks; times in seconds, ``health_check_grace_seconds`` counts from RUNNING."""

    desired_count: int = 0
    status: str = "ACTIVE"
    image: str = IMAGE
    circuit_breaker: bool = True
    rollback: bool = True
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
    slow_start_seconds: int = 0
    unhealthy_draining_seconds: float = 0.0
    environment: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        return [
            *one_of("slow_start_seconds", self.slow_start_seconds, SLOW_START),
            *one_of("status", self.status, SERVICE_STATUSES),
        ]


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
class ThirdGroupTable:
    """One more target group in every forward action, another Lambda group of the same function."""

    name: str = "canary"
    weight: int = 0


@dataclass(frozen=True)
class EventRuleTable:
    """A rule of the default event bus to the API destination; ``pattern`` is JSON, as PutRule takes it."""

    name: str
    pattern: str
    retries: int = MOST_RETRIES
    age_seconds: float = DAY_SECONDS
    dead_letter_queue: bool = True

    def problems(self) -> list[str]:
        try:
            read_pattern(self.pattern)
        except PatternError as error:
            return [f"pattern: {error}"]
        return []


@dataclass(frozen=True)
class ApplicationTable:
    """One API behind its own load balancer, with a Lambda and an ECS pool; account and region "" are the file's.

    ``stickiness_seconds`` over 0 switches target group stickiness on in every forward action.
    """

    name: str = ""
    function: FunctionTable = field(default_factory=FunctionTable)
    task: TaskTable = field(default_factory=TaskTable)
    weights: WeightsTable = field(default_factory=WeightsTable)
    stickiness_seconds: int = 0
    third_group: ThirdGroupTable | None = None
    scalable_target: ScalableTargetTable | None = None
    rules: tuple[RuleTable, ...] = ()
    alarms: tuple[AlarmTable, ...] = ()
    composite_alarms: tuple[CompositeAlarmTable, ...] = ()
    account: str = ""
    region: str = ""

    def problems(self) -> list[str]:
        if self.scalable_target and self.task.status != "ACTIVE":
            return [f"scalable_target: a service that is {self.task.status} has none"]
        return []


@dataclass(frozen=True)
class DynamoTable:
    """A DynamoDB table by its partition key, a text attribute; account and region "" are the file's."""

    name: str
    key: str
    account: str = ""
    region: str = ""


@dataclass(frozen=True)
class WorldTable:
    """``node_delays_seconds``: when the load balancers' nodes a and b learn of changed weights.

    Without ``event_rules`` there are those of ``lab.event_rules.default_rules``.
    ``unknown_keys``: whoever calls with an access key of no user is an administrator of the file's account, or refused.
    """

    applications: Mapping[str, ApplicationTable]
    region: str = "eu-west-1"
    account: str = "123456789012"
    cluster: str = "apis"
    account_concurrency: int = 1000
    node_delays_seconds: tuple[float, float] = (0.5, 3.0)
    event_rules: tuple[EventRuleTable, ...] = ()
    unknown_keys: str = "administrator"
    throttling: bool = True
    users: Mapping[str, UserTable] = field(default_factory=dict)
    roles: Mapping[str, RoleTable] = field(default_factory=dict)
    tables: tuple[DynamoTable, ...] = ()

    def problems(self) -> list[str]:
        delays_fit = len(self.node_delays_seconds) == 2
        applications = self.applications.values()
        composites = [each for application in applications for each in application.composite_alarms]
        named = {alarm.name for application in applications for alarm in application.alarms}
        named |= {composite.name for composite in composites}
        keys = [user.access_key_id for user in self.users.values()]
        return [
            *([] if self.applications else ["applications: at least one [applications.SLUG] table is needed"]),
            *([] if delays_fit else ["node_delays_seconds: two numbers are needed, for nodes a and b"]),
            *(["users: an access_key_id may belong to one user alone"] if len(set(keys)) < len(keys) else []),
            *(
                f"composite_alarms: {c.name} asks for an alarm {n!r}, which the file does not have"
                for c in composites
                for n in c.asks_for()
                if n not in named
            ),
            *one_of("unknown_keys", self.unknown_keys, ("administrator", "refused")),
        ]


def load(path: Path) -> WorldTable:
    """Reads a world file. Raises WorldError."""
    try:
        world: WorldTable = read_file(WorldTable, path)
    except TableError as error:
        raise WorldError(str(error)) from error
    return world
