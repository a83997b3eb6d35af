"""When something in the world next happens by itself, so that virtual time can pass over the moments in between.

Whatever moves by being looked at (a task on its way, a target that drains) is due at once; the rest names its moment.
Answering too early costs a look, answering too late would change history: when in doubt, it is ``now``.
"""

from collections.abc import Iterator
from math import inf

from lab.alb import LoadBalancer
from lab.ecs import RUNNING, STOPPED, Service
from lab.eventbridge import EventBus
from lab.lambda_ import SAMPLING_SECONDS, Function
from lab.targets import HEALTHY, UNAVAILABLE, TargetGroup
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
    yield _of_bus(world.bus)
    for application in world.applications.values():
        yield _of_balancer(application.load_balancer)
        yield _of_service(application.service, now)
        yield _of_function(application.function, now)
    for group in world.groups.values():
        yield _of_group(group, now)


def _of_bus(bus: EventBus) -> float:
    pending = (each.due for each in bus.deliveries if each.outcome == "pending" and each.due is not None)
    return min(pending, default=inf)


def _of_balancer(load_balancer: LoadBalancer) -> float:
    news = min((at for node in load_balancer.nodes.values() for at, _, _ in node.coming), default=inf)
    return min(news, load_balancer.hosts_due)


def _of_service(service: Service, now: float) -> float:
    wanted = 0
    for task in service.tasks.values():
        if task.status not in (RUNNING, STOPPED):
            return now
        wanted += task.desired == RUNNING
    return inf if wanted == service.desired else now


def _of_function(function: Function, now: float) -> float:
    sampled = now + SAMPLING_SECONDS if function.in_flight > function.counted else inf
    idle = (each.idle_since for each in function.environments.values() if each.idle_since is not None)
    return min(sampled, min(idle, default=inf) + function.settings.idle_seconds)


def _of_group(group: TargetGroup, now: float) -> float:
    if not group.targets:
        return inf
    checked = group.health_check.enabled and group.in_use
    return min(now if t.drain_until is not None else t.check_due if checked else inf for t in group.targets.values())
