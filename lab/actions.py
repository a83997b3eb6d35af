"""Action lists of listeners and rules, as ModifyListener and ModifyRule take them and Describe* shows them.

Source: Elastic Load Balancing API Reference, ``Action``, ``ForwardActionConfig``, ``AuthenticateOidcActionConfig``.
"""

import copy
from collections.abc import Container
from typing import Any

from lab.alb import Actions
from lab.errors import AwsError

AUTHENTICATING = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
# A redirect would need the lab's nodes to speak for the load balancer's public name.
FINAL = ("forward", "fixed-response")
MOST_GROUPS = 5
MOST_WEIGHT = 999
LONGEST_STICKINESS = 604_800


def accept(actions: Actions, previous: Actions, groups: Container[str]) -> Actions:
    """The action list as AWS would store it.

    ``previous`` is what it replaces: an OIDC secret may be taken over from there. ``groups`` are the ARNs of existing
    target groups. Raises AwsError for what AWS refuses.
    """
    accepted = copy.deepcopy(actions)
    _check_order(accepted)
    for action in accepted:
        if action["Type"] == "forward":
            _accept_forward(action, groups)
        elif action["Type"] == "authenticate-oidc":
            _accept_oidc(action, previous)
    return sorted(accepted, key=lambda action: action.get("Order", 1))


def shown(actions: Actions) -> Actions:
    """The action list as Describe* returns it: an OIDC client secret never comes back."""
    visible = copy.deepcopy(actions)
    for action in visible:
        config = action.get("AuthenticateOidcConfig", {})
        config.pop("ClientSecret", None)
        config.pop("UseExistingClientSecret", None)
    return visible


def _check_order(actions: Actions) -> None:
    kinds = [action["Type"] for action in actions]
    for kind in kinds:
        if kind not in FINAL + AUTHENTICATING:
            raise AwsError("InvalidLoadBalancerAction", f"The lab does not do actions of type '{kind}'.")
    if sum(kind in FINAL for kind in kinds) != 1:
        raise AwsError("InvalidLoadBalancerAction", "You must specify exactly one forward or fixed-response action")
    if len(actions) == 1:
        return
    orders = [action.get("Order") for action in actions]
    if None in orders or len(set(orders)) != len(orders):
        raise AwsError("InvalidLoadBalancerAction", "Each action of several needs its own 'Order'")
    last = max(actions, key=lambda action: int(action["Order"]))
    if last["Type"] not in FINAL:
        raise AwsError("InvalidLoadBalancerAction", "The forward or fixed-response action must be the last action")


def _accept_forward(action: dict[str, Any], groups: Container[str]) -> None:
    single = action.get("TargetGroupArn")
    config = action.setdefault("ForwardConfig", {})
    targets = config.setdefault("TargetGroups", [{"TargetGroupArn": single}] if single else [])
    if single and [target.get("TargetGroupArn") for target in targets] != [single]:
        raise AwsError(
            "InvalidLoadBalancerAction",
            "You can specify only one target group in ForwardConfig, and the same one, when TargetGroupArn is set",
        )
    _check_groups(targets, groups)
    _check_stickiness(config.setdefault("TargetGroupStickinessConfig", {"Enabled": False}))
    if len(targets) == 1:
        action["TargetGroupArn"] = targets[0]["TargetGroupArn"]


def _check_groups(targets: list[dict[str, Any]], groups: Container[str]) -> None:
    if not 1 <= len(targets) <= MOST_GROUPS:
        raise AwsError("TooManyTargetGroups" if targets else "ValidationError", "A forward takes 1 to 5 target groups")
    arns = [target.get("TargetGroupArn") for target in targets]
    if len(set(arns)) != len(arns):
        raise AwsError("ValidationError", "A target group may be named once in a forward action")
    for target in targets:
        if target.get("TargetGroupArn") not in groups:
            raise AwsError("TargetGroupNotFound", f"Target group '{target.get('TargetGroupArn')}' not found")
        if not 0 <= target.setdefault("Weight", 1) <= MOST_WEIGHT:
            raise AwsError("ValidationError", f"Weight '{target['Weight']}' must be between 0 and {MOST_WEIGHT}")


def _check_stickiness(config: dict[str, Any]) -> None:
    if config.get("Enabled") and not 1 <= config.get("DurationSeconds", 0) <= LONGEST_STICKINESS:
        raise AwsError("ValidationError", f"Stickiness needs DurationSeconds from 1 to {LONGEST_STICKINESS}")


def _accept_oidc(action: dict[str, Any], previous: Actions) -> None:
    config = action.get("AuthenticateOidcConfig", {})
    if config.get("UseExistingClientSecret"):
        if "ClientSecret" in config:
            raise AwsError("InvalidLoadBalancerAction", "ClientSecret and UseExistingClientSecret exclude each other")
        config["ClientSecret"] = _existing_secret(previous)
    elif "ClientSecret" not in config:
        raise AwsError("InvalidLoadBalancerAction", "A client secret must be specified for authenticate-oidc")


def _existing_secret(previous: Actions) -> str:
    for action in previous:
        secret = action.get("AuthenticateOidcConfig", {}).get("ClientSecret")
        if secret is not None:
            return str(secret)
    raise AwsError("InvalidLoadBalancerAction", "There is no existing client secret to use")
