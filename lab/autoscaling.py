"""Application Auto Scaling of an ECS service's desired count: the bounds alone, no policies.

Source: Application Auto Scaling API Reference, RegisterScalableTarget: registering scales a capacity that is outside
of the bounds to the nearer bound; a desired count set beneath the minimum by hand stays until then.
"""

from dataclasses import dataclass

from lab.ecs import Service
from lab.errors import AwsError


@dataclass
class ScalableTarget:
    """Bounds of one service's desired count."""

    service: Service
    minimum: int
    maximum: int
    created: float


class ScalableTargets:
    """All scalable targets by resource id, ``service/CLUSTER/SERVICE``."""

    def __init__(self) -> None:
        self.by_resource: dict[str, ScalableTarget] = {}

    def register(self, service: Service, minimum: int | None, maximum: int | None, now: float) -> None:
        """Creates or changes the bounds, then clamps the desired count into them."""
        existing = self.by_resource.get(service.resource_id)
        low = existing.minimum if minimum is None and existing else minimum
        high = existing.maximum if maximum is None and existing else maximum
        if low is None or high is None:
            raise AwsError("ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target")
        if low > high:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        created = existing.created if existing else now
        self.by_resource[service.resource_id] = ScalableTarget(service, low, high, created)
        service.set_desired(min(max(service.desired, low), high))
