"""What is true in the lab's world: what the checker judges by, instead of what a controller believes.

Nothing here, nor in ``bench.simulate.checker``, imports the controller.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.alb import Actions, Rule, forward_weights
from lab.application import Application
from lab.targets import UNHEALTHY
from lab.tasks import RUNNING
from lab.virtual import VirtualLab


@dataclass
class Truth:
    """One application of a lab. ``look`` is to be called every second or so: it keeps what has to be remembered."""

    lab: VirtualLab
    slug: str
    ecs_weight_at: float = 0.0
    offered: list[tuple[float, float]] = field(default_factory=list)
    alarmed_at: float = float("-inf")

    @property
    def now(self) -> float:
        return self.lab.now

    @property
    def application(self) -> Application:
        return self.lab.cloud.applications[self.slug]

    def look(self) -> None:
        if self.ecs_has_weight():
            self.ecs_weight_at = self.now
        if any(alarm.state.value == "ALARM" for alarm in self.application.alarms):
            self.alarmed_at = self.now
        self.offered.append((self.now, self._offered()))
        del self.offered[:-600]

    def alarm_without_data(self) -> bool:
        return any(alarm.state.value == "INSUFFICIENT_DATA" for alarm in self.application.alarms)

    def _offered(self) -> float:
        """The concurrency that Lambda would have if all traffic were its own: rate times mean duration."""
        flow = self.lab.flows.get(self.slug)
        return flow.rate * flow.mean_seconds if flow else 0.0

    def rule(self, arn: str) -> Rule | None:
        """A rule by its ARN, or a listener's default rule by the listener's."""
        for listener in self.application.load_balancer.listeners:
            if arn == listener.arn:
                return listener.default
            for rule in listener.rules:
                if rule.arn == arn:
                    return rule
        return None

    def ours(self, actions: Actions) -> tuple[int, int, int]:
        """Weights of the Lambda pool, of the ECS pool and of all other groups in an action list."""
        weights = forward_weights(actions)
        on_lambda = weights.pop(self.application.lambda_group.arn, 0)
        on_ecs = weights.pop(self.application.ecs_group.arn, 0)
        return on_lambda, on_ecs, sum(weights.values())

    def ecs_has_weight(self) -> bool:
        """Whether any rule gives the ECS group weight, as written or as a node still knows it."""
        return any(self.ours(actions)[1] for actions in self._every_action_list())

    def _every_action_list(self) -> Iterator[Actions]:
        balancer = self.application.load_balancer
        yield from (rule.actions for rule in balancer.rules())
        for node in balancer.nodes.values():
            yield from node.known.values()

    def positions(self) -> set[float]:
        """The ECS share of every rule as written."""
        shares = set()
        for rule in self.application.load_balancer.rules():
            on_lambda, on_ecs, _ = self.ours(rule.actions)
            if on_lambda + on_ecs:
                shares.add(on_ecs / (on_lambda + on_ecs))
        return shares

    def task_addresses(self) -> set[str]:
        return {task.address for task in self.application.service.tasks.values() if task.status == RUNNING}

    def lambda_unhealthy_for(self) -> float:
        """Since when the function's health checks have failed; 0 while they pass, or where there are none."""
        targets = self.application.lambda_group.targets.values()
        return min((self.now - each.since if each.state == UNHEALTHY else 0.0 for each in targets), default=0.0)
