"""An application's document as TOML: imported again it changes nothing."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import tomlkit

from failover.model import Policy
from failover.model.drills import Drills
from panel.fleet.applications import Document, without_external_id
from panel.fleet.models import Application

# In the order of the documentation; whatever else a document has comes after.
ORDER: dict[str, tuple[str, ...]] = {
    "application": (
        "slug", "name", "region", "role_arn", "external_id", "team", "alarms", "alarm_rule", "prewarm_alarms", "mode",
        "probe_url", "probe_header", "lease_table",
    ),
    "lambda": ("function_name", "target_group_arn"),
    "ecs": ("cluster", "service", "target_group_arn"),
    "policy": tuple(each.name for each in fields(Policy)),
    "drills": tuple(each.name for each in fields(Drills)),
}  # fmt: skip


def exported(application: Application) -> str:
    """Its configuration as TOML. It holds no secret; the external id is its team's, and left to the panel."""
    return text(without_external_id(application))


def text(document: Document) -> str:
    """Any sound document as TOML, in one order and form, so that two exports can be compared."""
    written = tomlkit.document()
    for name in ("application", "lambda", "ecs"):
        written[name] = _table(document[name], ORDER[name])
    routes = tomlkit.aot()
    for route in document["routes"]:
        routes.append(_table(route, ()))
    written["routes"] = routes
    for name in ("policy", "drills"):
        if name in document:
            written[name] = _table(document[name], ORDER[name])
    return tomlkit.dumps(written)


def _table(values: Document, order: tuple[str, ...]) -> Any:
    table = tomlkit.table()
    for key in (*(name for name in order if name in values), *(name for name in values if name not in order)):
        table[key] = values[key]
    return table
