"""Listeners and rules of the load balancers behind an application's routes.

A target group belongs to one load balancer at most, so every listener and rule that could forward to ours is found by
listing that load balancer. Source: ELBv2 API reference, TargetGroupAssociationLimit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from failover.aws import actions as action_lists
from failover.aws.actions import Actions
from failover.model import Application, Routes, RouteState


@dataclass(frozen=True)
class Place:
    """A listener's default action or one rule, with its actions as AWS gave them."""

    arn: str
    label: str
    actions: Actions


def load_balancer_arn(route_arn: str) -> str:
    """`…:listener/app/NAME/ID/…` and `…:listener-rule/app/NAME/ID/…` both name their load balancer."""
    prefix, path = route_arn.split(":listener", 1)
    name = path.split("/")[1:4]
    return f"{prefix}:loadbalancer/{'/'.join(name)}"


def load_balancer_dimension(application: Application) -> str:
    """`app/NAME/ID`, as CloudWatch's LoadBalancer dimension wants it."""
    return load_balancer_arn(application.routes[0].arn).split(":loadbalancer/", 1)[1]


def read_all(elbv2: Any, application: Application) -> Routes:
    places = {place.arn: place for place in _places(elbv2, application)}
    managed = tuple(_state(application, places.get(route.arn), route.arn) for route in application.routes)
    ecs = application.ecs_target_group_arn
    forwarders = tuple(p.label for p in places.values() if action_lists.groups(p.actions).get(ecs, 0) > 0)
    return Routes(managed, forwarders)


def _state(application: Application, place: Place | None, arn: str) -> RouteState:
    if place is None:
        return RouteState(arn, arn.rsplit(":", 1)[-1], None, "", problem="it does not exist on its load balancer")
    ours = application.lambda_target_group_arn, application.ecs_target_group_arn
    forward = action_lists.read(place.actions, *ours)
    digest = action_lists.fingerprint(place.actions, *ours)
    return RouteState(arn, place.label, forward.split, digest, forward.other_weight, forward.sticky, forward.problem)


def _places(elbv2: Any, application: Application) -> Iterator[Place]:
    for load_balancer in sorted({load_balancer_arn(route.arn) for route in application.routes}):
        for page in elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=load_balancer):
            for listener in page["Listeners"]:
                yield from _of_listener(elbv2, listener)


def _of_listener(elbv2: Any, listener: dict[str, Any]) -> Iterator[Place]:
    name = f"{listener['Protocol']} :{listener['Port']}"
    yield Place(listener["ListenerArn"], f"{name}, default", listener["DefaultActions"])
    for page in elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener["ListenerArn"]):
        for rule in page["Rules"]:
            if not rule.get("IsDefault"):  # the default action again, under a rule ARN that can't be modified
                yield Place(rule["RuleArn"], f"{name}, {_condition(rule)}", rule["Actions"])


def _condition(rule: dict[str, Any]) -> str:
    values = [v for c in rule.get("Conditions", ()) for v in _values(c)]
    return " ".join(values) or f"priority {rule.get('Priority', '?')}"


def _values(condition: dict[str, Any]) -> list[str]:
    nested = next((value.get("Values") for key, value in condition.items() if key.endswith("Config")), None)
    return [str(value) for value in condition.get("Values") or nested or ()]


def read_place(elbv2: Any, arn: str) -> Actions:
    """One route's actions, read alone, right before a write."""
    if ":listener-rule/" in arn:
        rule_actions: Actions = elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"]
        return rule_actions
    listener_actions: Actions = elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]["DefaultActions"]
    return listener_actions
