"""An application's TOML: read, checked, and turned into failover.model.Application.

Every problem is a sentence that names the file, the key and what is allowed; all of them are told at once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from failover import drill_table
from failover.model import Application, Mode, Policy, Route

TARGET_GROUP = re.compile(r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/\S+/\S+")
LISTENER = re.compile(r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener/app/\S+")
RULE = re.compile(r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener-rule/app/\S+")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
MOST_SHOWN = 200  # characters
MOST_NAME = 120
MOST_ARN = 512
MOST_ALARM_NAME = 255  # CloudWatch API reference, PutMetricAlarm
MOST_RESOURCE_NAME = 255
MOST_TEXT = 100_000  # characters of TOML
MOST_DOTS = 200  # in a line: tomllib's time grows with the square of a dotted key's parts, and soon is minutes
REGION = re.compile(r"(?=.{1,32}$)[a-z]{2}(-[a-z]+)+-\d")

Check = Callable[[Any], bool]


class ConfigError(Exception):
    """The configuration can't be used. `problems` holds one sentence each; `by_key` has those that are about one key,
    without the source's name.
    """

    def __init__(self, problems: list[str], by_key: dict[str, str] | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.by_key = by_key or {}


def read(path: str | Path) -> dict[str, Any]:
    """Read a TOML file. Raises ConfigError when it can't be read or is no TOML."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path} can't be read: {error.strerror or error}."]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path} is not UTF-8 text: {error.reason} at byte {error.start}."]) from error
    except ValueError as error:
        raise ConfigError([f"{str(path)!r} is no file's path: {error}."]) from error
    return read_text(text, str(path))


def read_text(text: str, source: str) -> dict[str, Any]:
    """Read TOML. `source` names it in the sentence. Raises ConfigError where it is none."""
    if len(text) > MOST_TEXT:
        raise ConfigError([f"{source} has {len(text)} characters, and an application's TOML at most {MOST_TEXT}."])
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_DOTS:
            raise ConfigError([f"{source}: line {number} has more than {MOST_DOTS} dots; break it into several lines."])
    try:
        return tomllib.loads(text)
    except ValueError as error:  # a number of thousands of digits is none of tomllib's own errors
        raise ConfigError([f"{source} is not valid TOML: {error}."]) from error
    except RecursionError as error:
        raise ConfigError([f"{source} is not valid TOML: it is nested too deep."]) from error


def load(path: str | Path) -> Application:
    return parse(read(path), str(path))


def parse(document: Any, source: str) -> Application:
    """Check a document as `read` gives it. `source` names it in the sentences. Raises ConfigError."""
    if not isinstance(document, dict):
        raise ConfigError([f"{source} must be TOML with the tables [application], [lambda], [ecs] and [[routes]]."])
    reader = _Reader(source)
    reader.tables(document, {"application", "lambda", "ecs", "routes", "policy", "drills"})
    application = _application(reader, document)
    if reader.problems:
        raise ConfigError(reader.problems, reader.by_key)
    return application()


class _Reader:
    """Takes checked values out of tables and collects what is wrong."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []
        self.by_key: dict[str, str] = {}

    def problem(self, key: str, allowed: str, found: object = None) -> None:
        told = "" if found is None else f", not {_shown(found)}"
        self.problems.append(f"{self.source}: {key} must be {allowed}{told}.")
        self.by_key.setdefault(key, f"It must be {allowed}{told}.")

    def unknown(self, keys: set[str], allowed: set[str], where: str) -> None:
        for key in sorted(keys - allowed):
            self.problems.append(f"{self.source}: {where}{key} is unknown. Known are: {', '.join(sorted(allowed))}.")

    def tables(self, document: dict[str, Any], allowed: set[str]) -> None:
        self.unknown(set(document), allowed, "")

    def table(self, document: dict[str, Any], name: str, *, required: bool = True) -> dict[str, Any]:
        value = document.get(name)
        if isinstance(value, dict):
            return value
        if required or value is not None:
            self.problem(f"[{name}]", "a table")
        return {}

    def text(self, table: dict[str, Any], key: str, allowed: str, check: Check, default: str | None = None) -> str:
        found = self.value(table, key, allowed, lambda v: _is_text(v) and check(v), default)
        return found if isinstance(found, str) else ""

    def value(self, table: dict[str, Any], key: str, allowed: str, check: Check, default: Any = None) -> Any:
        name = key.rsplit(".", 1)[-1]
        if name not in table:
            if default is None:
                self.problem(key, f"given: {allowed}")
            return default if default is not None else ""
        if not check(table[name]):
            self.problem(key, allowed, table[name])
        return table[name]


def _shown(value: object) -> str:
    """What stands there, as far as it can be shown: a number may have more digits than Python writes."""
    try:
        return f"{value!r:.{MOST_SHOWN}}"
    except (ValueError, RecursionError):
        return f"what can't be shown ({type(value).__name__})"


def _is_text(value: Any) -> bool:
    """Control characters are in no name, and a database may not take them."""
    return isinstance(value, str) and not any(ord(each) < 32 or ord(each) == 127 for each in value)


def _matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: len(value) <= MOST_ARN and pattern.fullmatch(value) is not None


def _of_length(most: int) -> Check:
    return lambda value: 0 < len(value) <= most


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(item) and 0 < len(item) <= MOST_ALARM_NAME for item in value)


def _application(reader: _Reader, document: dict[str, Any]) -> Callable[[], Application]:
    top = reader.table(document, "application")
    function = reader.table(document, "lambda")
    ecs = reader.table(document, "ecs")
    reader.unknown(set(top), _APPLICATION_KEYS, "application.")
    reader.unknown(set(function), {"function_name", "target_group_arn"}, "lambda.")
    reader.unknown(set(ecs), {"cluster", "service", "target_group_arn"}, "ecs.")
    slug = reader.text(top, "application.slug", "1 to 60 of a-z, 0-9 and -", _matches(SLUG))
    values: dict[str, Any] = {
        "slug": slug,
        "name": reader.text(
            top, "application.name", f"a name of 1 to {MOST_NAME} characters", _of_length(MOST_NAME), slug or "-"
        ),
        "region": reader.text(top, "application.region", "an AWS region such as sa-east-1", _matches(REGION)),
        "role_arn": reader.text(top, "application.role_arn", "an IAM role's ARN or empty", _optional(ROLE), ""),
        "external_id": reader.text(top, "application.external_id", "a string", _any, ""),
        "team": reader.text(top, "application.team", "a string", _any, ""),
        "alarm_rule": reader.text(top, "application.alarm_rule", '"any" or "all"', {"any", "all"}.__contains__, "any"),
        "mode": reader.text(
            top, "application.mode", '"auto", "observe" or "off"', {mode.value for mode in Mode}.__contains__, "auto"
        ),
        "probe_url": reader.text(
            top, "application.probe_url", "an http(s) URL without user and password, or empty", _url_or_empty, ""
        ),
        "probe_header": reader.text(
            top, "application.probe_header", "a header's name such as X-Pool", _matches(HEADER), "X-Pool"
        ),
        "lease_table": reader.text(top, "application.lease_table", "a DynamoDB table's name or empty", _any, ""),
        "function_name": reader.text(
            function, "lambda.function_name", "the function's name", _of_length(MOST_RESOURCE_NAME)
        ),
        "cluster": reader.text(ecs, "ecs.cluster", "the cluster's name", _of_length(MOST_RESOURCE_NAME)),
        "service": reader.text(ecs, "ecs.service", "the service's name", _of_length(MOST_RESOURCE_NAME)),
    }
    for key, table in (("lambda.target_group_arn", function), ("ecs.target_group_arn", ecs)):
        values[key.replace("lambda.", "lambda_").replace("ecs.", "ecs_")] = reader.text(
            table, key, "a target group's ARN (arn:aws:elasticloadbalancing:…:targetgroup/…)", _matches(TARGET_GROUP)
        )
    alarms = reader.value(top, "application.alarms", "a list of at least one alarm name", lambda v: _names(v) and v)
    prewarm = reader.value(top, "application.prewarm_alarms", "a list of alarm names", _names, ())
    if values["lambda_target_group_arn"] and values["lambda_target_group_arn"] == values["ecs_target_group_arn"]:
        reader.problem("ecs.target_group_arn", "another target group than lambda.target_group_arn")
    routes = _routes(reader, document.get("routes"))
    policy = _policy(reader, reader.table(document, "policy", required=False))
    drills_table = reader.table(document, "drills", required=False)
    reader.unknown(set(drills_table), drill_table.KEYS, "drills.")
    drills = drill_table.read(drills_table, reader.problem)
    return lambda: Application(
        **{**values, "mode": Mode(values["mode"])},
        alarms=tuple(alarms),
        prewarm_alarms=tuple(prewarm),
        routes=routes,
        policy=policy,
        drills=drills,
    )


_APPLICATION_KEYS = {
    "slug", "name", "region", "role_arn", "external_id", "team", "alarms", "alarm_rule", "prewarm_alarms", "mode",
    "probe_url", "probe_header", "lease_table",
}  # fmt: skip


def _any(_: Any) -> bool:
    return True


def _optional(pattern: re.Pattern[str]) -> Check:
    return lambda value: value == "" or pattern.fullmatch(value) is not None


def _url_or_empty(value: str) -> bool:
    """It is shown on pages and in exports: credentials have no place in it."""
    return value == "" or re.fullmatch(r"https?://[^\s/@]+(/\S*|[?#]\S*)?", value) is not None


def _routes(reader: _Reader, entries: Any) -> tuple[Route, ...]:
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        reader.problem("[[routes]]", "at least one table with listener_arn or rule_arn")
        return ()
    arns = []
    for number, entry in enumerate(entries, 1):
        where = f"routes[{number}]."
        reader.unknown(set(entry), {"listener_arn", "rule_arn"}, where)
        if len(entry.keys() & {"listener_arn", "rule_arn"}) != 1:
            reader.problem(f"routes[{number}]", "given with exactly one of listener_arn and rule_arn")
        elif "rule_arn" in entry:
            arns.append(reader.text(entry, f"{where}rule_arn", "a listener rule's ARN", _matches(RULE)))
        else:
            arns.append(reader.text(entry, f"{where}listener_arn", "a listener's ARN", _matches(LISTENER)))
    given = [arn for arn in arns if arn]
    if len(set(given)) != len(given):
        reader.problem("[[routes]]", "a list in which each ARN stands once")
    return tuple(Route(arn) for arn in arns)


# ---- policy: what is allowed for each key ----


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(low: int, high: int) -> tuple[str, Check]:
    return f"a whole number from {low} to {high}", lambda v: _is_whole(v) and low <= v <= high


def _number(low: float, high: float) -> tuple[str, Check]:
    return f"a number from {low:g} to {high:g}", lambda v: _is_number(v) and low <= v <= high


def _percents(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(_is_whole(v) and 0 <= v <= 100 for v in value)


_DAY = 86_400
_POLICY: dict[str, tuple[str, Check]] = {
    "failover_count": _whole(1, 5000),
    "standby_count": _whole(0, 5000),
    "min_healthy": _whole(1, 5000),
    "requests_per_task": _number(0, 1_000_000),
    "shift_steps": (
        "rising percentages of traffic on ECS that end with 100, such as [10, 50, 100]",
        lambda v: _percents(v) and v == sorted(set(v)) and v[0] > 0 and v[-1] == 100,
    ),
    "failback_steps": (
        "falling percentages of traffic on ECS that end with 0, such as [90, 50, 0]",
        lambda v: _percents(v) and v == sorted(set(v), reverse=True) and v[0] < 100 and v[-1] == 0,
    ),
    "step_seconds": _number(0, 3600),
    "healthy_checks": _whole(1, 20),
    "max_5xx_percent": _number(0, 100),
    "min_requests": _whole(1, 1_000_000),
    "on_inconclusive": ('"hold" or "continue"', lambda v: v in ("hold", "continue")),
    "settle_seconds": _number(0, 3600),
    "drain_seconds": _number(0, 7200),
    "bake_seconds": _number(0, _DAY),
    "scale_deadline_seconds": _number(10, 7200),
    "dwell_seconds": _number(0, _DAY),
    "cooldown_seconds": _number(0, _DAY),
    "demand_headroom": _number(0, 1),
    "metric_period_seconds": (
        "1, 5, 10, 20, 30 or a multiple of 60 up to 3600, as CloudWatch takes them",
        lambda v: _is_whole(v) and (v in (1, 5, 10, 20, 30) or (v % 60 == 0 and 60 <= v <= 3600)),
    ),
    "max_event_age_seconds": _number(1, _DAY),
    "probe_per_second": _number(0, 20),
    "probe_timeout_seconds": _number(0.1, 30),
}


def _policy(reader: _Reader, table: dict[str, Any]) -> Policy:
    reader.unknown(set(table), set(_POLICY), "policy.")
    values = {name: table[name] for name in table.keys() & _POLICY.keys()}
    for name, value in values.items():
        allowed, check = _POLICY[name]
        if not check(value):
            reader.problem(f"policy.{name}", allowed, value)
    if reader.problems:
        return Policy()
    if "min_healthy" not in values:
        values["min_healthy"] = values.get("failover_count", Policy.failover_count)
    count = values.get("failover_count", Policy.failover_count)
    if values["min_healthy"] > count:
        reader.problem("policy.min_healthy", f"at most policy.failover_count ({count})", values["min_healthy"])
    checked: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Policy(**checked)
