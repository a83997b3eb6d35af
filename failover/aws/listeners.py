"""Listeners and rules of load balancers: everything that can forward to a target group.

Source: ELBv2 API reference, DescribeListeners, DescribeRules (a listener's default action is listed as a rule too; both
page) and DescribeTargetGroups (LoadBalancerArns: the load balancers that a group is attached to).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from failover.aws.actions import Actions
from failover.aws.batches import chunks

ARNS_A_CALL = 100  # AWS names no largest number for listeners, rules and target groups


@dataclass(frozen=True)
class Place:
    """A listener's default action or one rule, with its actions as AWS gave them."""

    arn: str
    label: str
    actions: Actions


def is_rule(arn: str) -> bool:
    return ":listener-rule/" in arn


def load_balancer_of(arn: str) -> str:
    """`…:listener/app/NAME/ID/…` and `…:listener-rule/app/NAME/ID/…` both name their load balancer."""
    prefix, path = arn.split(":listener", 1)
    return f"{prefix}:loadbalancer/{'/'.join(path.split('/')[1:4])}"


def places(elbv2: Any, load_balancer: str) -> Iterator[Place]:
    """Every listener's default action and every rule of a load balancer."""
    for page in elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=load_balancer):
        for listener in page["Listeners"]:
            yield from _of_listener(elbv2, listener)


def read(elbv2: Any, arns: Iterable[str]) -> dict[str, Place]:
    """These listeners and rules alone. A rule does not say its listener's port, so its label is only its condition."""
    wanted = list(dict.fromkeys(arns))
    found: dict[str, Place] = {}
    for some in chunks([arn for arn in wanted if not is_rule(arn)], ARNS_A_CALL):
        for page in elbv2.get_paginator("describe_listeners").paginate(ListenerArns=list(some)):
            found.update({each["ListenerArn"]: _default(each) for each in page["Listeners"]})
    for some in chunks([arn for arn in wanted if is_rule(arn)], ARNS_A_CALL):
        for page in elbv2.get_paginator("describe_rules").paginate(RuleArns=list(some)):
            found.update({each["RuleArn"]: _rule(each, "") for each in page["Rules"]})
    return found


def attachments(elbv2: Any, group_arns: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Target groups as described, by ARN."""
    found: dict[str, dict[str, Any]] = {}
    for some in chunks(list(dict.fromkeys(group_arns)), ARNS_A_CALL):
        for page in elbv2.get_paginator("describe_target_groups").paginate(TargetGroupArns=list(some)):
            found.update({each["TargetGroupArn"]: each for each in page["TargetGroups"]})
    return found


def _of_listener(elbv2: Any, listener: dict[str, Any]) -> Iterator[Place]:
    yield _default(listener)
    for page in elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener["ListenerArn"]):
        for rule in page["Rules"]:
            if not rule.get("IsDefault"):  # the default action again, under a rule ARN that can't be modified
                yield _rule(rule, f"{_name(listener)}, ")


def _name(listener: dict[str, Any]) -> str:
    return f"{listener['Protocol']} :{listener['Port']}"


def _default(listener: dict[str, Any]) -> Place:
    return Place(listener["ListenerArn"], f"{_name(listener)}, default", listener["DefaultActions"])


def _rule(rule: dict[str, Any], prefix: str) -> Place:
    return Place(rule["RuleArn"], f"{prefix}{_condition(rule)}", rule["Actions"])


def _condition(rule: dict[str, Any]) -> str:
    values = [value for condition in rule.get("Conditions", ()) for value in _values(condition)]
    return " ".join(values) or f"priority {rule.get('Priority', '?')}"


def _values(condition: dict[str, Any]) -> list[str]:
    nested = next((value.get("Values") for key, value in condition.items() if key.endswith("Config")), None)
    return [str(value) for value in condition.get("Values") or nested or ()]
