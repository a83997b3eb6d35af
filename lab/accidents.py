"""One-time events that somebody or something causes."""

from collections.abc import Callable
from typing import Any

from lab.world import World


def set_weights(world: World, slug: str, now: float, *, lambda_: int, ecs: int) -> None:
    """Somebody changes every route's weights by hand."""
    application = world.applications[slug]
    ours = {application.lambda_group.arn: lambda_, application.ecs_group.arn: ecs}
    for rule in application.listener.rules:
        targets = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in ours.items()]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}]
        application.load_balancer.write(rule, actions, now)


ACCIDENTS: dict[str, Callable[..., Any]] = {"set_weights": set_weights}
