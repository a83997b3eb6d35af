"""The AWS calls that the lab answers, by botocore's service name and the operation's name."""

from collections.abc import Callable, Mapping
from typing import Any

from lab.api import (
    application_autoscaling,
    cloudwatch,
    cloudwatch_creating,
    dynamodb,
    ecs,
    ecs_creating,
    ecs_listing,
    elbv2,
    elbv2_creating,
    events,
    lambda_,
    lambda_creating,
    service_quotas,
    sts,
)
from lab.world import World

Operation = Callable[[World, dict[str, Any], float], dict[str, Any]]

OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "ecs": {**ecs.OPERATIONS, **ecs_creating.OPERATIONS, **ecs_listing.OPERATIONS},
    "elbv2": {**elbv2.OPERATIONS, **elbv2_creating.OPERATIONS},
    "cloudwatch": {**cloudwatch.OPERATIONS, **cloudwatch_creating.OPERATIONS},
    "lambda": {**lambda_.OPERATIONS, **lambda_creating.OPERATIONS},
    "application-autoscaling": application_autoscaling.OPERATIONS,
    "dynamodb": dynamodb.OPERATIONS,
    "events": events.OPERATIONS,
    "service-quotas": service_quotas.OPERATIONS,
}
# STS is about the caller and belongs to no account's region.
STS_OPERATIONS = sts.OPERATIONS
# IAM's prefix of a service's actions, where it is not botocore's name.
IAM_PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}


def answered() -> dict[str, frozenset[str]]:
    """The names of all operations, by service."""
    return {service: frozenset(calls) for service, calls in {**OPERATIONS, "sts": STS_OPERATIONS}.items()}
