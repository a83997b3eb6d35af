"""Tasks of ECS services: the addresses of those that run, and why others stopped.

Source: ECS API reference, ListTasks (one service a call, 100 a page; stopped tasks show for about an hour) and
DescribeTasks (100 a call, of one cluster).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from failover.aws.batches import chunks

TASKS_A_CALL = 100
MOST_STOPPED = 10  # a few say what is wrong


def addresses(ecs: Any, cluster: str, services: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Private IPv4 addresses of each service's RUNNING tasks; another service's task must never count."""
    arns = [arn for service in services for arn in _listed(ecs, cluster, service, "RUNNING")]
    found: dict[str, list[str]] = {}
    for task in _described(ecs, cluster, arns):
        if task["lastStatus"] == "RUNNING":
            service = task.get("group", "").removeprefix("service:")
            found.setdefault(service, []).extend(_addresses(task))
    return {service: tuple(sorted(each)) for service, each in found.items()}


def stopped(ecs: Any, cluster: str, service: str) -> list[dict[str, Any]]:
    """Tasks of the service that stopped, the latest first."""
    arns = list(_listed(ecs, cluster, service, "STOPPED"))[:TASKS_A_CALL]
    tasks = [task for task in _described(ecs, cluster, arns) if task.get("stoppedAt")]
    return sorted(tasks, key=lambda task: task["stoppedAt"], reverse=True)[:MOST_STOPPED]


def _listed(ecs: Any, cluster: str, service: str, status: str) -> Iterator[str]:
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service, desiredStatus=status)
    for page in pages:
        yield from page["taskArns"]


def _described(ecs: Any, cluster: str, arns: list[str]) -> Iterator[dict[str, Any]]:
    for some in chunks(arns, TASKS_A_CALL):
        yield from ecs.describe_tasks(cluster=cluster, tasks=list(some))["tasks"]


def _addresses(task: dict[str, Any]) -> list[str]:
    details = [detail for attachment in task.get("attachments", ()) for detail in attachment.get("details", ())]
    return [detail["value"] for detail in details if detail.get("name") == "privateIPv4Address"]
