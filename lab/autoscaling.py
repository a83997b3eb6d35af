"""Application Auto Scaling of an ECS service's desired count: the bounds alone, no policies.

Source: Application Auto Scaling API Reference, RegisterScalableTarget: registering scales a capacity that is outside
of the bounds to the nearer bound; a desired count set beneath the minimum by hand stays until then. The parts of the
suspended state that a registration leaves out stay as they were. DeregisterScalableTarget leaves the capacity alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.ecs import Service
from lab.errors import AwsError

SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@dataclass
class ScalableTarget:
    """Bounds of one service's desired count; ``suspended`` has the three members of AWS's SuspendedState."""

    service: Service
    minimum: int
    maximum: int
    created: float
    suspended: Mapping[str, bool] = field(default_factory=lambda: dict.fromkeys(SUSPENDABLE, False))


class ScalableTargets:
    """All scalable targets by resource id, ``service/CLUSTER/SERVICE``."""

    def __init__(self) -> None:
        self.by_resource: dict[str, ScalableTarget] = {}

    def register(
        self,
        service: Service,
        minimum: int | None,
        maximum: int | None,
        now: float,
        suspended: Mapping[str, bool] | None = None,
    ) -> None:
        """Creates or changes the bounds, then clamps the desired count into them."""
        existing = self.by_resource.get(service.resource_id)
        low = existing.minimum if minimum is None and existing else minimum
        high = existing.maximum if maximum is None and existing else maximum
        if low is None or high is None:
            raise AwsError("ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target")
        if low > high:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        created = existing.created if existing else now
        before = existing.suspended if existing else dict.fromkeys(SUSPENDABLE, False)
        target = ScalableTarget(service, low, high, created, {**before, **(suspended or {})})
        self.by_resource[service.resource_id] = target
        service.set_desired(min(max(service.desired, low), high))

    def deregister(self, resource_id: str) -> None:
        """Raises ObjectNotFoundException."""
        if self.by_resource.pop(resource_id, None) is None:
            raise AwsError("ObjectNotFoundException", f"No scalable target registered for resource ID: {resource_id}")
