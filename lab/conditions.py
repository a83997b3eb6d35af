"""What a scenario can wait for: how one application stands in the world, whoever made it so."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.alarms import ALARM, OK
from lab.alb import Actions, forward_weights
from lab.targets import HEALTHY
from lab.tasks import STOPPED
from lab.world import Application


def ecs_share(application: Application, actions: Actions) -> float | None:
    """The ECS pool's share of our two groups' weight in an action list; None where neither has any."""
    weights = forward_weights(actions)
    ours = weights.get(application.lambda_group.arn, 0), weights.get(application.ecs_group.arn, 0)
    return ours[1] / sum(ours) if sum(ours) else None


def written_shares(application: Application) -> set[float | None]:
    """The ECS share that each rule has as written."""
    return {ecs_share(application, rule.actions) for rule in application.listener.rules}


def known_shares(application: Application) -> set[float | None]:
    """The ECS share of each rule as each node knows it."""
    nodes = application.load_balancer.nodes.values()
    return {ecs_share(application, actions) for node in nodes for actions in node.known.values()}


def position(application: Application) -> str:
    """lambda, ecs or split, by the weights as written."""
    shares = written_shares(application)
    return "lambda" if shares == {0.0} else "ecs" if shares == {1.0} else "split"


def _all_on(application: Application, share: float) -> bool:
    return written_shares(application) == known_shares(application) == {share}


def _alarms(application: Application) -> set[str]:
    return {alarm.state.value for alarm in application.alarms}


def _live_tasks(application: Application) -> int:
    return sum(task.status != STOPPED for task in application.service.tasks.values())


@dataclass(frozen=True)
class Condition:
    """``words`` complete "waiting for …"."""

    words: str
    holds: Callable[[Application], bool]


CONDITIONS = {
    "alarm": Condition("an alarm to fire", lambda each: ALARM in _alarms(each)),
    "calm": Condition("every alarm to be OK", lambda each: _alarms(each) == {OK}),
    "tasks_wanted": Condition("ECS tasks to be asked for", lambda each: each.service.desired > 0),
    "tasks_healthy": Condition("a healthy ECS target", lambda each: each.ecs_group.count(HEALTHY) > 0),
    "shifting": Condition("weights to move towards ECS", lambda each: written_shares(each) != {0.0}),
    "on_ecs": Condition("all traffic to be on ECS", lambda each: _all_on(each, 1.0)),
    "leaving_ecs": Condition("weights to move away from ECS", lambda each: written_shares(each) != {1.0}),
    "on_lambda": Condition("all traffic to be on Lambda", lambda each: _all_on(each, 0.0)),
    "retired": Condition(
        "all traffic to be on Lambda and the tasks to be gone",
        lambda each: _all_on(each, 0.0) and each.service.desired == _live_tasks(each) == 0,
    ),
}
