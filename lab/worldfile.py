"""The world file: what the lab contains, in TOML.

Every key but those without a default below may be left out. An error names file, key and what is allowed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.actions import MOST_WEIGHT
from lab.alarm_tables import AlarmTable, CompositeAlarmTable
from lab.event_patterns import PatternError
from lab.event_patterns import read as read_pattern
from lab.event_rules import DAY_SECONDS, MOST_RETRIES
from lab.iam import RoleTable, UserTable
from lab.spellings import ACCOUNT, NAME, PATH, REGION, RULE_PATH, SLUG, TAG_KEY, TAG_VALUE, VARIABLE
from lab.tables import TableError, one_of, ranges, read_file, spelled, twice
from lab.tasks import IMAGE

SLOW_START = (0, *range(30, 901))
DAY = 86_400
MOST_TASKS = 250
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
    tags: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        return [
            *ranges(self, timeout_seconds=(0.1, 900), warm_environments=(0, 100), idle_seconds=(1, DAY)),
            *_check_problems(self),
        ]


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
    tags: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        return [
            *one_of("slow_start_seconds", self.slow_start_seconds, SLOW_START),
            *one_of("status", self.status, SERVICE_STATUSES),
            *ranges(
                self,
                desired_count=(0, MOST_TASKS),
                provisioning_seconds=(0, DAY),
                pending_seconds=(0, DAY),
                stop_timeout_seconds=(0, 120),
                health_check_grace_seconds=(0, DAY),
                deregistration_delay_seconds=(0, 3600),
                unhealthy_draining_seconds=(0, DAY),
            ),
            *_check_problems(self),
        ]


@dataclass(frozen=True)
class ScalableTargetTable:
    min: int
    max: int

    def problems(self) -> list[str]:
        return ranges(self, max=(0, MOST_TASKS), min=(0, self.max))


@dataclass(frozen=True)
class WeightsTable:
    """Weights of the two pools, 0 to 999; the key ``lambda`` is read into ``lambda_``."""

    lambda_: int = 1
    ecs: int = 0

    def problems(self) -> list[str]:
        if not self.lambda_ and not self.ecs:
            return ["lambda: 0 beside ecs = 0 leaves requests nowhere to go; one of them must be more"]
        return ranges(self, lambda_=(0, MOST_WEIGHT), ecs=(0, MOST_WEIGHT))


@dataclass(frozen=True)
class RuleTable:
    """One more rule that forwards to both pools, by path."""

    priority: int
    path: str
    weights: WeightsTable = field(default_factory=WeightsTable)

    def problems(self) -> list[str]:
        return [*ranges(self, priority=(1, 50_000)), *spelled("path", self.path, *RULE_PATH)]


@dataclass(frozen=True)
class ThirdGroupTable:
    """One more target group in every forward action, another Lambda group of the same function."""

    name: str = "canary"
    weight: int = 0

    def problems(self) -> list[str]:
        taken = [f"name: {self.name!r} is the name of a pool"] if self.name in {"lambda", "ecs"} else []
        return [*taken, *spelled("name", self.name, *SLUG), *ranges(self, weight=(0, MOST_WEIGHT))]


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
        return [
            *spelled("name", self.name, *NAME),
            *ranges(self, retries=(0, MOST_RETRIES), age_seconds=(60, DAY_SECONDS)),
        ]


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
        bounded = self.scalable_target and self.task.status != "ACTIVE"
        return [
            *([f"scalable_target: a service that is {self.task.status} has none"] if bounded else []),
            *ranges(self, stickiness_seconds=(0, 7 * DAY)),
            *twice((f"rules[{i}].priority", (each.priority,)) for i, each in enumerate(self.rules)),
            *twice((f"rules[{i}].path", (each.path,)) for i, each in enumerate(self.rules)),
            *_place_problems(self),
        ]


@dataclass(frozen=True)
class DynamoTable:
    """A DynamoDB table by its partition key, a text attribute; account and region "" are the file's."""

    name: str
    key: str
    account: str = ""
    region: str = ""

    def problems(self) -> list[str]:
        return [*spelled("name", self.name, *NAME), *spelled("key", self.key, *NAME), *_place_problems(self)]


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
            *(problem for slug in self.applications for problem in spelled("applications", slug, *SLUG)),
            *ranges(self, account_concurrency=(1, 1_000_000)),
            *(f"node_delays_seconds: {each:g} is more than 600" for each in self.node_delays_seconds if each > 600),
            *spelled("account", self.account, *ACCOUNT),
            *spelled("region", self.region, *REGION),
            *spelled("cluster", self.cluster, *NAME),
            *twice((f"event_rules[{i}].name", (each.name,)) for i, each in enumerate(self.event_rules)),
            *twice((f"tables[{i}].name", (each.name, *self.place(each))) for i, each in enumerate(self.tables)),
            *twice(self._alarm_names()),
            *self._reserved_problems(),
        ]

    def place(self, part: "ApplicationTable | DynamoTable") -> tuple[str, str]:
        """The account and region that it is in."""
        return part.account or self.account, part.region or self.region

    def _alarm_names(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        for slug, application in self.applications.items():
            place = self.place(application)
            for i, alarm in enumerate(application.alarms):
                yield f"applications.{slug}.alarms[{i}].name", (alarm.name, *place)
            for i, composite in enumerate(application.composite_alarms):
                yield f"applications.{slug}.composite_alarms[{i}].name", (composite.name, *place)

    def _reserved_problems(self) -> list[str]:
        reserved: Counter[tuple[str, str]] = Counter()
        for application in self.applications.values():
            reserved[self.place(application)] += application.function.reserved_concurrency or 0
        return [
            f"account_concurrency: the functions of {' in '.join(place)} reserve {count}, more than the account has"
            for place, count in reserved.items()
            if count > self.account_concurrency
        ]


def _check_problems(table: FunctionTable | TaskTable) -> list[str]:
    """Of the keys that a function and a task have in common."""
    checks = ranges(
        table,
        health_check_interval_seconds=(0.1, 300),
        health_check_timeout_seconds=(0.1, 120),
        healthy_threshold=(1, 10),
        unhealthy_threshold=(1, 10),
    )
    names = [problem for name in table.environment for problem in spelled("environment", name, *VARIABLE)]
    ended = [f"environment.{name}: a value has no NUL" for name, value in table.environment.items() if "\0" in value]
    tags = [problem for each in table.tags.items() for problem in _tag_problems(*each)]
    return [*checks, *spelled("health_check_path", table.health_check_path, *PATH), *names, *ended, *tags]


def _tag_problems(key: str, value: str) -> list[str]:
    return [*spelled("tags", key, *TAG_KEY), *spelled(f"tags.{key}", value, *TAG_VALUE)]


def _place_problems(table: ApplicationTable | DynamoTable) -> list[str]:
    account = spelled("account", table.account, *ACCOUNT) if table.account else []
    return [*account, *(spelled("region", table.region, *REGION) if table.region else [])]


def load(path: Path) -> WorldTable:
    """Reads a world file. Raises WorldError."""
    try:
        world: WorldTable = read_file(WorldTable, path)
    except TableError as error:
        raise WorldError(str(error)) from error
    return world
