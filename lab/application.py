"""One application of the lab, whole."""

from dataclasses import dataclass

from lab.alarms import Alarm
from lab.alb import Listener, LoadBalancer
from lab.composite_alarms import CompositeAlarm
from lab.ecs import Service
from lab.lambda_ import Function
from lab.targets import TargetGroup


@dataclass(frozen=True)
class Application:
    """One application's parts, for whoever starts or shows the lab."""

    slug: str
    name: str
    function: Function
    service: Service
    load_balancer: LoadBalancer
    lambda_group: TargetGroup
    ecs_group: TargetGroup
    alarms: tuple[Alarm, ...]
    composite_alarms: tuple[CompositeAlarm, ...] = ()
    third_group: TargetGroup | None = None

    @property
    def listener(self) -> Listener:
        return self.load_balancer.listeners[0]
