"""One part of a snapshot as it was read, or unknown with what AWS said and what helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from failover.aws.errors import FAILURES, translate
from failover.aws.scaling import resource_id
from failover.model import Application, Part, Reading
from failover.ports import AwsError

T = TypeVar("T")

_PREFIXES = {
    Part.ALARMS: "cloudwatch",
    Part.PREWARM: "cloudwatch",
    Part.ROUTES: "elasticloadbalancing",
    Part.SERVICE: "ecs",
    Part.TARGETS: "elasticloadbalancing",
    Part.BOUNDS: "application-autoscaling",
    Part.METRICS: "cloudwatch",
    Part.LIMITS: "lambda",
    Part.VERSIONS: "lambda",
}


def take(part: Part, application: Application, asked: float, read: Callable[[], T]) -> Reading[T]:
    """`asked` is when it was asked for: an answer is never fresher than its question. Raises nothing of AWS's, nor
    of what answers in its place.
    """
    try:
        return Reading.of(read(), asked)
    except (*FAILURES, AwsError) as error:
        return unknown(error, part, application)


def unknown(error: Exception, part: Part, application: Application) -> Reading[Any]:
    said = error if isinstance(error, AwsError) else translate(error, _action(part, error), _subject(part, application))
    return Reading(problem=f"{said} {said.remedy}".strip())


def _action(part: Part, error: Exception) -> str:
    operation = error.operation_name if isinstance(error, ClientError) else "Describe*"
    return f"{_PREFIXES[part]}:{operation}"


def _subject(part: Part, application: Application) -> str:
    if part is Part.ALARMS:
        return ", ".join(application.alarms)
    if part is Part.PREWARM:
        return ", ".join(application.prewarm_alarms)
    if part is Part.LIMITS:
        return application.function_name
    if part is Part.TARGETS:
        return application.ecs_target_group_arn
    if part in (Part.SERVICE, Part.BOUNDS):
        return resource_id(application)
    return ", ".join(route.arn for route in application.routes) if part is Part.ROUTES else application.slug
