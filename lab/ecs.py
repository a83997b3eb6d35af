"""Amazon ECS: a service on Fargate, its tasks and their lives.

Source: ECS Developer Guide, "Amazon ECS task lifecycle" and "Service event messages". The lab leaves out ACTIVATING and
DEPROVISIONING, which pass in a moment.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lab.targets import HEALTHY, UNHEALTHY, TargetGroup

PROVISIONING, PENDING, RUNNING = "PROVISIONING", "PENDING", "RUNNING"
DEACTIVATING, STOPPING, STOPPED = "DEACTIVATING", "STOPPING", "STOPPED"

PORT = 8080
STOPPED_TASKS_KEPT_SECONDS = 3600
EVENTS_KEPT = 100
COMPLAINT_SECONDS = 60


class Containers(Protocol):
    """Runs a task's container, named by the task's id."""

    def start(self, task_id: str, address: str, environment: Mapping[str, str]) -> None: ...

    def exit_status(self, task_id: str) -> int | None:
        """None while the container runs."""

    def terminate(self, task_id: str) -> None: ...

    def kill(self, task_id: str) -> None: ...


class Addresses(Protocol):
    """Gives every task an address of its own, as awsvpc networking does."""

    def take(self) -> str | None:
        """None when there is no capacity for another task."""

    def give_back(self, address: str) -> None: ...


@dataclass(frozen=True)
class TaskSettings:
    """How long a task takes to start and to stop, in seconds."""

    provisioning: float
    pending: float
    stop_timeout: float
    grace: float
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Event:
    id: str
    at: float
    message: str


@dataclass
class Task:
    """One task; ``desired`` is RUNNING or STOPPED, ``status`` where it is on the way."""

    id: str
    address: str
    created: float
    status: str = PROVISIONING
    desired: str = RUNNING
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    reason: str = ""
    stop_code: str = ""
    killed: bool = False


@dataclass
class Service:
    """A service at its desired count, whose tasks are targets of one group."""

    name: str
    arn: str
    cluster: str
    task_definition: str
    settings: TaskSettings
    group: TargetGroup
    containers: Containers
    addresses: Addresses
    created: float
    desired: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    _steady: bool = True
    _complained: float = 0.0

    @property
    def resource_id(self) -> str:
        return f"service/{self.cluster}/{self.name}"

    def set_desired(self, count: int) -> None:
        """Changes the desired count; this starts no deployment."""
        self.desired = count

    def counted(self, *statuses: str) -> list[Task]:
        return [task for task in self.tasks.values() if task.status in statuses]

    def advance(self, now: float) -> None:
        for task in list(self.tasks.values()):
            self._advance_task(task, now)
        self._reconcile(now)
        self._watch_steady(now)

    def _reconcile(self, now: float) -> None:
        wanted = [task for task in self.tasks.values() if task.desired == RUNNING]
        if len(wanted) < self.desired:
            self._launch(self.desired - len(wanted), now)
        elif len(wanted) > self.desired:
            newest_first = sorted(wanted, key=lambda task: (task.status == RUNNING, -task.created))
            self._scale_in(newest_first[: len(wanted) - self.desired], now)

    def _launch(self, count: int, now: float) -> None:
        addresses = [address for _ in range(count) if (address := self.addresses.take())]
        tasks = [Task(uuid.uuid4().hex, address, now) for address in addresses]
        self.tasks.update({task.id: task for task in tasks})
        if tasks:
            self._tell(f"has started {len(tasks)} tasks: {_named(tasks)}.", now)
        if len(tasks) < count and now - self._complained >= COMPLAINT_SECONDS:
            self._complained = now
            self._tell("was unable to place a task. Reason: Capacity is unavailable at this time.", now)

    def _scale_in(self, tasks: list[Task], now: float) -> None:
        self._tell(f"has stopped {len(tasks)} running tasks: {_named(tasks)}.", now)
        for task in tasks:
            self._stop(task, f"Scaling activity initiated by (deployment {self.deployment_id})", now)
        if any(task.status == DEACTIVATING for task in tasks):
            self._tell(f"has begun draining connections on {len(tasks)} tasks.", now)

    @property
    def deployment_id(self) -> str:
        return f"ecs-svc/{int(self.created * 1000):019d}"

    def _advance_task(self, task: Task, now: float) -> None:
        match task.status:
            case "PROVISIONING" if now - task.created >= self.settings.provisioning:
                task.status = PENDING
            case "PENDING" if now - task.created >= self.settings.provisioning + self.settings.pending:
                self._run(task, now)
            case "RUNNING":
                self._watch(task, now)
            case "DEACTIVATING" if task.address not in self.group.targets:
                self._terminate(task, now)
            case "STOPPING":
                self._await_exit(task, now)
            case "STOPPED" if now - (task.stopped or now) > STOPPED_TASKS_KEPT_SECONDS:
                del self.tasks[task.id]

    def _run(self, task: Task, now: float) -> None:
        self.containers.start(task.id, task.address, self.settings.variables)
        task.status, task.started = RUNNING, now
        self.group.register(task.address, PORT, now)
        self._tell(f"registered 1 targets in (target-group {self.group.arn})", now)

    def _watch(self, task: Task, now: float) -> None:
        """A task whose container ended or whose target is unhealthy is stopped; the next round replaces it."""
        if self.containers.exit_status(task.id) is not None:
            self.group.deregister(task.address, now)
            self._finish(task, "EssentialContainerExited", "Essential container in task exited", now)
            return
        target = self.group.targets.get(task.address)
        in_grace = now - (task.started or now) < self.settings.grace
        if target and target.state == UNHEALTHY and not in_grace:
            place = f"target-group {self.group.arn}"
            self._tell(f"(port {PORT}) is unhealthy in ({place}) due to (reason {target.description})", now)
            self._stop(task, f"Task failed ELB health checks in ({place})", now)

    def _stop(self, task: Task, reason: str, now: float) -> None:
        task.desired, task.reason, task.stopping = STOPPED, reason, now
        task.stop_code = "ServiceSchedulerInitiated"
        if task.status != RUNNING:
            self._finish(task, task.stop_code, reason, now)
            return
        task.status = DEACTIVATING
        self.group.deregister(task.address, now)
        self._tell(f"deregistered 1 targets in (target-group {self.group.arn})", now)

    def _terminate(self, task: Task, now: float) -> None:
        """Drained: SIGTERM now, SIGKILL after the stop time-out."""
        task.status, task.stopping = STOPPING, now
        self.containers.terminate(task.id)

    def _await_exit(self, task: Task, now: float) -> None:
        if self.containers.exit_status(task.id) is not None:
            self._finish(task, task.stop_code, task.reason, now)
        elif not task.killed and now - (task.stopping or now) >= self.settings.stop_timeout:
            task.killed = True
            self.containers.kill(task.id)

    def _finish(self, task: Task, code: str, reason: str, now: float) -> None:
        task.status, task.desired = STOPPED, STOPPED
        task.stop_code, task.reason, task.stopped = code, reason, now
        self.addresses.give_back(task.address)

    def _watch_steady(self, now: float) -> None:
        steady = self._is_steady()
        if steady and not self._steady:
            self._tell("has reached a steady state.", now)
        self._steady = steady

    def _is_steady(self) -> bool:
        live = [task for task in self.tasks.values() if task.status != STOPPED]
        healthy = sum(1 for task in live if self._is_healthy(task))
        return len(live) == self.desired == healthy

    def _is_healthy(self, task: Task) -> bool:
        target = self.group.targets.get(task.address)
        return target is not None and target.state == HEALTHY

    def _tell(self, message: str, now: float) -> None:
        """ECS lists the newest event first."""
        self.events.insert(0, Event(str(uuid.uuid4()), now, f"(service {self.name}) {message}"))
        del self.events[EVENTS_KEPT:]


def _named(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
