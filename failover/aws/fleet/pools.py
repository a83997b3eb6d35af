"""The ECS services of many applications, and the health of those pools that matter now.

A service that does something (tasks, weight, an operation, trouble, or nothing known yet) is read in every sweep. Idle
ones take turns, the longest unread first: with one cluster each is read in every second sweep, and a fleet with a
cluster for each application costs freshness instead of calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from failover.aws import health, services, tasks, trouble
from failover.aws.batches import chunks
from failover.aws.fleet.batch import Batch
from failover.aws.fleet.pace import PacedOutError
from failover.aws.fleet.sweep import Sweep, readings
from failover.aws.service_events import trouble as from_events
from failover.model import Application, Part, Reading, Routes, Service, Targets
from failover.ports import AwsError

LEAST_IDLE_CALLS = 3
APPLICATIONS_AN_IDLE_CALL = 20
TASKS_OF_A_CALL = 50

Chunk = tuple[str, Sequence[Application]]  # a cluster and some of its services


def read_services(sweep: Sweep) -> dict[str, Reading[Service]]:
    found: dict[str, Reading[Service]] = {}
    by_cluster: dict[str, list[Application]] = defaultdict(list)
    for cluster, some in _turn(sweep):
        by_cluster[cluster].extend(some)
    for cluster, applications in by_cluster.items():
        found.update(_of_cluster(sweep, cluster, applications))
    return found


def _turn(sweep: Sweep) -> list[Chunk]:
    """Which services are read now, in calls."""
    clusters: dict[str, list[Application]] = defaultdict(list)
    for application in sweep.applications:
        clusters[application.cluster].append(application)
    must: list[Chunk] = []
    may: list[Chunk] = []
    for cluster, applications in clusters.items():
        ordered = sorted(applications, key=lambda each: (not _active(sweep, each), _read_at(sweep, each)))
        for some in chunks(ordered, services.SERVICES_A_CALL):
            (must if _active(sweep, some[0]) else may).append((cluster, some))
    may.sort(key=lambda chunk: min(_read_at(sweep, each) for each in chunk[1]))
    return must + may[: max(LEAST_IDLE_CALLS, ceil(len(sweep.applications) / APPLICATIONS_AN_IDLE_CALL))]


def _read_at(sweep: Sweep, application: Application) -> float:
    return sweep.before(application).service.at


def _active(sweep: Sweep, application: Application) -> bool:
    before = sweep.before(application)
    service = before.service.value
    if service is None or application.slug in sweep.busy or _has_weight(before.routes.value):
        return True
    return bool(service.desired or service.running or service.pending or service.trouble)


def _has_weight(found: Routes | None) -> bool:
    """Whether ECS may get requests; what is not known may be."""
    return found is None or any(route.split is None or route.split.ecs for route in found.managed)


def _of_cluster(sweep: Sweep, cluster: str, applications: Sequence[Application]) -> dict[str, Reading[Service]]:
    ecs = sweep.readers.ecs
    names = [_name(application) for application in applications]
    described = sweep.asker.ask(
        "services", names, services.SERVICES_A_CALL, lambda some: services.describe(ecs, cluster, some)
    )
    with_tasks = [name for name, each in described.found.items() if "failure" not in each and services.has_tasks(each)]
    running = sweep.asker.ask("tasks", with_tasks, TASKS_OF_A_CALL, lambda some: tasks.addresses(ecs, cluster, some))
    both: Batch[Any] = Batch(failed={**described.failed, **running.failed}, asked=described.asked)
    waiting = {name for name in with_tasks if name not in running.asked}

    def value(application: Application) -> Service:
        found = services.chosen(described.found, cluster, application.service)
        return services.service(found, running.found.get(_name(application), ()), _trouble(sweep, application, found))

    read = [application for application in applications if _name(application) not in waiting]
    return readings(Part.SERVICE, read, both, lambda application: [_name(application)], value)


def _name(application: Application) -> str:
    return services.short(application.service)


def _trouble(sweep: Sweep, application: Application, described: dict[str, Any]) -> str:
    now = sweep.clock()
    try:
        return trouble.read(sweep.readers.ecs, sweep.readers.elbv2, application, described, now)
    except PacedOutError:
        return from_events(described, (), now)


# ---- health ----


def targets(
    sweep: Sweep, found_routes: Mapping[str, Reading[Routes]], found_services: Mapping[str, Reading[Service]]
) -> dict[str, Reading[Targets]]:
    """Both groups' health where ECS has weight, tasks or an operation. Elsewhere no task means no healthy target."""
    matter = [each for each in sweep.applications if _matters(sweep, each, found_routes, found_services)]
    groups = [group for application in matter for group in _groups(application)]
    batch = sweep.asker.ask(
        "health", groups, 1, lambda some: {group: health.read(sweep.readers.elbv2, group) for group in some}
    )

    def value(application: Application) -> Targets:
        service = sweep.service(application, found_services)
        if service is None:
            raise AwsError("unknown", "Which targets are the service's tasks is unknown: it can't be read.")
        ecs, functions = (_states(batch, group) for group in _groups(application))
        return health.targets(ecs, functions, service.task_addresses)

    found = readings(Part.TARGETS, matter, batch, _groups, value)
    slugs = {application.slug for application in matter}
    idle = {slug: each for slug, each in found_services.items() if slug not in slugs and each.value is not None}
    return found | {slug: Reading.of(Targets(0), each.at) for slug, each in idle.items()}


def _matters(
    sweep: Sweep,
    application: Application,
    found_routes: Mapping[str, Reading[Routes]],
    found_services: Mapping[str, Reading[Service]],
) -> bool:
    """Health costs two calls each, so what is unknown as a whole (an outage, a denial) is no reason to read it."""
    service = sweep.service(application, found_services)
    if application.slug in sweep.busy or (service and (service.running or service.pending)):
        return True
    found = (found_routes.get(application.slug) or sweep.before(application).routes).value
    return found is not None and _has_weight(found)


def _groups(application: Application) -> list[str]:
    return [application.ecs_target_group_arn, application.lambda_target_group_arn]


def _states(batch: Batch[health.States], group: str) -> health.States:
    if group not in batch.found:
        raise AwsError("missing", f"The target group {group} was not found.", "Correct target_group_arn.")
    return batch.found[group]
