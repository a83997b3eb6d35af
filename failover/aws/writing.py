"""The three writes: desired count, autoscaling bounds, weights. Each is sent once, with a client that never retries."""

from __future__ import annotations

import time
from typing import Any

from failover.aws import actions as action_lists
from failover.aws import listeners, scaling
from failover.aws.actions import Actions, Forward
from failover.aws.clients import Clients
from failover.aws.errors import translated
from failover.aws.routes import groups_of
from failover.model import Action, Application, SetBounds, SetDesiredCount, SetSplit, Split
from failover.ports import AwsError, Call, HeldBackError, MaySend

MORE_CHANGED = "; AWS's answer differs from what stood before in more than the two weights"


def write(clients: Clients, application: Application, action: Action, may_send: MaySend) -> Call:
    """Send one write, once. Raises AwsError; HeldBackError where `may_send` says no once everything is read."""
    began = time.monotonic()
    name, resource = _name(application, action)
    with translated(name, resource):
        before, after, answer = _send(clients, application, action, may_send)
    request_id = answer.get("ResponseMetadata", {}).get("RequestId", "")
    return Call(name, resource, before, after, request_id, round(time.monotonic() - began, 3))


def _name(application: Application, action: Action) -> tuple[str, str]:
    """The action as IAM names it, and the resource that it changes."""
    if isinstance(action, SetSplit):
        operation = "ModifyRule" if listeners.is_rule(action.route_arn) else "ModifyListener"
        return f"elasticloadbalancing:{operation}", action.route_arn
    if isinstance(action, SetBounds):
        return "application-autoscaling:RegisterScalableTarget", scaling.resource_id(application)
    return "ecs:UpdateService", scaling.resource_id(application)


def _send(
    clients: Clients, application: Application, action: Action, may_send: MaySend
) -> tuple[str, str, dict[str, Any]]:
    if isinstance(action, SetSplit):
        return _set_split(clients, application, action, may_send)
    _ask(may_send)
    if isinstance(action, SetBounds):
        return "", str(action), _set_bounds(clients, application, action)
    return "", str(action), _set_desired_count(clients, application, action)


def _ask(may_send: MaySend) -> None:
    if not may_send():
        raise HeldBackError


def _set_desired_count(clients: Clients, application: Application, action: SetDesiredCount) -> dict[str, Any]:
    answer: dict[str, Any] = clients.ecs_write.update_service(
        cluster=application.cluster, service=application.service, desiredCount=action.count
    )
    if "service" not in answer:
        raise KeyError("service")
    return answer


def _set_bounds(clients: Clients, application: Application, action: SetBounds) -> dict[str, Any]:
    answer: dict[str, Any] = clients.scaling_write.register_scalable_target(
        ServiceNamespace=scaling.NAMESPACE,
        ResourceId=scaling.resource_id(application),
        ScalableDimension=scaling.DIMENSION,
        MinCapacity=action.bounds.minimum,
        MaxCapacity=action.bounds.maximum,
    )
    return answer


def _set_split(
    clients: Clients, application: Application, action: SetSplit, may_send: MaySend
) -> tuple[str, str, dict[str, Any]]:
    """Read, change two numbers, write. The load balancer has no compare-and-set: reading right before the write and
    refusing what differs from the decision's view makes the window milliseconds.
    """
    found = _present(clients, action.route_arn)
    seen = action_lists.read(found, *groups_of(application))
    if _differs(seen, action.before):
        shown = seen.split or seen.problem
        raise AwsError("changed", f"{action.route_arn} shows {shown} instead of {action.before}.")
    _ask(may_send)
    answer, stored = _modify(clients, action.route_arn, action_lists.with_weights(found, _weights(application, action)))
    return str(seen.split), str(action) + _beyond(application, found, stored), answer


def _differs(seen: Forward, before: Split) -> bool:
    """Beside a third group with weight the numbers count, and not their ratio alone: 50/0 is not 100/0 there."""
    if seen.split != before or seen.split is None:
        return True
    return bool(seen.other_weight) and (seen.split.lambda_, seen.split.ecs) != (before.lambda_, before.ecs)


def _present(clients: Clients, arn: str) -> Actions:
    """Read once, without retries: the write is sent while the lease that was asked for it still holds."""
    place = listeners.read(clients.elbv2_write, [arn]).get(arn)
    if place is None:
        raise AwsError("missing", f"{arn} does not exist.", "Correct [[routes]].")
    return place.actions


def _modify(clients: Clients, arn: str, changed: Actions) -> tuple[dict[str, Any], Actions]:
    """The answer, and the actions that AWS says it stored."""
    if listeners.is_rule(arn):
        answer = clients.elbv2_write.modify_rule(RuleArn=arn, Actions=changed)
        return answer, answer["Rules"][0]["Actions"]
    answer = clients.elbv2_write.modify_listener(ListenerArn=arn, DefaultActions=changed)
    return answer, answer["Listeners"][0]["DefaultActions"]


def _beyond(application: Application, before: Actions, after: Actions) -> str:
    """The write was sent, so this is said and not raised; what follows is decided on the next reading."""
    ours = groups_of(application)
    same = action_lists.fingerprint(before, *ours) == action_lists.fingerprint(after, *ours)
    return "" if same else MORE_CHANGED


def _weights(application: Application, action: SetSplit) -> dict[str, int]:
    split: Split = action.split
    return dict(zip(groups_of(application), (split.lambda_, split.ecs), strict=True))
