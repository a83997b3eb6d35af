"""The lab's applications as the TOML files that the panel imports."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stack.laboratory import LabApplication, Laboratory

# Minutes become seconds, so that a whole incident can be watched; the lab publishes metrics every 5 s.
_POLICY = {
    "failover_count": 2,
    "min_healthy": 2,
    "step_seconds": 5,
    "settle_seconds": 5,
    "drain_seconds": 20,
    "bake_seconds": 15,
    "scale_deadline_seconds": 120,
    "dwell_seconds": 15,
    "cooldown_seconds": 20,
    "metric_period_seconds": 5,
    "failback_steps": [90, 50, 0],
    "healthy_checks": 2,
}
_DRILLS = {"target_seconds": 60, "stay_seconds": 15}
_POLICIES = {"checkout": {"failover_count": 3}}


def write_applications(lab: Laboratory, directory: Path) -> list[Path]:
    """One file per application, `SLUG.toml`; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{application.slug}.toml" for application in lab.applications]
    for path, application in zip(paths, lab.applications, strict=True):
        path.write_text(application_toml(application, lab.region))
    return paths


def application_toml(application: LabApplication, region: str, policy: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The application's TOML; `policy` is for who wants other figures than the demonstration has."""
    about = {"slug": application.slug, "name": application.name, "region": region}
    behaviour = {"alarms": list(application.alarms), "mode": "auto"}
    # Its answer names the pool: what users get while traffic moves shows on the operation's page.
    probe = {"probe_url": f"{application.urls[0]}/env"}
    function = {"function_name": application.function_name, "target_group_arn": application.lambda_target_group_arn}
    service = {"cluster": application.cluster, "service": application.service}
    tables = [
        _table("[application]", about | behaviour | probe),
        _table("[lambda]", function),
        _table("[ecs]", service | {"target_group_arn": application.ecs_target_group_arn}),
        _table("[[routes]]", {"listener_arn": application.listener_arn}),
        *(_table("[[routes]]", {"rule_arn": arn}) for arn in application.rule_arns),
        _table("[policy]", _POLICY | _POLICIES.get(application.slug, {}) | dict(policy)),
        _table("[drills]", _DRILLS),
    ]
    return "\n".join(tables)


def _table(header: str, values: Mapping[str, Any]) -> str:
    # JSON writes these strings, numbers and lists just as TOML does.
    return "\n".join([header, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])
