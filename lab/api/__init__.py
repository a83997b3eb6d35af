"""The AWS calls that the lab answers, by botocore's service name and the operation's name."""

from collections.abc import Callable, Mapping
from typing import Any

from lab.api import application_autoscaling, cloudwatch, dynamodb, ecs, ecs_listing, elbv2, lambda_, sts
from lab.world import World

Operation = Callable[[World, dict[str, Any], float], dict[str, Any]]

OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "ecs": {**ecs.OPERATIONS, **ecs_listing.OPERATIONS},
    "elbv2": elbv2.OPERATIONS,
    "cloudwatch": cloudwatch.OPERATIONS,
    "lambda": lambda_.OPERATIONS,
    "application-autoscaling": application_autoscaling.OPERATIONS,
    "dynamodb": dynamodb.OPERATIONS,
}
# STS is about the caller and belongs to no account's region.
STS_OPERATIONS = sts.OPERATIONS
# IAM's prefix of a service's actions, where it is not botocore's name.
IAM_PREFIXES = {"elbv2": "elasticloadbalancing"}


def answered() -> dict[str, frozenset[str]]:
    """The names of all operations, by service."""
    return {service: frozenset(calls) for service, calls in {**OPERATIONS, "sts": STS_OPERATIONS}.items()}
