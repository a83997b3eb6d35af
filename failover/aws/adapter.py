"""One application's AWS: what it says, part by part, and the three writes that we make."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

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
    versions,
    writing,
)
from failover.aws.clients import Clients
from failover.aws.errors import translate
from failover.aws.readings import take
from failover.evidence import FRESH_SECONDS
from failover.model import (
    DECIDING,
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
    Versions,
)
from failover.ports import Call, Clock, MaySend, always

T = TypeVar("T")

BUDGET_SECONDS = 10.0  # an observation that took longer leaves the rest unknown
LIMITS_SECONDS = 60.0  # concurrency limits change by hand and rarely
VERSIONS_SECONDS = 600.0  # what code the pools have is told to people, and nothing waits for it
SEARCH_SECONDS = 60.0  # between searches of whole load balancers that nobody asked for
HEALTH_CHECKS_SECONDS = 60.0  # whether a Lambda target group has health checks changes by hand and rarely
READS_A_PERIOD = 6  # CloudWatch publishes once a metric period, at no known moment of it


@dataclass(frozen=True)
class _Tasks:
    """Addresses of the service's running tasks as listed at `at`, while ECS counted so many of them."""

    counts: tuple[int, int, int] = (0, 0, 0)
    addresses: tuple[str, ...] = ()
    at: float = 0.0


class Adapter:
    """Implements `failover.ports.Aws` for one application. Thread-safe as boto3's clients are.

    What can't have changed since it was read is not asked for again: see each of the constants above.
    """

    def __init__(self, application: Application, clients: Clients, clock: Clock = time.time) -> None:
        self.application = application
        self.clients = clients
        self.clock = clock
        self._limits: Reading[Limits] = Reading()
        self._versions: Reading[Versions] = Reading()
        self._metrics: Reading[Metrics] = Reading()
        self._searched: Routes | None = None
        self._tasks = _Tasks()
        self._unchecked_at = 0.0

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        """Send one write, once. Raises AwsError, HeldBackError."""
        return writing.write(self.clients, self.application, action, may_send)

    def observe(self, parts: Collection[Part] = DECIDING) -> Snapshot:
        began = self.clock()
        service = self._read(Part.SERVICE, parts, began, self._service)
        return Snapshot(
            at=began,
            alarms=self._read(Part.ALARMS, parts, began, self._alarms),
            routes=self._read_routes(parts, began),
            service=service,
            targets=self._read_targets(service, parts, began),
            scaling=self._read(Part.BOUNDS, parts, began, self._scaling),
            metrics=self._read_metrics(parts, began),
            limits=self._read_limits(parts, began),
            prewarm=self._read(Part.PREWARM, parts, began, self._prewarm_alarms),
            versions=self._read_versions(service, parts, began),
        )

    def alarms(self, names: Collection[str]) -> Reading[tuple[Alarm, ...]]:
        """Read alarms by name, those of them that exist. Unknown, with its problem, where that fails."""

        def read() -> tuple[Alarm, ...]:
            return alarms.existing(alarms.read(self.clients.alarms, names), names)

        return take(Part.ALARMS, self.application, self.clock(), read)

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

    def _read_routes(self, parts: Collection[Part], began: float) -> Reading[Routes]:
        """The application's own routes; whole load balancers where asked for, or not searched for long."""
        known = self._searched
        if Part.FORWARDERS in parts or known is None or began - known.searched_at > SEARCH_SECONDS:
            return self._read(Part.ROUTES, parts, began, self._search)
        return self._read(Part.ROUTES, parts, began, lambda: self._reread(known))

    def _read_metrics(self, parts: Collection[Part], began: float) -> Reading[Metrics]:
        if Part.METRICS not in parts:
            return Reading()
        if self._metrics.age(began) > self.application.policy.metric_period_seconds / READS_A_PERIOD:
            self._metrics = self._read(Part.METRICS, parts, began, self._read_series)
        return self._metrics

    def _read_limits(self, parts: Collection[Part], began: float) -> Reading[Limits]:
        if Part.LIMITS in parts and self._limits.age(self.clock()) > LIMITS_SECONDS:
            self._limits = self._read(Part.LIMITS, parts, began, self._function_limits)
        return self._limits

    def _function_limits(self) -> Limits:
        return limits.read(self.clients.functions, self.application.function_name)

    def _read_versions(self, service: Reading[Service], parts: Collection[Part], began: float) -> Reading[Versions]:
        """Which task definition would run is the service's to say."""
        known = service.value
        if Part.VERSIONS not in parts or known is None:
            return Reading(problem=service.problem) if Part.VERSIONS in parts else Reading()
        if self._versions.age(self.clock()) > VERSIONS_SECONDS:
            self._versions = self._read(Part.VERSIONS, parts, began, lambda: self._code(known.task_definition))
        return self._versions

    def _code(self, task_definition: str) -> Versions:
        clients, name = self.clients, self.application.function_name
        return versions.read(clients.functions, clients.ecs, name, task_definition)

    def _read_series(self) -> Metrics:
        return metrics.read(self.clients.alarms, self.application, self.clock())

    def _alarms(self) -> tuple[Alarm, ...]:
        names = self.application.alarms
        return alarms.chosen(alarms.read(self.clients.alarms, names), names)

    def _prewarm_alarms(self) -> tuple[Alarm, ...]:
        names = self.application.prewarm_alarms
        return alarms.existing(alarms.read(self.clients.alarms, names), names)

    def _reread(self, known: Routes) -> Routes:
        """A route that is gone fails the call for all: the search says which one it is."""
        try:
            return routes.reread(self.clients.elbv2, self.application, known)
        except ClientError as error:
            if translate(error, "", "").kind != "missing":
                raise
            return self._search()

    def _search(self) -> Routes:
        self._searched = routes.read(self.clients.elbv2, self.application, self.clock())
        return self._searched

    def _scaling(self) -> Scaling:
        wanted = scaling.resource_id(self.application)
        return scaling.read(self.clients.scaling, [wanted]).get(wanted, Scaling())

    def _targets(self, service: Service) -> Targets:
        ecs = health.read(self.clients.elbv2, self.application.ecs_target_group_arn)
        return health.targets(ecs, self._function_states(), service.task_addresses)

    def _function_states(self) -> health.States:
        """A group without health checks says `unavailable` of its function until somebody adds some."""
        arn, now = self.application.lambda_target_group_arn, self.clock()
        if now - self._unchecked_at <= HEALTH_CHECKS_SECONDS:
            return [(arn, health.UNCHECKED)]
        states = health.read(self.clients.elbv2, arn)
        unchecked = [state for _, state in states] == [health.UNCHECKED]
        self._unchecked_at = now if unchecked else 0.0
        return states

    def _service(self) -> Service:
        cluster, name = self.application.cluster, services.short(self.application.service)
        described = services.chosen(
            services.describe(self.clients.ecs, cluster, [self.application.service]), cluster, name
        )
        return services.service(
            described,
            self._addresses(described) if services.has_tasks(described) else (),
            trouble.read(self.clients.ecs, self.clients.elbv2, self.application, described, self.clock()),
        )

    def _addresses(self, described: dict[str, Any]) -> tuple[str, ...]:
        """Listed again as soon as a count changes, and before a write could rest on a list that is not fresh."""
        counts, now = services.counts(described), self.clock()
        if counts != self._tasks.counts or now - self._tasks.at > FRESH_SECONDS:
            name = services.short(self.application.service)
            listed = tasks.addresses(self.clients.ecs, self.application.cluster, [name])
            self._tasks = _Tasks(counts, listed.get(name, ()), now)
        return self._tasks.addresses
