"""ECS: services, their deployments, tasks and task definitions."""

from typing import Any

from lab.api.paging import page
from lab.deployments import ACTIVE, PRIMARY, Deployment
from lab.ecs import Service
from lab.errors import AwsError
from lab.task_shape import CONTAINER, described
from lab.tasks import PENDING, PORT, PROVISIONING, RUNNING, Task, TaskDefinition
from lab.world import World

MOST_SERVICES = 10
MOST_TASKS = 100
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-lab-a", "subnet-lab-b"], "assignPublicIp": "DISABLED"}}


def find_by_resource(world: World, resource_id: str) -> Service | None:
    """A service by ``service/CLUSTER/SERVICE``."""
    return next((service for service in world.services() if service.resource_id == resource_id), None)


def describe_services(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    check_cluster(world, given)
    names = given["services"]
    if not 1 <= len(names) <= MOST_SERVICES:
        raise AwsError("InvalidParameterException", f"Services must have 1 to {MOST_SERVICES} entries.")
    found = [(name, _find(world, name)) for name in names]
    return {
        "services": [describe_service(world, service) for _, service in found if service],
        "failures": [
            {"arn": _as_arn(world, f"service/{world.cluster}/", name), "reason": "MISSING"}
            for name, service in found
            if service is None
        ],
    }


def update_service(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    """A task definition or ``forceNewDeployment`` starts a deployment; the desired count alone starts none."""
    check_cluster(world, given)
    service = _find_or_refuse(world, given["service"])
    unknown = set(given) - {"cluster", "service", "desiredCount", "taskDefinition", "forceNewDeployment"}
    if unknown:
        raise AwsError("InvalidParameterException", f"The lab does not change {', '.join(sorted(unknown))}.")
    if given.get("desiredCount", 0) < 0:
        raise AwsError("InvalidParameterException", "desiredCount must not be negative.")
    definition = world.task_definitions.find(given["taskDefinition"]) if "taskDefinition" in given else None
    service.set_desired(given.get("desiredCount", service.desired))
    if given.get("forceNewDeployment") or (definition and definition is not service.definition):
        service.deploy(definition or service.definition, now)
    return {"service": describe_service(world, service)}


def describe_task_definition(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """Tags only where they are asked for, as ECS has it."""
    definition = world.task_definitions.find(given["taskDefinition"])
    tags = definition.tags if "TAGS" in given.get("include", ()) else {}
    return {
        "taskDefinition": describe_definition(world, definition),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def list_tasks(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    check_cluster(world, given)
    services = world.services()
    if "serviceName" in given:
        services = [_find_or_refuse(world, given["serviceName"])]
    status, starter = given.get("desiredStatus", RUNNING), given.get("startedBy")
    tasks = [
        task
        for service in services
        for task in service.tasks.values()
        if task.desired == status and starter in {None, task.deployment}
    ]
    shown, token = page(tasks, given.get("nextToken"), given.get("maxResults", 100), "InvalidParameterException")
    return {"taskArns": [_task_arn(world, task) for task in shown], "nextToken": token}


def describe_tasks(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    check_cluster(world, given)
    names = given["tasks"]
    if not 1 <= len(names) <= MOST_TASKS:
        raise AwsError("InvalidParameterException", f"Tasks must have 1 to {MOST_TASKS} entries.")
    known = {task.id: described(task, service.arn) for service in world.services() for task in service.tasks.values()}
    ids = [name.rpartition("/")[2] for name in names]
    return {
        "tasks": [known[each] for each in ids if each in known],
        "failures": [
            {"arn": _as_arn(world, f"task/{world.cluster}/", each), "reason": "MISSING"}
            for each in ids
            if each not in known
        ],
    }


def check_cluster(world: World, given: dict[str, Any]) -> None:
    if given.get("cluster", "default").rpartition("/")[2] != world.cluster:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")


def _find(world: World, name_or_arn: str) -> Service | None:
    return find_by_resource(world, f"service/{world.cluster}/{name_or_arn.rpartition('/')[2]}")


def _find_or_refuse(world: World, name_or_arn: str) -> Service:
    service = _find(world, name_or_arn)
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return service


def _as_arn(world: World, prefix: str, name: str) -> str:
    return name if name.startswith("arn:") else world.arn("ecs", prefix + name)


def cluster_arn(world: World) -> str:
    return world.arn("ecs", f"cluster/{world.cluster}")


def _task_arn(world: World, task: Task) -> str:
    return world.arn("ecs", f"task/{world.cluster}/{task.id}")


def describe_service(world: World, service: Service) -> dict[str, Any]:
    breaker = service.deployments.breaker
    group = {"targetGroupArn": service.group.arn, "containerName": CONTAINER, "containerPort": PORT}
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": cluster_arn(world),
        "loadBalancers": [group],
        "serviceRegistries": [],
        "status": service.status,
        "desiredCount": service.desired,
        **_counts(service),
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": service.definition.arn,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": breaker.enabled, "rollback": breaker.rollback},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
        },
        "deployments": [_deployment(service, each) for each in service.deployments.all],
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


def _counts(service: Service, deployment: str | None = None) -> dict[str, int]:
    return {
        "runningCount": len(service.counted(RUNNING, deployment=deployment)),
        "pendingCount": len(service.counted(PROVISIONING, PENDING, deployment=deployment)),
    }


def _deployment(service: Service, deployment: Deployment) -> dict[str, Any]:
    primary = deployment is service.deployments.primary
    counts = _counts(service, deployment.id)
    return {
        "id": deployment.id,
        "status": PRIMARY if primary else ACTIVE,
        "taskDefinition": deployment.definition.arn,
        "desiredCount": service.desired if primary else sum(counts.values()),
        **counts,
        "failedTasks": deployment.failed,
        "createdAt": deployment.created,
        "updatedAt": deployment.updated,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": NETWORK,
        "rolloutState": deployment.rollout,
        "rolloutStateReason": deployment.reason,
    }


def describe_definition(world: World, definition: TaskDefinition) -> dict[str, Any]:
    container = {
        "name": CONTAINER,
        "image": definition.image,
        "cpu": 0,
        "essential": True,
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
        "environment": [{"name": name, "value": value} for name, value in definition.variables.items()],
        "mountPoints": [],
        "volumesFrom": [],
    }
    return {
        "taskDefinitionArn": definition.arn,
        "containerDefinitions": [container],
        "family": definition.family,
        "revision": definition.revision,
        "status": "ACTIVE",
        "networkMode": "awsvpc",
        "volumes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
        "requiresCompatibilities": ["FARGATE"],
        "cpu": definition.cpu,
        "memory": definition.memory,
        "executionRoleArn": f"arn:aws:iam::{world.account}:role/ecsTaskExecutionRole",
        "registeredAt": definition.registered,
        **definition.described,
    }


OPERATIONS = {
    "DescribeServices": describe_services,
    "UpdateService": update_service,
    "ListTasks": list_tasks,
    "DescribeTasks": describe_tasks,
    "DescribeTaskDefinition": describe_task_definition,
}
