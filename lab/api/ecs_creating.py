"""ECS: a cluster, task definitions and services as calls create them.

Source: ECS API Reference, ``CreateCluster``, ``RegisterTaskDefinition``, ``CreateService``; ECS Developer Guide,
"Amazon ECS task definition parameters for Fargate" (CPU and memory that go together).
"""

from typing import Any

from lab.api.ecs import check_cluster, cluster_arn, describe_definition, describe_service, find_by_resource
from lab.api.elbv2 import find_group
from lab.errors import AwsError
from lab.members import ALL, refuse_unread
from lab.task_shape import CONTAINER
from lab.tasks import PORT
from lab.world import World
from lab.worldfile import TaskTable

INVALID = "InvalidParameterException"
FARGATE_MEMORY = {
    "256": (512, 1024, 2048),
    "512": tuple(range(1024, 4097, 1024)),
    "1024": tuple(range(2048, 8193, 1024)),
    "2048": tuple(range(4096, 16_385, 1024)),
    "4096": tuple(range(8192, 30_721, 1024)),
}
AWSLOGS = {"awslogs-group", "awslogs-region", "awslogs-stream-prefix"}
_CONTAINER = {
    "name": ALL, "image": ALL, "cpu": ALL, "essential": ALL, "environment": {"name": ALL, "value": ALL},
    "portMappings": {"containerPort": ALL, "hostPort": ALL, "protocol": ALL, "name": ALL, "appProtocol": ALL},
    "logConfiguration": {"logDriver": ALL, "options": ALL}, "readonlyRootFilesystem": ALL, "stopTimeout": ALL,
    "healthCheck": {"command": ALL, "interval": ALL, "timeout": ALL, "retries": ALL, "startPeriod": ALL},
}  # fmt: skip
_DEFINITION = {
    "family": ALL, "networkMode": ALL, "requiresCompatibilities": ALL, "cpu": ALL, "memory": ALL, "tags": ALL,
    "executionRoleArn": ALL, "taskRoleArn": ALL, "runtimePlatform": ALL, "containerDefinitions": _CONTAINER,
}  # fmt: skip
_SERVICE = {
    "cluster": ALL, "serviceName": ALL, "taskDefinition": ALL, "desiredCount": ALL, "launchType": ALL,
    "loadBalancers": {"targetGroupArn": ALL, "containerName": ALL, "containerPort": ALL},
    "networkConfiguration": {
        "awsvpcConfiguration": {"subnets": ALL, "securityGroups": ALL, "assignPublicIp": ALL}
    },
    "deploymentConfiguration": {
        "deploymentCircuitBreaker": {"enable": ALL, "rollback": ALL}, "minimumHealthyPercent": ALL,
        "maximumPercent": ALL,
    },
    "healthCheckGracePeriodSeconds": ALL,
}  # fmt: skip


def create_cluster(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """The world's own cluster, which is there from the start: creating it again changes nothing, as on AWS."""
    refuse_unread(given, {"clusterName": ALL}, INVALID)
    if given.get("clusterName", "default") != world.cluster:
        raise AwsError(INVALID, f"The lab has one cluster, {world.cluster}; name it so in the world file.")
    return {"cluster": {"clusterArn": cluster_arn(world), "clusterName": world.cluster, "status": "ACTIVE"}}


def register_task_definition(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    refuse_unread(given, _DEFINITION, "ClientException")
    containers = given["containerDefinitions"]
    if len(containers) != 1:
        raise AwsError("ClientException", "The lab's tasks have one container.")
    container = containers[0]
    _check_fargate(given)
    _check_container(container, given)
    described = {name: given[name] for name in ("executionRoleArn", "taskRoleArn", "runtimePlatform") if name in given}
    definition = world.task_definitions.add(
        given["family"],
        container["image"],
        {each["name"]: each["value"] for each in container.get("environment", [])},
        now,
        cpu=given["cpu"],
        memory=given["memory"],
        tags={each["key"]: each["value"] for each in given.get("tags", [])},
        described={**described, "containerDefinitions": containers},
    )
    return {"taskDefinition": describe_definition(world, definition), "tags": given.get("tags", [])}


def _check_fargate(given: dict[str, Any]) -> None:
    if given.get("requiresCompatibilities") != ["FARGATE"] or given.get("networkMode") != "awsvpc":
        raise AwsError("ClientException", "The lab's tasks run on Fargate in awsvpc mode.")
    memory = given.get("memory", "")
    if not memory.isdecimal() or int(memory) not in FARGATE_MEMORY.get(given.get("cpu", ""), ()):
        raise AwsError("ClientException", "No Fargate configuration exists for given values.")


def _check_container(container: dict[str, Any], given: dict[str, Any]) -> None:
    ports = [each.get("containerPort") for each in container.get("portMappings", [])]
    if container["name"] != CONTAINER or PORT not in ports:
        raise AwsError("ClientException", f"The lab's container is named {CONTAINER} and has port {PORT}.")
    log = container.get("logConfiguration", {})
    missing = AWSLOGS - set(log.get("options", {})) if log.get("logDriver") == "awslogs" else set()
    if missing:
        raise AwsError("ClientException", f"awslogs on Fargate needs {', '.join(sorted(missing))}.")
    if log and not given.get("executionRoleArn"):
        raise AwsError(
            "ClientException", "Fargate requires task definition to have execution role ARN to support logs."
        )


def create_service(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    refuse_unread(given, _SERVICE, INVALID)
    check_cluster(world, given)
    name = given["serviceName"]
    if find_by_resource(world, f"service/{world.cluster}/{name}"):
        raise AwsError(INVALID, "Creation of service was not idempotent.")
    if given.get("launchType") != "FARGATE" or len(given.get("loadBalancers", [])) != 1:
        raise AwsError(INVALID, "The lab's services run on Fargate behind one target group.")
    if not given.get("networkConfiguration"):
        raise AwsError(INVALID, "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if "desiredCount" not in given:
        raise AwsError(INVALID, "desiredCount is required when schedulingStrategy is REPLICA.")
    definition = world.task_definitions.find(given["taskDefinition"])
    group = _group(world, given["loadBalancers"][0])
    service = world.builder.service(name, _settings(given, definition.described), definition, group, now)
    world.created.services.append(service)
    return {"service": describe_service(world, service)}


def _group(world: World, behind: dict[str, Any]) -> Any:
    group = find_group(world, behind["targetGroupArn"])
    if not any(group.arn in each.named_groups() for each in world.load_balancers()):
        raise AwsError(
            INVALID, f"The target group with targetGroupArn {group.arn} does not have an associated load balancer."
        )
    if (behind.get("containerName"), behind.get("containerPort")) != (CONTAINER, PORT):
        raise AwsError(INVALID, f"The lab's container is named {CONTAINER} and has port {PORT}.")
    return group


def _settings(given: dict[str, Any], described: Any) -> TaskTable:
    deployment = given.get("deploymentConfiguration", {})
    if (deployment.get("minimumHealthyPercent", 100), deployment.get("maximumPercent", 200)) != (100, 200):
        raise AwsError(INVALID, "The lab deploys with 100 to 200 percent.")
    breaker = deployment.get("deploymentCircuitBreaker", {})
    containers = described.get("containerDefinitions", [{}])
    return TaskTable(
        desired_count=given["desiredCount"],
        circuit_breaker=breaker.get("enable", False),
        rollback=breaker.get("rollback", False),
        stop_timeout_seconds=containers[0].get("stopTimeout", 30),
        health_check_grace_seconds=given.get("healthCheckGracePeriodSeconds", 0),
    )


OPERATIONS = {
    "CreateCluster": create_cluster,
    "RegisterTaskDefinition": register_task_definition,
    "CreateService": create_service,
}
