"""What belongs together in an account: a function and a service behind one action, and the alarms on the function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from failover.aws.discovery import Forwarding, Inventory, RunningService
from failover.precondition_alarms import STATISTICS


@dataclass(frozen=True)
class Match:
    """One application that could be made; `routes` are the listeners and rules that forward to both groups."""

    function: str
    lambda_group: str
    service: RunningService
    ecs_group: str
    routes: tuple[Forwarding, ...]
    alarms: tuple[str, ...]


def matches(inventory: Inventory) -> tuple[Match, ...]:
    """Every pair of a Lambda group and a service's group that one action forwards to."""
    functions, services = inventory.functions.value or {}, inventory.services.value or ()
    owners = {group: service for service in services for group in service.target_groups}
    together: dict[tuple[str, str], list[Forwarding]] = {}
    for place in inventory.places.value or ():
        for pair in _pairs(place, functions, owners):
            together.setdefault(pair, []).append(place)
    return tuple(
        Match(functions[first], first, owners[second], second, tuple(places), _alarms(inventory, functions[first]))
        for (first, second), places in together.items()
    )


def alone(inventory: Inventory) -> tuple[str, ...]:
    """Sentences about what nearly fits: functions behind a load balancer that no service shares an action with."""
    matched = {match.lambda_group for match in matches(inventory)}
    return tuple(
        f"{place.label} forwards to the function {function}, and to no ECS service: put a service's target group of "
        f"type ip on the same action, with weight 0."
        for place in inventory.places.value or ()
        for group, function in (inventory.functions.value or {}).items()
        if group in place.groups and group not in matched
    )


def _pairs(
    place: Forwarding, functions: dict[str, str], owners: dict[str, RunningService]
) -> Iterator[tuple[str, str]]:
    for first in place.groups:
        for second in place.groups:
            if first in functions and second in owners:
                yield first, second


def _alarms(inventory: Inventory, function: str) -> tuple[str, ...]:
    """Those on what tells that Lambda is at its limit."""
    found = inventory.alarms.value or ()
    return tuple(each.name for each in found if each.function == function and each.metric in STATISTICS)
