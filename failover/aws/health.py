"""The health of a target group's targets.

Source: ELBv2 API reference, DescribeTargetHealth: one group a call, no pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from failover.model import Targets

UNCHECKED = "unavailable"  # of a target whose group has no health checks

States = list[tuple[str, str]]  # a target's id (address, or function ARN) and its state


def read(elbv2: Any, group_arn: str) -> States:
    answer = elbv2.describe_target_health(TargetGroupArn=group_arn)
    return [(each["Target"]["Id"], each["TargetHealth"]["State"]) for each in answer["TargetHealthDescriptions"]]


def targets(ecs: States, functions: States, addresses: Collection[str]) -> Targets:
    """`addresses` are those of the service's running tasks: no other target of the group counts as healthy."""
    healthy = {target for target, state in ecs if state == "healthy"} & set(addresses)
    return Targets(len(healthy), _counted(ecs), _counted(functions))


def _counted(states: States) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(state for _, state in states).items()))
