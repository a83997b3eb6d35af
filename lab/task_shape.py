"""A task as DescribeTasks shows it, and as an ECS Task State Change event carries it.

Sources: ECS API Reference, Task; ECS Developer Guide, "Amazon ECS task state change events".
"""

from typing import Any

from lab.moments import millisecond
from lab.tasks import DEACTIVATING, PENDING, PROVISIONING, RUNNING, STOPPED, STOPPING, Task

CONTAINER = "api"
TASK_CHANGE = "ECS Task State Change"


def task_arn(task: Task, service_arn: str) -> str:
    return f"{_sibling(service_arn, 'task')}/{task.id}"


def described(task: Task, service_arn: str) -> dict[str, Any]:
    """Times are in epoch seconds; what is not known yet is None."""
    region, service = service_arn.split(":")[3], service_arn.rpartition("/")[2]
    return {
        "taskArn": task_arn(task, service_arn),
        "clusterArn": _sibling(service_arn, "cluster"),
        "taskDefinitionArn": task.definition.arn,
        "group": f"service:{service}",
        "startedBy": task.deployment,
        "lastStatus": task.status,
        "desiredStatus": task.desired,
        "healthStatus": "UNKNOWN",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": f"{region}a",
        "connectivity": "CONNECTED",
        "cpu": task.definition.cpu,
        "memory": task.definition.memory,
        "attachments": [_network_attachment(task)],
        "containers": [_container(task, service_arn)],
        "createdAt": task.created,
        "startedAt": task.started,
        "stoppingAt": task.stopping,
        "stoppedAt": task.stopped,
        "stoppedReason": task.reason or None,
        "stopCode": task.stop_code or None,
        "overrides": {"containerOverrides": []},
        "tags": [],
        "version": task.version,
    }


def change(task: Task, service_arn: str, now: float) -> dict[str, Any]:
    """An event's detail: the task with times as text, without what is not known."""
    shown = described(task, service_arn) | {"updatedAt": now}
    times = {name: millisecond(shown[name]) for name in shown if name.endswith("At") and shown[name] is not None}
    return {name: value for name, value in (shown | times).items() if value is not None and name != "tags"}


def _sibling(service_arn: str, kind: str) -> str:
    """``…:task/CLUSTER`` or ``…:cluster/CLUSTER`` of ``…:service/CLUSTER/NAME``."""
    prefix, _, path = service_arn.rpartition(":service/")
    return f"{prefix}:{kind}/{path.partition('/')[0]}"


def _network_attachment(task: Task) -> dict[str, Any]:
    attached = {PROVISIONING: "PRECREATED", STOPPED: "DELETED"}.get(task.status, "ATTACHED")
    details = [
        {"name": "subnetId", "value": "subnet-lab-a"},
        {"name": "networkInterfaceId", "value": f"eni-{task.id[:17]}"},
        {"name": "privateIPv4Address", "value": task.address},
    ]
    return {"id": task.id, "type": "ElasticNetworkInterface", "status": attached, "details": details}


def _container(task: Task, service_arn: str) -> dict[str, Any]:
    running = task.status in {RUNNING, DEACTIVATING, STOPPING}
    status = RUNNING if running else STOPPED if task.status == STOPPED else PENDING
    return {
        "containerArn": f"{_sibling(service_arn, 'container')}/{task.id}/{CONTAINER}",
        "taskArn": task_arn(task, service_arn),
        "name": CONTAINER,
        "image": task.definition.image,
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces": [{"attachmentId": task.id, "privateIpv4Address": task.address}],
        "healthStatus": "UNKNOWN",
        "cpu": "0",
    }
