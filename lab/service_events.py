"""A service's events in ECS's words, and the EventBridge events that go with them.

Sources: ECS Developer Guide, "Service event messages" (a repeated message is left out until its cause is resolved or
six hours have passed), "Amazon ECS service action events", "Amazon ECS service deployment state change events".
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.moments import second
from lab.tasks import Task

EVENTS_KEPT = 100
REPEATED_AFTER_SECONDS = 6 * 3600.0

SERVICE_ACTION = "ECS Service Action"
DEPLOYMENT_CHANGE = "ECS Deployment State Change"

# Takes the detail type, the resource's ARN, the detail and the time.
Publish = Callable[[str, str, dict[str, Any], float], None]


@dataclass(frozen=True)
class Event:
    id: str
    at: float
    message: str


@dataclass
class ServiceEvents:
    """The newest event comes first, as DescribeServices lists them."""

    service: str
    service_arn: str
    cluster_arn: str
    publish: Publish
    events: list[Event] = field(default_factory=list)
    _open: dict[str, float] = field(default_factory=dict)

    def started(self, tasks: Sequence[Task], at: float) -> None:
        self._tell(f"has started {len(tasks)} tasks: {_named(tasks)}.", at)

    def stopped(self, tasks: Sequence[Task], at: float) -> None:
        self._tell(f"has stopped {len(tasks)} running tasks: {_named(tasks)}.", at)

    def draining(self, count: int, at: float) -> None:
        self._tell(f"has begun draining connections on {count} tasks.", at)

    def registered(self, group_arn: str, at: float) -> None:
        self._tell(f"registered 1 targets in (target-group {group_arn})", at)

    def deregistered(self, group_arn: str, at: float) -> None:
        self._tell(f"deregistered 1 targets in (target-group {group_arn})", at)

    def unhealthy(self, port: int, group_arn: str, reason: str, at: float) -> None:
        self._tell(f"(port {port}) is unhealthy in (target-group {group_arn}) due to (reason {reason})", at)

    def steady(self, at: float) -> None:
        self._tell("has reached a steady state.", at)
        self._act("INFO", "SERVICE_STEADY_STATE", at)

    def no_capacity(self, at: float) -> None:
        reason = "Capacity is unavailable at this time. Please try again later or in a different availability zone."
        if self._tell_once("capacity", f"was unable to place a task. Reason: {reason}", at):
            self._act("ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", at, reason="RESOURCE:FARGATE")

    def placed(self) -> None:
        """Resolves the want of capacity."""
        self._open.pop("capacity", None)

    def start_impaired(self, at: float) -> None:
        if self._tell_once("start", "is unable to consistently start tasks successfully.", at):
            self._act("WARN", "SERVICE_TASK_START_IMPAIRED", at)

    def start_recovered(self) -> None:
        self._open.pop("start", None)

    def deployment_begun(self, deployment: str, reason: str, at: float) -> None:
        self._deployed("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", deployment, reason, at)

    def rolling_back(self, deployment: str, reason: str, at: float) -> None:
        self._tell(f"rolling back to deployment {deployment}.", at)
        self._deployed("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", deployment, reason, at)

    def deployment_completed(self, deployment: str, reason: str, at: float) -> None:
        self._tell(f"(deployment {deployment}) deployment completed.", at)
        self._deployed("INFO", "SERVICE_DEPLOYMENT_COMPLETED", deployment, reason, at)

    def deployment_failed(self, deployment: str, reason: str, at: float) -> None:
        self._tell(f"(deployment {deployment}) deployment failed: tasks failed to start.", at)
        self._deployed("ERROR", "SERVICE_DEPLOYMENT_FAILED", deployment, reason, at)

    def _tell(self, message: str, at: float) -> None:
        self.events.insert(0, Event(str(uuid.uuid4()), at, f"(service {self.service}) {message}"))
        del self.events[EVENTS_KEPT:]

    def _tell_once(self, cause: str, message: str, at: float) -> bool:
        if at - self._open.get(cause, -REPEATED_AFTER_SECONDS) < REPEATED_AFTER_SECONDS:
            return False
        self._open[cause] = at
        self._tell(message, at)
        return True

    def _act(self, kind: str, name: str, at: float, **more: str) -> None:
        detail = {"eventType": kind, "eventName": name, "clusterArn": self.cluster_arn, "createdAt": second(at), **more}
        self.publish(SERVICE_ACTION, self.service_arn, detail, at)

    def _deployed(self, kind: str, name: str, deployment: str, reason: str, at: float) -> None:
        about = {"deploymentId": deployment, "updatedAt": second(at), "reason": reason}
        self.publish(DEPLOYMENT_CHANGE, self.service_arn, {"eventType": kind, "eventName": name, **about}, at)


def _named(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
