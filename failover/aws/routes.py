"""An application's routes, and everything else that forwards to its target groups.

A target group belongs to one load balancer at most (ELBv2 API reference, TargetGroupAssociationLimit). Where the two
groups are attached is asked all the same, so that a group on another load balancer than the routes' is seen, and
whatever forwards to it there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from failover.aws import actions as action_lists
from failover.aws import listeners
from failover.aws.listeners import Place
from failover.model import Application, Routes, RouteState

GONE = "it does not exist on its load balancer"


def groups_of(application: Application) -> tuple[str, str]:
    return application.lambda_target_group_arn, application.ecs_target_group_arn


def load_balancers_of(application: Application) -> frozenset[str]:
    """The load balancers that the routes are on."""
    return frozenset(listeners.load_balancer_of(route.arn) for route in application.routes)


def load_balancer_dimension(application: Application) -> str:
    """`app/NAME/ID`, as CloudWatch's LoadBalancer dimension wants it."""
    return listeners.load_balancer_of(application.routes[0].arn).split(":loadbalancer/", 1)[1]


def read(elbv2: Any, application: Application, now: float) -> Routes:
    """Search every load balancer that a route or one of the two groups is on."""
    attached = listeners.attachments(elbv2, groups_of(application))
    searched = load_balancers_of(application) | attached_to(attached.values())
    places = {arn: list(listeners.places(elbv2, arn)) for arn in sorted(searched)}
    return searched_for(application, places, attached, now)


def reread(elbv2: Any, application: Application, known: Routes) -> Routes:
    """The application's own routes as they are now; the rest as it was when `known` was searched for."""
    return refreshed(application, listeners.read(elbv2, [route.arn for route in application.routes]), known)


def attached_to(groups: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Only an Application Load Balancer can be searched for rules."""
    return frozenset(
        arn for group in groups for arn in group.get("LoadBalancerArns", ()) if ":loadbalancer/app/" in arn
    )


def searched_for(
    application: Application,
    places: Mapping[str, Collection[Place]],
    attached: Mapping[str, Mapping[str, Any]],
    now: float,
) -> Routes:
    """What whole load balancers (`places` by their ARN) and the two groups' attachments say about an application."""
    ours = load_balancers_of(application)
    labelled = [_labelled(place, arn, ours) for arn, each in places.items() for place in each]
    managed = managed_states(application, {place.arn: place for place in labelled})
    routes = {route.arn for route in application.routes}
    return Routes(
        managed=managed,
        ecs_forwarders=tuple(p.label for p in labelled if _weights(application, p).get("ECS", 0) > 0),
        foreign=tuple(_forwards(application, p) for p in labelled if p.arn not in routes and _weights(application, p)),
        elsewhere=_elsewhere(application, attached),
        searched_at=now,
    )


def managed_states(
    application: Application, places: Mapping[str, Place], known: Routes | None = None
) -> tuple[RouteState, ...]:
    """The routes as these places show them. A rule that was read alone keeps the label that is known."""
    labels = {route.arn: route.label for route in known.managed} if known else {}
    return tuple(_state(application, places.get(route.arn), route.arn, labels) for route in application.routes)


def refreshed(application: Application, places: Mapping[str, Place], known: Routes) -> Routes:
    """The routes read anew; the rest is as old as `known.searched_at` says."""
    managed = managed_states(application, places, known)
    before = {route.label for route in known.managed}
    others = tuple(label for label in known.ecs_forwarders if label not in before)
    ours = tuple(route.label for route in managed if route.split and route.split.ecs)
    return replace(known, managed=managed, ecs_forwarders=ours + others)


def _state(application: Application, place: Place | None, arn: str, labels: Mapping[str, str]) -> RouteState:
    if place is None:
        label = labels.get(arn) or arn.rsplit(":", 1)[-1]
        return RouteState(arn, label, None, "", problem=GONE)
    ours = groups_of(application)
    forward = action_lists.read(place.actions, *ours)
    digest = action_lists.fingerprint(place.actions, *ours)
    label = labels.get(arn) or place.label
    return RouteState(arn, label, forward.split, digest, forward.other_weight, forward.sticky, forward.problem)


def _labelled(place: Place, load_balancer: str, ours: Collection[str]) -> Place:
    """The load balancer's name stands in the label where it tells places apart."""
    if len(ours) == 1 and load_balancer in ours:
        return place
    return replace(place, label=f"{_name(load_balancer)} {place.label}")


def _name(load_balancer: str) -> str:
    return load_balancer.split("/")[-2]


def _weights(application: Application, place: Place) -> dict[str, int]:
    """Our groups' weights by pool; a pool that the place does not forward to is left out."""
    names = dict(zip(groups_of(application), ("Lambda", "ECS"), strict=True))
    return {names[arn]: weight for arn, weight in action_lists.groups(place.actions).items() if arn in names}


def _forwards(application: Application, place: Place) -> str:
    weights = ", ".join(f"{pool} {weight}" for pool, weight in _weights(application, place).items())
    return f"{place.label} forwards with {weights}"


def _elsewhere(application: Application, attached: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """A sentence for each load balancer beside the routes' that one of the groups is attached to."""
    ours = load_balancers_of(application)
    pools = zip(("Lambda", "ECS"), groups_of(application), strict=True)
    return tuple(
        f"The {pool} target group is attached to {_name(arn)}, which no route is on"
        for pool, group in pools
        for arn in attached.get(group, {}).get("LoadBalancerArns", ())
        if arn not in ours
    )
