"""What calls have created in a world: the parts of an application that is not whole yet, and what joins them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.alarms import Alarm
from lab.alb import LoadBalancer, forward_weights
from lab.application import Application
from lab.ecs import Service
from lab.lambda_ import Function, Functions
from lab.targets import TargetGroup


@dataclass
class Created:
    """Parts that belong to no application; they live, move and are shown by the API like all others."""

    load_balancers: list[LoadBalancer] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    def gather(self, functions: Functions) -> Iterator[Application]:
        """The applications that are whole: an action that forwards to a function and to a service's group."""
        for service in list(self.services):
            for load_balancer in list(self.load_balancers):
                group = _lambda_group(load_balancer, service.group)
                if group is not None:
                    yield self._take(service, load_balancer, group, functions.find(next(iter(group.targets))))
                    break

    def _take(
        self, service: Service, load_balancer: LoadBalancer, group: TargetGroup, function: Function
    ) -> Application:
        """Its alarms are those on the function's metrics, and are told apart by their dimension."""
        mine = [each for each in self.alarms if ("FunctionName", function.settings.name) in _dimensions(each)]
        self.services.remove(service)
        self.load_balancers.remove(load_balancer)
        self.alarms = [each for each in self.alarms if each not in mine]
        name = service.name
        return Application(name, name, function, service, load_balancer, group, service.group, tuple(mine))


def _lambda_group(load_balancer: LoadBalancer, beside: TargetGroup) -> TargetGroup | None:
    for rule in load_balancer.rules():
        arns = forward_weights(rule.actions)
        if beside.arn in arns:
            groups = [load_balancer.group(arn) for arn in arns]
            return next((each for each in groups if each.kind == "lambda" and each.targets), None)
    return None


def _dimensions(alarm: Alarm) -> tuple[tuple[str, str], ...]:
    return alarm.settings.metric.dimensions
