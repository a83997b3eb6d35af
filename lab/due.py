"""When something in the world next happens by itself, so that virtual time can pass over the moments in between.

Whatever moves by being looked at (a task on its way, a target that drains) is due at once; the rest names its moment.
Answering too early costs a look, answering too late would change history: when in doubt, it is ``now``.
"""

from math import inf

from lab.alb import LoadBalancer
from lab.deployments import IN_PROGRESS
from lab.ecs import SERVICE_DRAINING, Service
from lab.eventbridge import EventBus
from lab.targets import HEALTHY, UNAVAILABLE, TargetGroup
from lab.tasks import RUNNING
from lab.world import Application, World

SETTLED = (HEALTHY, UNAVAILABLE)


def next_due(world: World, now: float) -> float:
    """The next moment at which ``World.advance`` has something to do; infinite when nothing ever has."""
    due = _of_bus(world.bus)
    for application in world.applications.values():
        due = min(due, _of_application(application, now))
        if due <= now:
            return now
    for load_balancer in world.created.load_balancers:
        due = min(due, _of_balancer(load_balancer))
    for service in world.created.services:
        due = min(due, _of_service(service, now))
    for alarm in world.created.alarms:
        due = min(due, alarm.due)
    for group in world.groups.values():
        if group.targets:
            due = min(due, _of_group(group, now))
    return due


def in_motion(world: World) -> bool:
    """Whether where requests go may change at the next moment: traffic must then be counted at each."""
    for load_balancer in world.load_balancers():
        for node in load_balancer.nodes.values():
            if node.coming:
                return True
    for group in world.groups.values():
        for target in group.targets.values():
            if target.state not in SETTLED:
                return True
    return False


def _of_application(application: Application, now: float) -> float:
    due = min(
        _of_balancer(application.load_balancer),
        _of_service(application.service, now),
        application.function.due(now),
    )
    for alarm in application.alarms:
        due = min(due, alarm.due)
    for composite in application.composite_alarms:
        if composite.is_timed:
            return now
    return due


def _of_bus(bus: EventBus) -> float:
    pending = bus.pending()
    return min((each.due for each in pending if each.due is not None), default=inf) if pending else inf


def _of_balancer(load_balancer: LoadBalancer) -> float:
    due = load_balancer.hosts_due
    for node in load_balancer.nodes.values():
        for at, _, _ in node.coming:
            due = min(due, at)
    return due


def _of_service(service: Service, now: float) -> float:
    if now < service.rests_until:
        return inf
    settled = service.deployments.primary.rollout != IN_PROGRESS and len(service.deployments.all) == 1
    if not settled or service.status == SERVICE_DRAINING or service.life.dies_on_traffic:
        return now
    live = [task for task in service.tasks.values() if task.lives]
    exit_status = service.life.containers.exit_status
    steady = all(task.status == RUNNING and exit_status(task.id) is None for task in live)
    return inf if steady and len(live) == service.desired else now


def _of_group(group: TargetGroup, now: float) -> float:
    due, checked = inf, group.health_check.enabled and group.in_use
    for target in group.targets.values():
        if target.drain_until is not None:
            return now
        if checked:
            due = min(due, target.check_due)
    return due
