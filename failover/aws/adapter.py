"""What AWS says about one application, and the three writes that we make."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from failover.aws import actions as action_lists
from failover.aws import metrics, routes
from failover.aws.clients import Clients
from failover.aws.errors import translate
from failover.model import (
    Action,
    Alarm,
    AlarmState,
    Application,
    Bounds,
    Limits,
    Metrics,
    Part,
    Reading,
    Scaling,
    Service,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Snapshot,
    Split,
    Targets,
)
from failover.ports import AwsError, Call, Clock

T = TypeVar("T")

BUDGET_SECONDS = 10.0  # an observation that took longer leaves the rest unknown
LIMITS_SECONDS = 60.0  # concurrency limits change by hand and rarely
EVENTS = 5  # newest service events kept
_DIMENSION = "ecs:service:DesiredCount"


class Adapter:
    """Implements `failover.ports.Aws` for one application. Thread-safe as boto3's clients are."""

    def __init__(self, application: Application, clients: Clients, clock: Clock = time.time) -> None:
        self.application = application
        self.clients = clients
        self.clock = clock
        self._limits: Reading[Limits] = Reading()

    # ---- reading ----

    def observe(self, parts: Collection[Part] = tuple(Part)) -> Snapshot:
        began = self.clock()
        service = self._read(Part.SERVICE, parts, began, self._service)
        return Snapshot(
            at=began,
            alarms=self._read(Part.ALARMS, parts, began, self._alarms),
            routes=self._read(Part.ROUTES, parts, began, lambda: routes.read_all(self.clients.elbv2, self.application)),
            service=service,
            targets=self._read(Part.TARGETS, parts, began, lambda: self._targets(service)),
            scaling=self._read(Part.BOUNDS, parts, began, self._scaling),
            metrics=self._read(Part.METRICS, parts, began, self._metrics),
            limits=self._read_limits(parts, began),
            prewarm=self._read(Part.PREWARM, parts, began, self._prewarm_alarms),
        )

    def _read(self, part: Part, parts: Collection[Part], began: float, read: Callable[[], T]) -> Reading[T]:
        """An answer with the time at which it was asked for: never fresher than it is."""
        if part not in parts:
            return Reading()
        asked = self.clock()
        if asked - began > BUDGET_SECONDS:
            return Reading(problem=f"AWS took more than {BUDGET_SECONDS:.0f} s for what was read before")
        try:
            return Reading.of(read(), asked)
        except (ClientError, BotoCoreError) as error:
            return Reading(problem=str(translate(error, part.value, self.application.slug)))
        except AwsError as error:
            return Reading(problem=str(error))

    def _metrics(self) -> Metrics:
        return metrics.read(self.clients.alarms, self.application, self.clock())

    def _alarms(self) -> tuple[Alarm, ...]:
        found = self._described(self.application.alarms)
        if not found:
            raise AwsError("missing", "None of the application's alarms exists.", "Correct application.alarms.")
        return found

    def _prewarm_alarms(self) -> tuple[Alarm, ...]:
        return self._described(self.application.prewarm_alarms) if self.application.prewarm_alarms else ()

    def _described(self, names: tuple[str, ...]) -> tuple[Alarm, ...]:
        answer = self.clients.alarms.describe_alarms(
            AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = {a["AlarmName"]: _alarm(a) for a in answer.get("MetricAlarms", []) + answer.get("CompositeAlarms", [])}
        return tuple(found[name] for name in names if name in found)

    def _service(self) -> Service:
        app = self.application
        answer = self.clients.ecs.describe_services(cluster=app.cluster, services=[app.service])
        if not answer["services"]:
            reason = answer["failures"][0].get("reason", "unknown") if answer.get("failures") else "unknown"
            raise AwsError("missing", f"ECS service {app.cluster}/{app.service}: {reason}.", "Correct [ecs].")
        found = answer["services"][0]
        active = found["runningCount"] or found["pendingCount"]
        return _service(found, self._task_addresses() if active else ())

    def _task_addresses(self) -> tuple[str, ...]:
        """Private addresses of this service's RUNNING tasks; another service's task must never count."""
        app, ecs = self.application, self.clients.ecs
        pages = ecs.get_paginator("list_tasks").paginate(
            cluster=app.cluster, serviceName=app.service, desiredStatus="RUNNING", maxResults=100
        )
        addresses: list[str] = []
        for page in pages:
            if page["taskArns"]:
                tasks = ecs.describe_tasks(cluster=app.cluster, tasks=page["taskArns"])["tasks"]
                addresses += [ip for task in tasks if task["lastStatus"] == "RUNNING" for ip in _addresses(task)]
        return tuple(sorted(addresses))

    def _targets(self, service: Reading[Service]) -> Targets:
        ecs = self._health(self.application.ecs_target_group_arn)
        functions = self._health(self.application.lambda_target_group_arn)
        ours = set(service.value.task_addresses) if service.value else set()
        healthy = sum(1 for target, state in ecs if state == "healthy" and target in ours)
        return Targets(healthy, _counted(ecs), _counted(functions))

    def _health(self, group: str) -> list[tuple[str, str]]:
        answer = self.clients.elbv2.describe_target_health(TargetGroupArn=group)
        return [(t["Target"]["Id"], t["TargetHealth"]["State"]) for t in answer["TargetHealthDescriptions"]]

    def _scaling(self) -> Scaling:
        answer = self.clients.scaling.describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[self._resource_id], ScalableDimension=_DIMENSION
        )
        found = answer["ScalableTargets"]
        return Scaling(Bounds(found[0]["MinCapacity"], found[0]["MaxCapacity"]) if found else None)

    @property
    def _resource_id(self) -> str:
        return f"service/{self.application.cluster}/{self.application.service}"

    def _read_limits(self, parts: Collection[Part], began: float) -> Reading[Limits]:
        if Part.LIMITS in parts and self._limits.age(self.clock()) > LIMITS_SECONDS:
            self._limits = self._read(Part.LIMITS, parts, began, self._function_limits)
        return self._limits

    def _function_limits(self) -> Limits:
        functions = self.clients.functions
        reserved = functions.get_function_concurrency(FunctionName=self.application.function_name)
        account = functions.get_account_settings()["AccountLimit"]
        return Limits(reserved.get("ReservedConcurrentExecutions"), account.get("UnreservedConcurrentExecutions"))

    # ---- writing ----

    def write(self, action: Action) -> Call:
        """Send one write, once. Raises AwsError."""
        began = time.monotonic()
        name, resource = self._name(action)
        try:
            before, answer = self._send(action)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, name, resource) from error
        request_id = answer.get("ResponseMetadata", {}).get("RequestId", "")
        return Call(name, resource, before, str(action), request_id, round(time.monotonic() - began, 3))

    def _name(self, action: Action) -> tuple[str, str]:
        if isinstance(action, SetSplit):
            is_rule = ":listener-rule/" in action.route_arn
            return f"elasticloadbalancing:{'ModifyRule' if is_rule else 'ModifyListener'}", action.route_arn
        if isinstance(action, SetBounds):
            return "application-autoscaling:RegisterScalableTarget", self._resource_id
        return "ecs:UpdateService", self._resource_id

    def _send(self, action: Action) -> tuple[str, dict[str, Any]]:
        if isinstance(action, SetSplit):
            return self._set_split(action)
        if isinstance(action, SetBounds):
            return self._set_bounds(action.bounds)
        return self._set_desired_count(action)

    def _set_desired_count(self, action: SetDesiredCount) -> tuple[str, dict[str, Any]]:
        app = self.application
        answer = self.clients.ecs_write.update_service(
            cluster=app.cluster, service=app.service, desiredCount=action.count
        )
        return "", answer

    def _set_bounds(self, bounds: Bounds) -> tuple[str, dict[str, Any]]:
        answer = self.clients.scaling_write.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=self._resource_id,
            ScalableDimension=_DIMENSION,
            MinCapacity=bounds.minimum,
            MaxCapacity=bounds.maximum,
        )
        return "", answer

    def _set_split(self, action: SetSplit) -> tuple[str, dict[str, Any]]:
        """Read, change two numbers, write. The load balancer has no compare-and-set: reading right before the write
        and refusing what differs from the decision's view makes the window milliseconds.
        """
        app, arn = self.application, action.route_arn
        found = routes.read_place(self.clients.elbv2, arn)
        seen = action_lists.read(found, app.lambda_target_group_arn, app.ecs_target_group_arn)
        if seen.split != action.before:
            raise AwsError("changed", f"{arn} shows {seen.split or seen.problem} instead of {action.before}.")
        changed = action_lists.with_weights(found, _weights(app, action.split))
        if ":listener-rule/" in arn:
            return str(seen.split), self.clients.elbv2_write.modify_rule(RuleArn=arn, Actions=changed)
        return str(seen.split), self.clients.elbv2_write.modify_listener(ListenerArn=arn, DefaultActions=changed)


def _weights(application: Application, split: Split) -> dict[str, int]:
    return {application.lambda_target_group_arn: split.lambda_, application.ecs_target_group_arn: split.ecs}


def _counted(health: list[tuple[str, str]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(state for _, state in health).items()))


def _alarm(described: dict[str, Any]) -> Alarm:
    since = described.get("StateTransitionedTimestamp") or described["StateUpdatedTimestamp"]
    return Alarm(
        name=described["AlarmName"],
        state=AlarmState(described["StateValue"]),
        since=since.timestamp(),
        reason=described.get("StateReason", ""),
        threshold=described.get("Threshold"),
        metric=described.get("MetricName", ""),
        actions_enabled=described.get("ActionsEnabled", True),
        suppressed_by=described.get("ActionsSuppressedBy", ""),
    )


def _service(described: dict[str, Any], addresses: tuple[str, ...]) -> Service:
    deployments = described.get("deployments", [])
    return Service(
        desired=described["desiredCount"],
        pending=described["pendingCount"],
        running=described["runningCount"],
        status=described["status"],
        deployment_running=len(deployments) > 1,
        deployment_failed=any(d.get("rolloutState") == "FAILED" for d in deployments),
        task_addresses=addresses,
        events=tuple(event["message"] for event in described.get("events", [])[:EVENTS]),
    )


def _addresses(task: dict[str, Any]) -> list[str]:
    details = [d for attachment in task.get("attachments", ()) for d in attachment.get("details", ())]
    return [d["value"] for d in details if d.get("name") == "privateIPv4Address"]
