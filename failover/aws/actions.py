"""A listener's or rule's actions: read our two weights out of them, put two numbers in, leave the rest as it was.

Facts: Elastic Load Balancing API reference, ForwardActionConfig, AuthenticateOidcActionConfig and ModifyListener
(which replaces the whole list of actions).
"""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from failover.model import Split

Actions = list[dict[str, Any]]


@dataclass(frozen=True)
class Forward:
    """What one action list says about our two groups. `problem` says why it can't be managed."""

    split: Split | None
    other_weight: int = 0
    sticky: bool = False
    problem: str = ""


def groups(actions: Actions) -> dict[str, int]:
    """Weight by target group ARN over the list's forward action. A group named alone has weight 1."""
    forward = _forward(actions)
    if forward is None:
        return {}
    config = forward.get("ForwardConfig", {}).get("TargetGroups")
    if not config and "TargetGroupArn" in forward:
        return {forward["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in config or ()}


def read(actions: Actions, lambda_group: str, ecs_group: str) -> Forward:
    found = groups(actions)
    missing = [name for name, arn in (("Lambda", lambda_group), ("ECS", ecs_group)) if arn not in found]
    if missing:
        return Forward(None, problem=f"it does not forward to the {' and the '.join(missing)} target group")
    other = sum(weight for arn, weight in found.items() if arn not in (lambda_group, ecs_group))
    sticky = bool(_stickiness(actions).get("Enabled"))
    try:
        return Forward(Split(found[lambda_group], found[ecs_group]), other, sticky)
    except ValueError as error:
        return Forward(None, other, sticky, str(error))


def _forward(actions: Actions) -> dict[str, Any] | None:
    return next((action for action in actions if action.get("Type") == "forward"), None)


def _stickiness(actions: Actions) -> dict[str, Any]:
    forward = _forward(actions) or {}
    config: dict[str, Any] = forward.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    return config


def fingerprint(actions: Actions, lambda_group: str, ecs_group: str) -> str:
    """A digest of everything but our two weights. The order in which a forward lists its groups means nothing."""
    neutral = with_weights(actions, {lambda_group: 0, ecs_group: 0})
    for action in neutral:
        action.get("ForwardConfig", {}).get("TargetGroups", []).sort(key=lambda group: group["TargetGroupArn"])
    return hashlib.sha256(json.dumps(neutral, sort_keys=True, default=str).encode()).hexdigest()


def with_weights(actions: Actions, weights: dict[str, int]) -> Actions:
    """The same actions in a form that can be written back, with these groups' weights and nothing else changed."""
    return [_with_weights(_writable(action), weights) for action in deepcopy(actions)]


def _with_weights(action: dict[str, Any], weights: dict[str, int]) -> dict[str, Any]:
    for group in action.get("ForwardConfig", {}).get("TargetGroups", ()) if action.get("Type") == "forward" else ():
        if group["TargetGroupArn"] in weights:
            group["Weight"] = weights[group["TargetGroupArn"]]
    return action


def _writable(action: dict[str, Any]) -> dict[str, Any]:
    """What AWS gives out and does not take back: a group beside a ForwardConfig, and a secret that it never shows."""
    if action.get("Type") == "forward" and action.get("ForwardConfig", {}).get("TargetGroups"):
        action.pop("TargetGroupArn", None)
    oidc = action.get("AuthenticateOidcConfig")
    if oidc is not None:
        oidc.pop("ClientSecret", None)
        oidc["UseExistingClientSecret"] = True
    return action
