"""The AWS calls that the lab answers, by botocore's service name and the operation's name."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lab.api import application_autoscaling, cloudwatch, ecs, elbv2, lambda_, sts
from lab.world import World

Call = Callable[[dict[str, Any], float], dict[str, Any]]

_OPERATIONS: Mapping[str, Mapping[str, Callable[[World, dict[str, Any], float], dict[str, Any]]]] = {
    "ecs": ecs.OPERATIONS,
    "elbv2": elbv2.OPERATIONS,
    "cloudwatch": cloudwatch.OPERATIONS,
    "lambda": lambda_.OPERATIONS,
    "application-autoscaling": application_autoscaling.OPERATIONS,
    "sts": sts.OPERATIONS,
}


def operations(world: World) -> Mapping[str, Mapping[str, Call]]:
    """Every operation as a function of its input and the time."""
    return {
        service: {name: partial(operation, world) for name, operation in calls.items()}
        for service, calls in _OPERATIONS.items()
    }
