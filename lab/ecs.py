"""Amazon ECS: a service on Fargate, at its desired count, through deployments.

Sources: ECS Developer Guide, "Amazon ECS services", "Deploy Amazon ECS services by replacing tasks"; ECS API Reference,
UpdateService and DeleteService.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from lab.deployments import IN_PROGRESS, Deployments
from lab.errors import AwsError
from lab.rolling import next_round
from lab.service_events import Event, ServiceEvents
from lab.start_throttle import StartThrottle
from lab.targets import TargetGroup
from lab.task_life import TaskLife
from lab.tasks import DEACTIVATING, Task, TaskDefinition, TaskSettings

ACTIVE, SERVICE_DRAINING, INACTIVE = "ACTIVE", "DRAINING", "INACTIVE"
STOPPED_TASKS_KEPT_SECONDS = 3600

# Told of every task that changed its status or its desired status.
Announce = Callable[["Service", Task, float], None]


@dataclass
class Service:
    """A service whose tasks are targets of one group; ``status`` is ACTIVE, DRAINING or INACTIVE."""

    name: str
    arn: str
    cluster: str
    deployments: Deployments
    life: TaskLife
    announce: Announce
    created: float
    desired: int = 0
    status: str = ACTIVE
    tasks: dict[str, Task] = field(default_factory=dict)
    throttle: StartThrottle = field(default_factory=StartThrottle)
    rests_until: float = 0.0  # nothing happens to it by itself before then
    _steady: bool = True

    @property
    def resource_id(self) -> str:
        return f"service/{self.cluster}/{self.name}"

    @property
    def settings(self) -> TaskSettings:
        return self.life.settings

    @property
    def group(self) -> TargetGroup:
        return self.life.group

    @property
    def events(self) -> list[Event]:
        return self._log.events

    @property
    def definition(self) -> TaskDefinition:
        """What the primary deployment runs."""
        return self.deployments.primary.definition

    def check_active(self) -> None:
        """Raises ServiceNotActiveException."""
        if self.status != ACTIVE:
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")

    def set_desired(self, count: int) -> None:
        """Changes the desired count; this starts no deployment. Raises ServiceNotActiveException."""
        self.check_active()
        self.desired, self.rests_until = count, 0.0

    def deploy(self, definition: TaskDefinition, now: float) -> None:
        """Starts a rolling deployment. Raises ServiceNotActiveException."""
        self.check_active()
        self.rests_until = 0.0
        self.deployments.begin(definition, now)
        self._forget_failures()

    def delete(self) -> None:
        """DRAINING while tasks live, then INACTIVE."""
        self.status, self.desired, self.rests_until = SERVICE_DRAINING, 0, 0.0

    def counted(self, *statuses: str, deployment: str | None = None) -> list[Task]:
        """The tasks with one of these statuses, of one deployment or of all."""
        return [
            task for task in self.tasks.values() if task.status in statuses and deployment in {None, task.deployment}
        ]

    def advance(self, now: float) -> None:
        if now < self.rests_until:
            return
        for task in list(self.tasks.values()):
            self._advance_task(task, now)
        self._reconcile(now)
        self._conclude(now)
        self._watch_steady(now)
        for task in list(self.tasks.values()):
            self._announce_change(task, now)
        self.rests_until = self._rest()

    def _rest(self) -> float:
        """Without tasks, wanted or alive, it rests until the first that has stopped is forgotten."""
        settled = self.deployments.primary.rollout != IN_PROGRESS and self.status != SERVICE_DRAINING
        if self.desired or not settled or any(task.lives for task in self.tasks.values()):
            return 0.0
        return min((task.stopped or 0.0 for task in self.tasks.values()), default=inf) + STOPPED_TASKS_KEPT_SECONDS

    @property
    def _log(self) -> ServiceEvents:
        return self.life.events

    def _advance_task(self, task: Task, now: float) -> None:
        """A task that gets RUNNING ends the throttle; one that fails counts against its deployment."""
        if not task.lives:
            self._forget(task, now)
            return
        ran, was_healthy = task.started is not None, task.was_healthy
        if self.life.advance(task, now):
            self._count_failure(task.deployment, now, ran=task.started is not None)
        elif task.started is not None and not ran:
            self._forget_failures()
        if task.was_healthy and not was_healthy:
            self.deployments.count_healthy(task.deployment)

    def _forget_failures(self) -> None:
        """Tasks start again, or none is wanted: the next failure is news."""
        self.throttle.reset()
        self._log.start_recovered()

    def _forget(self, task: Task, now: float) -> None:
        if now - (task.stopped or now) > STOPPED_TASKS_KEPT_SECONDS:
            del self.tasks[task.id]

    def _count_failure(self, deployment: str, now: float, *, ran: bool) -> None:
        """A task that could not be placed counts as one that did not start (Deployment, failedTasks)."""
        primary = self.deployments.primary
        self.deployments.count_failure(deployment, self.desired, now)
        if self.deployments.primary is not primary:
            self._forget_failures()
        elif not ran:
            self.throttle.failed(now)
            if self.throttle.impaired:
                self._log.start_impaired(now)

    def _reconcile(self, now: float) -> None:
        deployments, tasks = self.deployments, list(self.tasks.values())
        step = next_round(
            self.desired,
            deployments.primary.id,
            tasks,
            may_launch=deployments.may_launch,
            is_healthy=self.life.is_healthy,
        )
        self._stop([*step.surplus, *step.replaced], now)
        if not step.start:
            self._log.placed()
        elif self.throttle.allows(now):
            self._launch(step.start, now)
        if not self.desired:
            self._forget_failures()

    def _launch(self, count: int, now: float) -> None:
        primary, placed = self.deployments.primary, []
        for _ in range(count):
            live = sum(task.lives for task in self.tasks.values())
            task = self.life.place(primary.definition, primary.id, live, now)
            if task is None:
                break
            self.tasks[task.id] = task
            placed.append(task)
        if placed:
            self._log.started(placed, now)
        if len(placed) == count:
            self._log.placed()
            return
        self._log.no_capacity(now)
        self._count_failure(primary.id, now, ran=False)

    def _stop(self, tasks: list[Task], now: float) -> None:
        if not tasks:
            return
        self._log.stopped(tasks, now)
        for task in tasks:
            reason = f"Scaling activity initiated by (deployment {self.deployments.primary.id})"
            self.life.stop(task, "ServiceSchedulerInitiated", reason, now)
        draining = sum(task.status == DEACTIVATING for task in tasks)
        if draining:
            self._log.draining(draining, now)

    def _conclude(self, now: float) -> None:
        """Ends what is done: older deployments, the one in progress, a service that is being deleted."""
        live = [task for task in self.tasks.values() if task.lives]
        self.deployments.drop_ended({task.deployment for task in live})
        if self.deployments.primary.rollout == IN_PROGRESS and len(self.deployments.all) == 1 and self._is_steady():
            self.deployments.complete(now)
        if self.status == SERVICE_DRAINING and not live:
            self.status = INACTIVE

    def _watch_steady(self, now: float) -> None:
        steady = self._is_steady()
        if steady and not self._steady:
            self._log.steady(now)
        self._steady = steady

    def _is_steady(self) -> bool:
        live = [task for task in self.tasks.values() if task.lives]
        return len(live) == self.desired == sum(map(self.life.is_healthy, live))

    def _announce_change(self, task: Task, now: float) -> None:
        state = (task.status, task.desired)
        if state == task.announced:
            return
        task.version += bool(task.announced[0])
        task.announced = state
        self.announce(self, task, now)
