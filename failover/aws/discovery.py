"""What an account has in one region, as far as an application can be made of it.

Sources: ELBv2, DescribeLoadBalancers, DescribeTargetGroups; ECS, ListClusters, ListServices (10 a page) and
DescribeServices; CloudWatch, DescribeAlarms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from failover.aws import actions, clients, health, listeners, services
from failover.aws.checking import NOBODY, Asker, alarm_facts, caller_of
from failover.model import Application, Reading
from failover.precondition_facts import UNREAD, AlarmFacts, Caller

LAMBDA_NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True)
class Forwarding:
    """A listener's default action or a rule, and the target groups that it forwards to."""

    arn: str
    label: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class RunningService:
    cluster: str
    name: str
    target_groups: tuple[str, ...]


@dataclass(frozen=True)
class Inventory:
    """`functions` has, by target group, the function that is registered in it."""

    caller: Reading[Caller] = UNREAD
    places: Reading[tuple[Forwarding, ...]] = UNREAD
    functions: Reading[dict[str, str]] = UNREAD
    services: Reading[tuple[RunningService, ...]] = UNREAD
    alarms: Reading[tuple[AlarmFacts, ...]] = UNREAD


def discover(region: str, role_arn: str = "", external_id: str = "") -> Inventory:
    """Read it, within half a minute; what can't be read is unknown, with what helps. Raises ConfigError."""
    asks = _nobody(region, role_arn, external_id)
    asker = Asker(asks, time.monotonic())
    sts, elbv2, ecs, cloudwatch = (clients.once(asks, each) for each in ("sts", "elbv2", "ecs", "cloudwatch"))
    caller = asker.read("sts:GetCallerIdentity", role_arn or "the credentials", lambda: caller_of(sts))
    if caller.value is None:
        asker.stopped = NOBODY
    prefix = "elasticloadbalancing"
    return Inventory(
        caller=caller,
        places=asker.read(f"{prefix}:DescribeLoadBalancers", "*", lambda: tuple(_places(elbv2))),
        functions=asker.read(f"{prefix}:DescribeTargetGroups", "*", lambda: dict(_functions(elbv2))),
        services=asker.read("ecs:ListServices", "*", lambda: tuple(_services(ecs))),
        alarms=asker.read("cloudwatch:DescribeAlarms", "*", lambda: tuple(_alarms(cloudwatch))),
    )


def _nobody(region: str, role_arn: str, external_id: str) -> Application:
    """Clients are made for an application; here there is none yet."""
    return Application(
        slug="onboarding", name="", region=region, alarms=(), function_name="", lambda_target_group_arn="", cluster="",
        service="", ecs_target_group_arn="", routes=(), role_arn=role_arn, external_id=external_id,
    )  # fmt: skip


def _places(elbv2: Any) -> Iterator[Forwarding]:
    for page in elbv2.get_paginator("describe_load_balancers").paginate():
        for balancer in page["LoadBalancers"]:
            if balancer.get("Type", "application") == "application":
                for place in listeners.places(elbv2, balancer["LoadBalancerArn"]):
                    label = f"{balancer['LoadBalancerName']} {place.label}"
                    yield Forwarding(place.arn, label, tuple(actions.groups(place.actions)))


def _functions(elbv2: Any) -> Iterator[tuple[str, str]]:
    for page in elbv2.get_paginator("describe_target_groups").paginate():
        for group in page["TargetGroups"]:
            if group.get("TargetType") == "lambda":
                for target, _ in health.read(elbv2, group["TargetGroupArn"]):
                    yield group["TargetGroupArn"], target.split(":")[6]


def _services(ecs: Any) -> Iterator[RunningService]:
    for clusters in ecs.get_paginator("list_clusters").paginate():
        for cluster in clusters["clusterArns"]:
            for page in ecs.get_paginator("list_services").paginate(cluster=cluster):
                names = [services.short(arn) for arn in page["serviceArns"]]
                for name, described in services.describe(ecs, cluster, names).items():
                    groups = (each.get("targetGroupArn", "") for each in described.get("loadBalancers", ()))
                    yield RunningService(services.short(cluster), name, tuple(filter(None, groups)))


def _alarms(cloudwatch: Any) -> Iterator[AlarmFacts]:
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
        for each in page["MetricAlarms"]:
            if each.get("Namespace") == LAMBDA_NAMESPACE:
                yield alarm_facts(each)
