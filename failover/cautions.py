"""What may fail once it is needed, told to people beforehand. Nothing is kept back because of it."""

from __future__ import annotations

from collections.abc import Iterator

from failover.capacity import wanted_tasks
from failover.demand import CONCURRENCY_METRIC, tasks_needed
from failover.model import Application, Limits, Snapshot
from failover.parity import judged

CPU_UNITS = 1024  # of one vCPU
FARGATE_VCPUS = 6  # a new account's, in each region; what it is now takes Service Quotas to read
FARGATE_QUOTA = "L-3032A538 (Fargate On-Demand vCPU resource count)"
CONCURRENCY_QUOTA = "L-B99A9384 (concurrent executions)"


def found(application: Application, snapshot: Snapshot, now: float) -> tuple[str, ...]:
    """A sentence for each, with its figure and the way out. What is unknown is no caution: that is said elsewhere."""
    tasks = _tasks(application, snapshot, now)
    return (
        *_other_code(snapshot),
        *_late_alarms(application, snapshot),
        *_no_room_to_scale(snapshot, tasks),
        *_many_vcpus(application, snapshot, tasks),
    )


def _tasks(application: Application, snapshot: Snapshot, now: float) -> int:
    """How many tasks a failover would ask for now."""
    service = snapshot.service.value
    needed = tasks_needed(application.policy, snapshot, now)
    return wanted_tasks(application.policy, service.desired if service else 0, needed)


def _other_code(snapshot: Snapshot) -> Iterator[str]:
    parity = judged(snapshot)
    if parity.same is False:
        yield f"{parity.sentence} Moving traffic changes what users get: deploy the same release to both."


def _late_alarms(application: Application, snapshot: Snapshot) -> Iterator[str]:
    """An alarm on concurrency is taken to watch the application's own function, as the projection of demand does."""
    limits = snapshot.limits.value
    if limits is None:
        return
    for alarm in (*(snapshot.alarms.value or ()), *(snapshot.prewarm.value or ())):
        if alarm.metric == CONCURRENCY_METRIC and alarm.threshold is not None:
            yield from late(application, alarm.name, alarm.threshold, limits)


def late(application: Application, alarm: str, threshold: float, limits: Limits) -> Iterator[str]:
    """A sentence where an alarm on concurrency goes off only once Lambda throttles."""
    said = f"The alarm {alarm} goes off at {threshold:g} concurrent executions, but Lambda throttles at"
    if limits.reserved is not None and threshold >= limits.reserved:
        yield f"{said} {limits.reserved}, the function's reservation: lower the threshold, or reserve more."
    elif limits.reserved is None and limits.unreserved is not None and threshold >= limits.unreserved:
        yield (
            f"{said} {limits.unreserved}, which all functions without a reservation share: lower the threshold, "
            f"reserve some for {application.function_name}, or have the quota {CONCURRENCY_QUOTA} raised."
        )


def _no_room_to_scale(snapshot: Snapshot, tasks: int) -> Iterator[str]:
    bounds = snapshot.scaling.value.bounds if snapshot.scaling.value else None
    if bounds and tasks > bounds.maximum:
        yield (
            f"A failover would start {tasks} tasks, and autoscaling has a maximum of {bounds.maximum}: it is raised to "
            f"{tasks} meanwhile, which leaves autoscaling none to add. Set the maximum above {tasks}."
        )


def _many_vcpus(application: Application, snapshot: Snapshot, tasks: int) -> Iterator[str]:
    versions = snapshot.versions.value
    vcpus = tasks * versions.cpu_units / CPU_UNITS if versions else 0
    if versions and vcpus > FARGATE_VCPUS:
        yield (
            f"A failover's {tasks} tasks of {versions.cpu_units / CPU_UNITS:g} vCPU need {vcpus:g}, and a new account "
            f"may run {FARGATE_VCPUS} on Fargate: check the quota {FARGATE_QUOTA} of {application.region}."
        )
