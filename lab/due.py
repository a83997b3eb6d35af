"""When something in the world next happens by itself, so that virtual time can pass over the moments in between.

Whatever moves by being looked at (a task on its way, a target that drains) is due at once; the rest names its moment.
Answering too early costs a look, answering too late would change history: when in doubt, it is ``now``.
"""

from collections.abc import Iterator
from math import inf

from lab.alb import LoadBalancer
from lab.deployments import IN_PROGRESS
from lab.ecs import SERVICE_DRAINING, Service
from lab.eventbridge import EventBus
from lab.lambda_ import SAMPLING_SECONDS, Function
from lab.targets import HEALTHY, UNAVAILABLE, TargetGroup
from lab.tasks import RUNNING
from lab.world import World

SETTLED = (HEALTHY, UNAVAILABLE)


def next_due(world: World, now: float) -> float:
    """The next moment at which ``World.advance`` has something to do; infinite when nothing ever has."""
    return min(_moments(world, now), default=inf)


def in_motion(world: World) -> bool:
    """Whether where requests go may change at the next moment: traffic must then be counted at each."""
    nodes = (node for each in world.load_balancers() for node in each.nodes.values())
    targets = (target for group in world.groups.values() for target in group.targets.values())
    return any(node.coming for node in nodes) or any(each.state not in SETTLED for each in targets)


def _moments(world: World, now: float) -> Iterator[float]:
    yield min((alarm.due for alarm in world.alarms()), default=inf)
    yield min((now for each in world.composite_alarms() if each.is_timed), default=inf)
    yield _of_bus(world.bus)
    for application in world.applications.values():
        yield _of_balancer(application.load_balancer)
        yield _of_service(application.service, now)
        yield _of_function(application.function, now)
    for group in world.groups.values():
        yield _of_group(group, now)


def _of_bus(bus: EventBus) -> float:
    return min((each.due for each in bus.pending() if each.due is not None), default=inf)


def _of_balancer(load_balancer: LoadBalancer) -> float:
    news = min((at for node in load_balancer.nodes.values() for at, _, _ in node.coming), default=inf)
    return min(news, load_balancer.hosts_due)


def _of_service(service: Service, now: float) -> float:
    settled = service.deployments.primary.rollout != IN_PROGRESS and len(service.deployments.all) == 1
    if not settled or service.status == SERVICE_DRAINING or service.life.dies_on_traffic:
        return now
    live = [task for task in service.tasks.values() if task.lives]
    exit_status = service.life.containers.exit_status
    steady = all(task.status == RUNNING and exit_status(task.id) is None for task in live)
    return inf if steady and len(live) == service.desired else now


def _of_function(function: Function, now: float) -> float:
    sampled = now + SAMPLING_SECONDS if function.in_flight > function.counted else inf
    idle = (each.idle_since for each in function.environments.values() if each.idle_since is not None)
    return min(sampled, min(idle, default=inf) + function.settings.idle_seconds)


def _of_group(group: TargetGroup, now: float) -> float:
    if not group.targets:
        return inf
    checked = group.health_check.enabled and group.in_use
    return min(now if t.drain_until is not None else t.check_due if checked else inf for t in group.targets.values())
