"""A configuration from environment variables: the whole TOML in one, or the few that a small installation needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from failover import config
from failover.config import ConfigError
from failover.model import Application, Policy

SOURCE = "environment"
CONFIG = "FAILOVER_CONFIG"
SSM = "ssm:"
_REQUIRED = (
    "ECS_CLUSTER",
    "ECS_SERVICE",
    "LAMBDA_TARGET_GROUP_ARN",
    "ECS_TARGET_GROUP_ARN",
    "LAMBDA_FUNCTION_NAME",
    "ALARM_NAMES",
)


def application(variables: Mapping[str, str], read_parameter: Callable[[str], str]) -> Application:
    """Read `FAILOVER_CONFIG` (a path, `ssm:NAME`, or TOML text), or the few variables where it is not set.

    `read_parameter` answers with the text of an SSM parameter. Raises ConfigError, AwsError.
    """
    given = variables.get(CONFIG, "").strip()
    if not given:
        return config.parse(document(variables), SOURCE)
    if given.startswith(SSM):
        return config.parse(config.read_text(read_parameter(given.removeprefix(SSM)), given), given)
    if "\n" in given or given.startswith("["):
        return config.parse(config.read_text(given, CONFIG), CONFIG)
    return config.load(given)


def document(variables: Mapping[str, str]) -> dict[str, Any]:
    """The few variables as an application's TOML document. Raises ConfigError where one is missing."""
    problems = [f"{SOURCE}: {name} must be given, or {CONFIG} instead of all." for name in _missing(variables)]
    if len(_routes(variables)) != 1:
        problems.append(f"{SOURCE}: give exactly one of LISTENER_ARN and RULE_ARN.")
    if problems:
        raise ConfigError(problems)
    function = variables["LAMBDA_FUNCTION_NAME"]
    group = variables["ECS_TARGET_GROUP_ARN"]
    return {
        "application": {
            "slug": _slug(function),
            "region": variables.get("AWS_REGION") or (group.split(":") + [""] * 4)[3],
            "alarms": _list(variables["ALARM_NAMES"]),
            "lease_table": variables.get("LEASE_TABLE", ""),
        },
        "lambda": {"function_name": function, "target_group_arn": variables["LAMBDA_TARGET_GROUP_ARN"]},
        "ecs": {
            "cluster": variables["ECS_CLUSTER"],
            "service": variables["ECS_SERVICE"],
            "target_group_arn": group,
        },
        "routes": [_routes(variables)],
        "policy": _policy(variables),
    }


def _missing(variables: Mapping[str, str]) -> list[str]:
    return [name for name in _REQUIRED if not variables.get(name)]


def _routes(variables: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): variables[name] for name in ("LISTENER_ARN", "RULE_ARN") if variables.get(name)}


def _slug(function: str) -> str:
    """A function's name (or ARN) as a slug: lower case, and `-` for what a slug can't hold."""
    name = function.rsplit(":", 1)[-1].lower()
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-")[:60]


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _policy(variables: Mapping[str, str]) -> dict[str, Any]:
    """Policy keys in capitals, as what their defaults are; text that is no number is left for the check to name."""
    defaults = {field.name: field.default for field in fields(Policy)}
    return {
        name: converted(variables[name.upper()], default)
        for name, default in defaults.items()
        if variables.get(name.upper())
    }


def converted(text: str, default: object) -> Any:
    """Text as a value of the default's kind; text that is none is left for the check to name."""
    if isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return [_number(item) for item in _list(text.strip("[]"))]
    return _number(text)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
