"""The life of a service's tasks: placed, provisioned, started, watched, drained and ended.

Source: ECS Developer Guide, "Amazon ECS task lifecycle". The lab leaves out ACTIVATING and DEPROVISIONING, which pass
in a moment.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from lab.faults import Faults
from lab.service_events import ServiceEvents
from lab.targets import HEALTHY, UNHEALTHY_STATES, TargetGroup
from lab.tasks import (
    DEACTIVATING,
    EXITING_IMAGE,
    PENDING,
    PORT,
    PROVISIONING,
    RUNNING,
    STOPPED,
    STOPPING,
    Addresses,
    Containers,
    Task,
    TaskDefinition,
    TaskSettings,
)

# A health check cannot wait this much longer than its own time-out.
TOO_SLOW_SECONDS = 5.0


@dataclass(frozen=True)
class TaskLife:
    """Moves the tasks of one service, whose name the switches go by."""

    service: str
    settings: TaskSettings
    group: TargetGroup
    containers: Containers
    addresses: Addresses
    faults: Faults
    events: ServiceEvents

    def place(self, definition: TaskDefinition, deployment: str, live: int, now: float) -> Task | None:
        """A new task beside ``live`` others, or None where Fargate has no capacity."""
        capacity = self.faults.number("fargate_capacity", self.service)
        address = self.addresses.take() if capacity is None or live < capacity else None
        if address is None:
            return None
        slower = self.faults.number("tasks_start_slowly", self.service) or 0.0
        provisioned = now + self.settings.provisioning + slower
        return Task(uuid.uuid4().hex, address, now, definition, deployment, provisioned)

    def advance(self, task: Task, now: float) -> bool:
        """One step on; true when the task just failed by itself."""
        match task.status:
            case "PROVISIONING" if now >= task.provisioned:
                self._start_container(task)
            case "PENDING" if self.containers.exit_status(task.id) is not None:
                self.finish(task, "EssentialContainerExited", "Essential container in task exited", now)
                return True
            case "PENDING" if now >= task.provisioned + self.settings.pending:
                self._run(task, now)
            case "RUNNING":
                return self._watch(task, now)
            case "DEACTIVATING" if task.address not in self.group.targets:
                self._terminate(task, now)
            case "STOPPING":
                self._await_exit(task, now)
        return False

    def stop(self, task: Task, code: str, reason: str, now: float) -> None:
        """Begins to stop it: a running task is drained first."""
        task.desired, task.reason, task.stopping, task.stop_code = STOPPED, reason, now, code
        if task.status in {PROVISIONING, PENDING}:
            if task.status == PENDING:
                self.containers.kill(task.id)
            self.finish(task, code, reason, now)
        elif task.status == RUNNING:
            task.status = DEACTIVATING
            self.group.deregister(task.address, now)
            self.events.deregistered(self.group.arn, now)

    def finish(self, task: Task, code: str, reason: str, now: float) -> None:
        task.status, task.desired = STOPPED, STOPPED
        task.stop_code, task.reason, task.stopped = code, reason, now
        self.addresses.give_back(task.address)

    def is_healthy(self, task: Task) -> bool:
        target = self.group.targets.get(task.address)
        return task.status == RUNNING and target is not None and target.state == HEALTHY

    def _start_container(self, task: Task) -> None:
        image, variables = self._container(task.definition)
        self.containers.start(task.id, task.address, image, variables)
        task.status = PENDING

    def _container(self, definition: TaskDefinition) -> tuple[str, Mapping[str, str]]:
        """What runs: the definition's image and variables, unless a switch breaks new tasks."""
        broken = self.faults.flag("tasks_do_not_start", self.service)
        image = EXITING_IMAGE if broken else definition.image
        if not self.faults.flag("tasks_never_healthy", self.service):
            return image, definition.variables
        return image, {**definition.variables, **too_slow(self.group.health_check.timeout)}

    def _run(self, task: Task, now: float) -> None:
        task.status, task.started = RUNNING, now
        self.group.register(task.address, PORT, now)
        self.events.registered(self.group.arn, now)

    def _watch(self, task: Task, now: float) -> bool:
        """A task whose container ended or whose target is unhealthy is stopped; the next round replaces it."""
        task.was_healthy = task.was_healthy or self.is_healthy(task)
        self._end_by_traffic(task)
        if self.containers.exit_status(task.id) is not None:
            self.group.deregister(task.address, now)
            self.finish(task, "EssentialContainerExited", "Essential container in task exited", now)
            return not task.was_healthy
        target = self.group.targets.get(task.address)
        in_grace = now - (task.started or now) < self.settings.grace
        if target is None or target.state not in UNHEALTHY_STATES or in_grace:
            return False
        self.events.unhealthy(PORT, self.group.arn, target.description or "Health checks failed", now)
        reason = f"Task failed ELB health checks in (target-group {self.group.arn})"
        self.stop(task, "ServiceSchedulerInitiated", reason, now)
        return True

    @property
    def dies_on_traffic(self) -> float | None:
        """After how many requests a switch ends a container; None while it is off."""
        return self.faults.number("tasks_die_on_traffic", self.service)

    def _end_by_traffic(self, task: Task) -> None:
        most = self.dies_on_traffic
        target = self.group.targets.get(task.address)
        if most is not None and target is not None and target.requests >= max(most, 1):
            self.containers.kill(task.id)

    def _terminate(self, task: Task, now: float) -> None:
        """Drained: SIGTERM now, SIGKILL after the stop time-out."""
        task.status, task.stopping = STOPPING, now
        self.containers.terminate(task.id)

    def _await_exit(self, task: Task, now: float) -> None:
        if self.containers.exit_status(task.id) is not None:
            self.finish(task, task.stop_code, task.reason, now)
        elif not task.killed and now - (task.stopping or now) >= self.settings.stop_timeout:
            task.killed = True
            self.containers.kill(task.id)


def too_slow(check_timeout: float) -> dict[str, str]:
    """Variables that make the sample API fail every health check: its root answers after the time-out."""
    return {"ROOT_DELAY_SECONDS": f"{check_timeout + TOO_SLOW_SECONDS:g}"}
