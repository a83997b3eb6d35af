"""One application's AWS: what it says, part by part, and the three writes that we make."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TypeVar

from failover.aws import (
    alarms,
    health,
    limits,
    metrics,
    routes,
    scaling,
    services,
    tasks,
    trouble,
    writing,
)
from failover.aws.clients import Clients
from failover.aws.readings import take
from failover.model import (
    Action,
    Alarm,
    Application,
    Limits,
    Metrics,
    Part,
    Reading,
    Routes,
    Scaling,
    Service,
    Snapshot,
    Targets,
)
from failover.ports import Call, Clock, MaySend, always

T = TypeVar("T")

BUDGET_SECONDS = 10.0  # an observation that took longer leaves the rest unknown
LIMITS_SECONDS = 60.0  # concurrency limits change by hand and rarely


class Adapter:
    """Implements `failover.ports.Aws` for one application. Thread-safe as boto3's clients are."""

    def __init__(self, application: Application, clients: Clients, clock: Clock = time.time) -> None:
        self.application = application
        self.clients = clients
        self.clock = clock
        self._limits: Reading[Limits] = Reading()

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        """Send one write, once. Raises AwsError, HeldBackError."""
        return writing.write(self.clients, self.application, action, may_send)

    def observe(self, parts: Collection[Part] = tuple(Part)) -> Snapshot:
        began = self.clock()
        service = self._read(Part.SERVICE, parts, began, self._service)
        return Snapshot(
            at=began,
            alarms=self._read(Part.ALARMS, parts, began, self._alarms),
            routes=self._read(Part.ROUTES, parts, began, self._routes),
            service=service,
            targets=self._read_targets(service, parts, began),
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
        return take(part, self.application, asked, read)

    def _read_targets(self, service: Reading[Service], parts: Collection[Part], began: float) -> Reading[Targets]:
        """Which targets are ours is known by the service's tasks: without them, none would look healthy."""
        known = service.value
        if known is None:
            return Reading(problem=service.problem) if Part.TARGETS in parts else Reading()
        return self._read(Part.TARGETS, parts, began, lambda: self._targets(known))

    def _read_limits(self, parts: Collection[Part], began: float) -> Reading[Limits]:
        if Part.LIMITS in parts and self._limits.age(self.clock()) > LIMITS_SECONDS:
            self._limits = self._read(Part.LIMITS, parts, began, self._function_limits)
        return self._limits

    def _function_limits(self) -> Limits:
        return limits.read(self.clients.functions, self.application.function_name)

    def _metrics(self) -> Metrics:
        return metrics.read(self.clients.alarms, self.application, self.clock())

    def _alarms(self) -> tuple[Alarm, ...]:
        names = self.application.alarms
        return alarms.chosen(alarms.read(self.clients.alarms, names), names)

    def _prewarm_alarms(self) -> tuple[Alarm, ...]:
        names = self.application.prewarm_alarms
        return alarms.existing(alarms.read(self.clients.alarms, names), names)

    def _routes(self) -> Routes:
        return routes.read(self.clients.elbv2, self.application, self.clock())

    def _scaling(self) -> Scaling:
        wanted = scaling.resource_id(self.application)
        return scaling.read(self.clients.scaling, [wanted]).get(wanted, Scaling())

    def _targets(self, service: Service) -> Targets:
        ecs = health.read(self.clients.elbv2, self.application.ecs_target_group_arn)
        functions = health.read(self.clients.elbv2, self.application.lambda_target_group_arn)
        return health.targets(ecs, functions, service.task_addresses)

    def _service(self) -> Service:
        cluster, name = self.application.cluster, services.short(self.application.service)
        described = services.chosen(
            services.describe(self.clients.ecs, cluster, [self.application.service]), cluster, name
        )
        active = services.has_tasks(described)
        addresses = tasks.addresses(self.clients.ecs, cluster, [name]) if active else {}
        return services.service(
            described,
            addresses.get(name, ()),
            trouble.read(self.clients.ecs, self.clients.elbv2, self.application, described, self.clock()),
        )
