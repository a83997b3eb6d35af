"""The world file: what the lab contains, in TOML.

Every key but those without a default below may be left out. An error names file, key and what is allowed.
"""

import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from lab.alarms import COMPARISONS, MISSING_DATA
from lab.cloudwatch import percentile_of
from lab.iam import RoleTable, UserTable

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
            *_one_of("metric", self.metric, LAMBDA_METRICS),
            *_statistic_problem(self.statistic),
            *_one_of("comparison", self.comparison, tuple(COMPARISONS)),
            *_one_of("missing_data", self.missing_data, MISSING_DATA),
            *_one_of("datapoints_to_alarm", self.datapoints_to_alarm, range(1, self.evaluation_periods + 1)),
            *_one_of("period_seconds", self.period_seconds, (5, 10, 20, 30, *range(60, 3601, 60))),
        ]


@dataclass(frozen=True)
class ApplicationTable:
    """One API behind its own load balancer, with a Lambda and an ECS pool; account and region "" are the file's."""

    name: str = ""
    function: FunctionTable = field(default_factory=FunctionTable)
    task: TaskTable = field(default_factory=TaskTable)
    weights: WeightsTable = field(default_factory=WeightsTable)
    scalable_target: ScalableTargetTable | None = None
    rules: tuple[RuleTable, ...] = ()
    alarms: tuple[AlarmTable, ...] = ()
    account: str = ""
    region: str = ""


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

    ``unknown_keys``: whoever calls with an access key of no user is an administrator of the file's account, or refused.
    """

    applications: Mapping[str, ApplicationTable]
    region: str = "eu-west-1"
    account: str = "123456789012"
    cluster: str = "apis"
    account_concurrency: int = 1000
    node_delays_seconds: tuple[float, float] = (0.5, 3.0)
    unknown_keys: str = "administrator"
    throttling: bool = True
    users: Mapping[str, UserTable] = field(default_factory=dict)
    roles: Mapping[str, RoleTable] = field(default_factory=dict)
    tables: tuple[DynamoTable, ...] = ()

    def problems(self) -> list[str]:
        delays_fit = len(self.node_delays_seconds) == 2
        keys = [user.access_key_id for user in self.users.values()]
        return [
            *([] if self.applications else ["applications: at least one [applications.SLUG] table is needed"]),
            *([] if delays_fit else ["node_delays_seconds: two numbers are needed, for nodes a and b"]),
            *(["users: an access_key_id may belong to one user alone"] if len(set(keys)) < len(keys) else []),
            *_one_of("unknown_keys", self.unknown_keys, ("administrator", "refused")),
        ]


def load(path: Path) -> WorldTable:
    """Reads a world file. Raises WorldError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(f"{path}: the world file cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: not valid TOML: {error}.") from error
    try:
        world: WorldTable = _read(WorldTable, table, "")
    except _WrongKeyError as error:
        raise WorldError(f"{path}: {error}.") from error
    return world


class _WrongKeyError(Exception):
    """Says which key is wrong and what is allowed; ``load`` adds the file."""


def _read(kind: Any, value: Any, key: str) -> Any:
    """Reads one TOML value as ``kind``: a table's dataclass, a scalar, a tuple or a mapping of these."""
    if hasattr(kind, "__dataclass_fields__"):
        return _read_table(kind, value, key)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return _read(arguments[0], value, key)
    if origin is tuple:
        return tuple(_read(arguments[0], each, f"{key}[{i}]") for i, each in enumerate(_expect(list, value, key)))
    if origin is not None:
        return {k: _read(arguments[1], each, f"{key}.{k}") for k, each in _expect(dict, value, key).items()}
    if kind is float:
        return float(_at_least_zero(_expect(float, value, key), key))
    return _at_least_zero(_expect(kind, value, key), key) if kind is int else _expect(kind, value, key)


def _read_table(kind: Any, value: Any, key: str) -> Any:
    table = _expect(dict, value, key)
    hints = get_type_hints(kind)
    known = {each.name.rstrip("_"): each for each in fields(kind)}
    prefix = f"{key}." if key else ""
    for name in table:
        if name not in known:
            raise _WrongKeyError(f"{prefix}{name}: unknown key; allowed are {', '.join(known)}")
    for name, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and name not in table:
            raise _WrongKeyError(f"{prefix}{name}: this key is missing")
    read = kind(**{known[name].name: _read(hints[known[name].name], v, prefix + name) for name, v in table.items()})
    for problem in read.problems() if hasattr(read, "problems") else []:
        raise _WrongKeyError(prefix + problem)
    return read


def _expect(kind: type, value: Any, key: str) -> Any:
    allowed = (int, float) if kind is float else kind
    if isinstance(value, allowed) and not (isinstance(value, bool) and kind is not bool):
        return value
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
    raise _WrongKeyError(f"{key or 'the file'}: {value!r} is not {names.get(kind, 'a number')}")


def _at_least_zero(value: float, key: str) -> float:
    if value < 0:
        raise _WrongKeyError(f"{key}: {value!r} is negative; 0 or more is allowed")
    return value


def _one_of(key: str, value: object, allowed: Any) -> list[str]:
    if value in allowed:
        return []
    shown = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 8 else ", ".join(map(str, allowed))
    return [f"{key}: {value!r} is not allowed; allowed are {shown}"]


def _statistic_problem(statistic: str) -> list[str]:
    if statistic in STATISTICS:
        return []
    try:
        percentile_of(statistic)
    except ValueError:
        return [f"statistic: {statistic!r} is not allowed; allowed are {', '.join(STATISTICS)} and p0 to p100"]
    return []
