"""ECS services as described, and what they mean to us.

Source: ECS API reference, DescribeServices (at most 10 of one cluster a call; what is not found is in `failures`),
Service, DeploymentConfiguration.strategy and AdvancedConfiguration (what ECS's own blue/green deployments rewrite).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from failover.aws.batches import chunks
from failover.model import Service
from failover.ports import AwsError

SERVICES_A_CALL = 10
EVENTS = 5  # newest service events kept
_SHIFTING = frozenset({"BLUE_GREEN", "LINEAR", "CANARY"})


def short(name_or_arn: str) -> str:
    """A service's or a cluster's name; the configuration may give an ARN."""
    return name_or_arn.rsplit("/", 1)[-1]


def describe(ecs: Any, cluster: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Services of one cluster by short name; one that is not found is `{"failure": reason}`."""
    found: dict[str, dict[str, Any]] = {}
    for some in chunks(list(dict.fromkeys(names)), SERVICES_A_CALL):
        answer = ecs.describe_services(cluster=cluster, services=list(some))
        found.update({each["serviceName"]: _counted(each) for each in answer["services"]})
        failures = answer.get("failures", ())
        found.update({short(each.get("arn", "")): {"failure": each.get("reason", "unknown")} for each in failures})
    return found


def _counted(described: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyError where an answer has no counts: it is none of AWS's."""
    counts(described)
    return described


def chosen(found: dict[str, dict[str, Any]], cluster: str, name: str) -> dict[str, Any]:
    """Raises AwsError where the service does not exist."""
    described = found.get(short(name), {"failure": "unknown"})
    if "failure" in described:
        raise AwsError("missing", f"ECS service {cluster}/{name}: {described['failure']}.", "Correct [ecs].")
    return described


def has_tasks(described: dict[str, Any]) -> bool:
    return bool(described["runningCount"] or described["pendingCount"])


def counts(described: dict[str, Any]) -> tuple[int, int, int]:
    return described["desiredCount"], described["pendingCount"], described["runningCount"]


def service(described: dict[str, Any], addresses: tuple[str, ...], trouble: str) -> Service:
    deployments = described.get("deployments", [])
    return Service(
        desired=described["desiredCount"],
        pending=described["pendingCount"],
        running=described["runningCount"],
        status=described["status"],
        deployment_running=len(deployments) > 1,
        deployment_failed=any(each.get("rolloutState") == "FAILED" for each in deployments),
        task_addresses=addresses,
        events=tuple(event["message"] for event in described.get("events", [])[:EVENTS]),
        trouble=trouble,
        weight_writer=_weight_writer(described),
        task_definition=described.get("taskDefinition", ""),
    )


def _weight_writer(described: dict[str, Any]) -> str:
    """Who else rewrites the load balancer's weights while it deploys: a sentence, or empty for nobody."""
    controller = described.get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        return (
            f"Deployments of this service are made by {controller}, which moves traffic between target groups itself."
        )
    strategy = described.get("deploymentConfiguration", {}).get("strategy", "ROLLING")
    groups = (group.get("advancedConfiguration", {}) for group in described.get("loadBalancers", ()))
    if strategy in _SHIFTING or any(group.get("alternateTargetGroupArn") for group in groups):
        return f"ECS itself rewrites the listener's weights while it deploys this service (strategy {strategy})."
    return ""
