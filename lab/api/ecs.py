"""ECS: services and tasks."""

from typing import Any

from lab.api.paging import page
from lab.ecs import DEACTIVATING, PENDING, PORT, PROVISIONING, RUNNING, STOPPED, STOPPING, Service, Task
from lab.errors import AwsError
from lab.world import World

MOST_SERVICES = 10
MOST_TASKS = 100
CONTAINER = "api"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-lab-a", "subnet-lab-b"], "assignPublicIp": "DISABLED"}}


def find_by_resource(world: World, resource_id: str) -> Service | None:
    """A service by ``service/CLUSTER/SERVICE``."""
    services = (application.service for application in world.applications.values())
    return next((service for service in services if service.resource_id == resource_id), None)


def describe_services(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    _check_cluster(world, given)
    names = given["services"]
    if not 1 <= len(names) <= MOST_SERVICES:
        raise AwsError("InvalidParameterException", f"Services must have 1 to {MOST_SERVICES} entries.")
    found = [(name, _find(world, name)) for name in names]
    return {
        "services": [_service(world, service) for _, service in found if service],
        "failures": [
            {"arn": _as_arn(world, f"service/{world.cluster}/", name), "reason": "MISSING"}
            for name, service in found
            if service is None
        ],
    }


def update_service(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """Only the desired count can change: everything else would be a deployment, which the lab has none of."""
    _check_cluster(world, given)
    service = _find(world, given["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    unknown = set(given) - {"cluster", "service", "desiredCount"}
    if unknown:
        raise AwsError("InvalidParameterException", f"The lab changes desiredCount alone, not {sorted(unknown)}.")
    if given.get("desiredCount", 0) < 0:
        raise AwsError("InvalidParameterException", "desiredCount must not be negative.")
    if "desiredCount" in given:
        service.set_desired(given["desiredCount"])
    return {"service": _service(world, service)}


def list_tasks(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    _check_cluster(world, given)
    services = [application.service for application in world.applications.values()]
    if "serviceName" in given:
        service = _find(world, given["serviceName"])
        if service is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        services = [service]
    status = given.get("desiredStatus", RUNNING)
    tasks = [task for service in services for task in service.tasks.values() if task.desired == status]
    shown, token = page(tasks, given.get("nextToken"), given.get("maxResults", 100), "InvalidParameterException")
    return {"taskArns": [_task_arn(world, task) for task in shown], "nextToken": token}


def describe_tasks(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    _check_cluster(world, given)
    names = given["tasks"]
    if not 1 <= len(names) <= MOST_TASKS:
        raise AwsError("InvalidParameterException", f"Tasks must have 1 to {MOST_TASKS} entries.")
    known = {
        task.id: _task(world, application.service, task)
        for application in world.applications.values()
        for task in application.service.tasks.values()
    }
    ids = [name.rpartition("/")[2] for name in names]
    return {
        "tasks": [known[each] for each in ids if each in known],
        "failures": [
            {"arn": _as_arn(world, f"task/{world.cluster}/", each), "reason": "MISSING"}
            for each in ids
            if each not in known
        ],
    }


def _check_cluster(world: World, given: dict[str, Any]) -> None:
    if given.get("cluster", "default").rpartition("/")[2] != world.cluster:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")


def _find(world: World, name_or_arn: str) -> Service | None:
    return find_by_resource(world, f"service/{world.cluster}/{name_or_arn.rpartition('/')[2]}")


def _as_arn(world: World, prefix: str, name: str) -> str:
    return name if name.startswith("arn:") else world.arn("ecs", prefix + name)


def _cluster_arn(world: World) -> str:
    return world.arn("ecs", f"cluster/{world.cluster}")


def _task_arn(world: World, task: Task) -> str:
    return world.arn("ecs", f"task/{world.cluster}/{task.id}")


def _service(world: World, service: Service) -> dict[str, Any]:
    counts = {
        "desiredCount": service.desired,
        "runningCount": len(service.counted(RUNNING)),
        "pendingCount": len(service.counted(PROVISIONING, PENDING)),
    }
    group = {"targetGroupArn": service.group.arn, "containerName": CONTAINER, "containerPort": PORT}
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": _cluster_arn(world),
        "loadBalancers": [group],
        "serviceRegistries": [],
        "status": "ACTIVE",
        **counts,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": service.task_definition,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
        },
        "deployments": [_deployment(service, counts)],
        "events": [{"id": each.id, "createdAt": each.at, "message": each.message} for each in service.events],
        "createdAt": service.created,
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": NETWORK,
        "healthCheckGracePeriodSeconds": int(service.settings.grace),
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
    }


def _deployment(service: Service, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "id": service.deployment_id,
        "status": "PRIMARY",
        "taskDefinition": service.task_definition,
        **counts,
        "failedTasks": 0,
        "createdAt": service.created,
        "updatedAt": service.created,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": NETWORK,
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment {service.deployment_id} completed.",
    }


def _task(world: World, service: Service, task: Task) -> dict[str, Any]:
    return {
        "taskArn": _task_arn(world, task),
        "clusterArn": _cluster_arn(world),
        "taskDefinitionArn": service.task_definition,
        "group": f"service:{service.name}",
        "startedBy": service.deployment_id,
        "lastStatus": task.status,
        "desiredStatus": task.desired,
        "healthStatus": "UNKNOWN",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": f"{world.region}a",
        "connectivity": "CONNECTED",
        "cpu": "256",
        "memory": "512",
        "attachments": [_network_attachment(task)],
        "containers": [_container(world, task)],
        "createdAt": task.created,
        "startedAt": task.started,
        "stoppingAt": task.stopping,
        "stoppedAt": task.stopped,
        "stoppedReason": task.reason or None,
        "stopCode": task.stop_code or None,
        "overrides": {"containerOverrides": []},
        "tags": [],
        "version": 1,
    }


def _network_attachment(task: Task) -> dict[str, Any]:
    attached = {PROVISIONING: "PRECREATED", STOPPED: "DELETED"}.get(task.status, "ATTACHED")
    details = [
        {"name": "subnetId", "value": "subnet-lab-a"},
        {"name": "networkInterfaceId", "value": f"eni-{task.id[:17]}"},
        {"name": "privateIPv4Address", "value": task.address},
    ]
    return {"id": task.id, "type": "ElasticNetworkInterface", "status": attached, "details": details}


def _container(world: World, task: Task) -> dict[str, Any]:
    running = task.status in {RUNNING, DEACTIVATING, STOPPING}
    status = RUNNING if running else STOPPED if task.status == STOPPED else PENDING
    return {
        "containerArn": world.arn("ecs", f"container/{world.cluster}/{task.id}/{CONTAINER}"),
        "taskArn": _task_arn(world, task),
        "name": CONTAINER,
        "image": "api-service:lab",
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces": [{"attachmentId": task.id, "privateIpv4Address": task.address}],
        "healthStatus": "UNKNOWN",
        "cpu": "0",
    }


OPERATIONS = {
    "DescribeServices": describe_services,
    "UpdateService": update_service,
    "ListTasks": list_tasks,
    "DescribeTasks": describe_tasks,
}
