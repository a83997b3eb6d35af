"""Application Auto Scaling: the bounds of an ECS service's desired count."""

from typing import Any

from lab.api.ecs import find_by_resource
from lab.api.paging import page
from lab.autoscaling import ScalableTarget
from lab.errors import AwsError
from lab.world import World, identifier

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"


def describe_scalable_targets(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    wanted = given.get("ResourceIds")
    found = [
        _shown(world, resource_id, target)
        for resource_id, target in sorted(world.scalable_targets.by_resource.items())
        if given["ServiceNamespace"] == NAMESPACE
        and given.get("ScalableDimension", DIMENSION) == DIMENSION
        and (not wanted or resource_id in wanted)
    ]
    shown, token = page(found, given.get("NextToken"), given.get("MaxResults", 50), "InvalidNextTokenException")
    return {"ScalableTargets": shown, "NextToken": token}


def register_scalable_target(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    _check_dimension(given)
    service = find_by_resource(world, given["ResourceId"])
    if service is None:
        raise AwsError("ValidationException", f"ECS service doesn't exist: {given['ResourceId']}")
    low, high, suspended = given.get("MinCapacity"), given.get("MaxCapacity"), given.get("SuspendedState")
    world.scalable_targets.register(service, low, high, now, suspended)
    return {"ScalableTargetARN": scalable_target_arn(world, given["ResourceId"])}


def deregister_scalable_target(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    _check_dimension(given)
    world.scalable_targets.deregister(given["ResourceId"])
    return {}


def _check_dimension(given: dict[str, Any]) -> None:
    if given["ServiceNamespace"] != NAMESPACE or given["ScalableDimension"] != DIMENSION:
        raise AwsError("ValidationException", f"The lab scales '{DIMENSION}' of '{NAMESPACE}' alone")


def _shown(world: World, resource_id: str, target: ScalableTarget) -> dict[str, Any]:
    role = "AWSServiceRoleForApplicationAutoScaling_ECSService"
    path = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com"
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource_id,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": f"arn:aws:iam::{world.account}:{path}/{role}",
        "CreationTime": target.created,
        "SuspendedState": target.suspended,
        "ScalableTargetARN": scalable_target_arn(world, resource_id),
    }


def scalable_target_arn(world: World, resource_id: str) -> str:
    return world.arn("application-autoscaling", f"scalable-target/{identifier(resource_id)}")


OPERATIONS = {
    "DescribeScalableTargets": describe_scalable_targets,
    "RegisterScalableTarget": register_scalable_target,
    "DeregisterScalableTarget": deregister_scalable_target,
}
