"""The bounds that Application Auto Scaling keeps a service's desired count in.

Source: Application Auto Scaling API reference, DescribeScalableTargets (at most 50 resource ids a call; it pages),
RegisterScalableTarget (what it is not given stays: suspended scaling stays suspended) and SuspendedState.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from failover.aws.batches import chunks
from failover.model import Application, Bounds, Scaling

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
IDS_A_CALL = 50
_SUSPENDED = {
    "DynamicScalingInSuspended": "scaling in",
    "DynamicScalingOutSuspended": "scaling out",
    "ScheduledScalingSuspended": "scheduled scaling",
}


def resource_id(application: Application) -> str:
    """`service/CLUSTER/SERVICE`; the configuration may name either of them by its ARN."""
    return f"service/{application.cluster.rsplit('/', 1)[-1]}/{application.service.rsplit('/', 1)[-1]}"


def read(client: Any, resource_ids: Iterable[str]) -> dict[str, Scaling]:
    """The services that have a scalable target of their desired count, by resource id."""
    found: dict[str, Scaling] = {}
    for some in chunks(list(dict.fromkeys(resource_ids)), IDS_A_CALL):
        pages = client.get_paginator("describe_scalable_targets").paginate(
            ServiceNamespace=NAMESPACE, ResourceIds=list(some), ScalableDimension=DIMENSION
        )
        for page in pages:
            targets = (each for each in page["ScalableTargets"] if each["ScalableDimension"] == DIMENSION)
            found.update({each["ResourceId"]: _scaling(each) for each in targets})
    return found


def _scaling(target: dict[str, Any]) -> Scaling:
    state = target.get("SuspendedState", {})
    suspended = tuple(words for key, words in _SUSPENDED.items() if state.get(key))
    return Scaling(Bounds(target["MinCapacity"], target["MaxCapacity"]), suspended)
