"""What changes rarely and costs calls: whole load balancers, Lambda's limits, versions. A few calls in every sweep.

Whole load balancers are searched so that a listener or rule that is no route and forwards to our groups is found: at
the latest SEARCH_SECONDS after the last time, and then in turn, the longest waiting first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from failover.aws import limits as limit_reading
from failover.aws import listeners, routes
from failover.aws import versions as version_reading
from failover.aws.errors import FAILURES
from failover.aws.fleet.pace import PacedOutError
from failover.aws.fleet.sweep import Sweep
from failover.aws.listeners import ARNS_A_CALL, Place
from failover.aws.readings import take
from failover.model import Application, Limits, Part, Reading, Routes, Versions

SEARCH_SECONDS = 60.0
LIMITS_SECONDS = 600.0
VERSIONS_SECONDS = 600.0
LEAST_CALLS = 4
APPLICATIONS_A_CALL = 20
SEARCH_CALLS = 4  # target groups, listeners, and the rules of two listeners
VERSIONS_CALLS = 2  # the function and the task definition

Search = frozenset[str]


@dataclass(frozen=True)
class Chore:
    """`overdue` is 1 when it is time; `cost` about how many calls it takes."""

    name: str
    overdue: float
    cost: int
    run: Callable[[], None]


@dataclass
class Chores:
    """Does what is most overdue first. `tried` outlives a sweep, so that what fails waits its turn like the rest."""

    sweep: Sweep
    tried: dict[str, float]
    routes: dict[str, Reading[Routes]] = field(default_factory=dict)
    limits: dict[str, Reading[Limits]] = field(default_factory=dict)
    versions: dict[str, Reading[Versions]] = field(default_factory=dict)
    _places: dict[str, list[Place]] = field(default_factory=dict)
    _unreserved: int | None = None

    def run(self) -> None:
        """Stops at the sweep's share of calls, but does one chore at least."""
        share = max(LEAST_CALLS, len(self.sweep.applications) // APPLICATIONS_A_CALL)
        start = self.sweep.pace.made
        every = (*self._searches(), *self._limit_readings(), *self._version_readings())
        due = (chore for chore in every if chore.overdue >= 1)
        for chore in sorted(due, key=lambda chore: -chore.overdue):
            spent = self.sweep.pace.made - start
            if (spent and spent + chore.cost > share) or not self.sweep.asker.in_time:
                return
            self.tried[chore.name] = self.sweep.clock()
            try:
                chore.run()
            except PacedOutError:
                return

    def _overdue(self, name: str, last: float, every: float) -> float:
        return (self.sweep.clock() - max(last, self.tried.get(name, 0.0))) / every

    # ---- whole load balancers ----

    def _searches(self) -> Iterator[Chore]:
        """Applications on the same load balancers share a search."""
        together: dict[Search, list[Application]] = defaultdict(list)
        for application in self.sweep.applications:
            together[routes.load_balancers_of(application)].append(application)
        for arns, applications in together.items():
            name = " ".join(sorted(arns))
            overdue = self._overdue(name, min(map(self._searched_at, applications)), SEARCH_SECONDS)
            yield Chore(name, overdue, SEARCH_CALLS, partial(self._search, arns, applications))

    def _searched_at(self, application: Application) -> float:
        known = self.sweep.before(application).routes.value
        return known.searched_at if known else 0.0

    def _search(self, arns: Search, applications: list[Application]) -> None:
        """Where a load balancer can't be read, what was read of the routes alone stands."""
        asked, elbv2 = self.sweep.clock(), self.sweep.readers.elbv2
        groups = [group for application in applications for group in routes.groups_of(application)]
        attached = self.sweep.asker.ask_divided(
            "target groups", groups, ARNS_A_CALL, lambda some: listeners.attachments(elbv2, some)
        )
        for application in applications:
            ours = {group: attached.found.get(group, {}) for group in routes.groups_of(application)}
            try:
                places = {arn: self._of(arn) for arn in sorted(arns | routes.attached_to(ours.values()))}
                found = routes.searched_for(application, places, ours, asked)
            except FAILURES:
                continue
            self.routes[application.slug] = Reading.of(found, asked)

    def _of(self, arn: str) -> list[Place]:
        if arn not in self._places:
            self._places[arn] = list(listeners.places(self.sweep.readers.elbv2, arn))
        return self._places[arn]

    # ---- Lambda's limits ----

    def _limit_readings(self) -> Iterator[Chore]:
        for application in self.sweep.applications:
            last = self.sweep.before(application).limits.at
            name = f"limits of {application.slug}"
            overdue = self._overdue(name, last, LIMITS_SECONDS)
            yield Chore(name, overdue, 1, partial(self._read_limits, application))

    def _read_limits(self, application: Application) -> None:
        asked = self.sweep.clock()
        self.limits[application.slug] = take(Part.LIMITS, application, asked, lambda: self._limits(application))

    def _limits(self, application: Application) -> Limits:
        """What the account's functions share is one number for all of them."""
        if self._unreserved is None:
            self._unreserved = limit_reading.unreserved(self.sweep.readers.functions)
        return Limits(limit_reading.reserved(self.sweep.readers.functions, application.function_name), self._unreserved)

    # ---- what code the pools have ----

    def _version_readings(self) -> Iterator[Chore]:
        """Of services that are known: they name the task definition. What was never read is due now and not long
        overdue, so that it keeps nothing back that operators need more.
        """
        for application in self.sweep.applications:
            before = self.sweep.before(application)
            definition = before.service.value.task_definition if before.service.value else ""
            if not definition:
                continue
            name = f"versions of {application.slug}"
            self.tried.setdefault(name, self.sweep.clock() - VERSIONS_SECONDS)
            overdue = self._overdue(name, before.versions.at, VERSIONS_SECONDS)
            yield Chore(name, overdue, VERSIONS_CALLS, partial(self._read_versions, application, definition))

    def _read_versions(self, application: Application, task_definition: str) -> None:
        readers, name = self.sweep.readers, application.function_name
        read = partial(version_reading.read, readers.functions, readers.ecs, name, task_definition)
        self.versions[application.slug] = take(Part.VERSIONS, application, self.sweep.clock(), read)
