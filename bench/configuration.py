"""A running lab's application as the controller is configured with it."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from failover.config import parse
from failover.model import Application, Policy
from lab.process import LabProcess
from stack.laboratory import LabApplication, laboratory

SLUG = "checkout"
LEASES = "failover-leases"
PREWARM = "checkout-lambda-prewarm"


def toml(lab: LabProcess, policy: Policy, slug: str = SLUG, *, prewarm: bool = False, lease: bool = True) -> str:
    """The text of the application's file. The name tells labs apart, whose ARNs are all the same."""
    found = laboratory(lab.description).application(slug)
    about = {
        "slug": slug,
        "name": f"{slug.capitalize()} at {lab.endpoint}",
        "region": lab.description["region"],
        "alarms": [name for name in found.alarms if name != PREWARM],
        "prewarm_alarms": [PREWARM] if prewarm else [],
        "lease_table": LEASES if lease else "",
    }
    return "\n".join([_table("[application]", about), *_pools(found), _table("[policy]", asdict(policy))])


def application(lab: LabProcess, policy: Policy, slug: str = SLUG) -> Application:
    """The same, as the controller reads it; without a lease table, since nobody else writes."""
    return parse(tomllib.loads(toml(lab, policy, slug, lease=False)), "the benchmark")


@contextmanager
def environment(lab: LabProcess, **more: str) -> Iterator[None]:
    """Points the AWS SDK of this process at the lab, with more variables as a Lambda function has them."""
    before = dict(os.environ)
    os.environ.update(laboratory(lab.description).aws_environment() | more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _pools(found: LabApplication) -> list[str]:
    function = {"function_name": found.function_name, "target_group_arn": found.lambda_target_group_arn}
    service = {"cluster": found.cluster, "service": found.service, "target_group_arn": found.ecs_target_group_arn}
    route = {"listener_arn": found.listener_arn}
    return [_table("[lambda]", function), _table("[ecs]", service), _table("[[routes]]", route)]


def _table(header: str, values: Mapping[str, Any]) -> str:
    # JSON writes these strings, numbers and lists just as TOML does.
    return "\n".join([header, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])
