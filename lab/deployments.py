"""Amazon ECS rolling deployments and their circuit breaker.

Sources: ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks" and "How the Amazon ECS deployment circuit
breaker detects failures"; ECS API Reference, Deployment and DeploymentCircuitBreaker.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

from lab.service_events import ServiceEvents
from lab.tasks import TaskDefinition

PRIMARY, ACTIVE = "PRIMARY", "ACTIVE"
IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"

FEWEST_FAILURES, MOST_FAILURES = 3, 200
TASKS_FAILED = "ECS deployment circuit breaker: tasks failed to start."


@dataclass(frozen=True)
class CircuitBreaker:
    enabled: bool = True
    rollback: bool = True


def failure_threshold(desired: int) -> int:
    """How many tasks may fail before the deployment has: half of the desired count, within 3 and 200."""
    return min(max(FEWEST_FAILURES, math.ceil(0.5 * desired)), MOST_FAILURES)


@dataclass
class Deployment:
    """``failed`` counts the tasks that failed in a row: a task that gets healthy sets it back to zero."""

    id: str
    definition: TaskDefinition
    created: float
    updated: float
    rollout: str
    reason: str
    failed: int = 0


class Deployments:
    """A service's deployments: the first is PRIMARY, the others are ACTIVE until their last task has ended."""

    def __init__(
        self, definition: TaskDefinition, breaker: CircuitBreaker, events: ServiceEvents, created: float
    ) -> None:
        self.breaker = breaker
        self._events = events
        self._begun = 0
        first = self._new(definition, created)
        first.rollout, first.reason = COMPLETED, f"ECS deployment {first.id} completed."
        self.all = [first]
        self._completed = first

    @property
    def primary(self) -> Deployment:
        return self.all[0]

    @property
    def may_launch(self) -> bool:
        """A deployment that failed launches no more tasks."""
        return self.primary.rollout != FAILED

    def begin(self, definition: TaskDefinition, now: float) -> None:
        deployment = self._new(definition, now)
        self.all.insert(0, deployment)
        self._events.deployment_begun(deployment.id, deployment.reason, now)

    def count_failure(self, deployment_id: str, desired: int, now: float) -> None:
        """Only a deployment in progress counts: later failures are the scheduler's to replace."""
        primary = self.primary
        if deployment_id != primary.id or primary.rollout != IN_PROGRESS:
            return
        primary.failed, primary.updated = primary.failed + 1, now
        if self.breaker.enabled and primary.failed >= failure_threshold(desired):
            self._fail(primary, now)

    def count_healthy(self, deployment_id: str) -> None:
        if deployment_id == self.primary.id:
            self.primary.failed = 0

    def complete(self, now: float) -> None:
        primary = self.primary
        primary.rollout, primary.updated = COMPLETED, now
        primary.reason = f"ECS deployment {primary.id} completed."
        self._completed = primary
        self._events.deployment_completed(primary.id, primary.reason, now)

    def drop_ended(self, in_use: Collection[str]) -> None:
        """Forgets the older deployments of which no task lives."""
        self.all = [each for each in self.all if each is self.primary or each.id in in_use]

    def _new(self, definition: TaskDefinition, now: float) -> Deployment:
        self._begun += 1
        number = f"ecs-svc/{int(now * 1000) * 1000 + self._begun:019d}"
        return Deployment(number, definition, now, now, IN_PROGRESS, f"ECS deployment {number} in progress.")

    def _fail(self, deployment: Deployment, now: float) -> None:
        deployment.rollout, deployment.reason = FAILED, TASKS_FAILED
        self._events.deployment_failed(deployment.id, TASKS_FAILED, now)
        if self.breaker.rollback and deployment is not self._completed:
            self._roll_back(now)

    def _roll_back(self, now: float) -> None:
        """The last completed deployment becomes PRIMARY again. If it fails too, ECS gives up: no second roll-back."""
        target = self._completed
        target.rollout, target.failed, target.updated = IN_PROGRESS, 0, now
        target.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {target.id}."
        self.all = [target, *(each for each in self.all if each is not target)]
        self._events.rolling_back(target.id, target.reason, now)
