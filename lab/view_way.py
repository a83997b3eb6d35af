"""The way of a request, for the lab's page: what each node knows, the function's and the tasks' true standing."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lab import causes
from lab.alb import Actions, Answered, Node, Rule, forward_weights
from lab.application import Application
from lab.cloudwatch import Metric, Metrics
from lab.lambda_ import Function
from lab.targets import HEALTHY, Target, TargetGroup
from lab.tasks import PENDING, PROVISIONING, STOPPING, Task, TaskSettings
from lab.world import World

RATE_SECONDS = 3
MEAN_SECONDS = 60.0
STOPPED_SHOWN_SECONDS = 20.0
EVENTS_SHOWN = 3

Counts = Counter[Answered]


def way(application: Application, home: World, now: float) -> dict[str, Any]:
    """Rates are requests a second, over the last few whole seconds."""
    counts = application.load_balancer.answered.total(int(now) - RATE_SECONDS, int(now))
    rules = sorted(application.listener.rules, key=lambda rule: not rule.is_default)
    nodes = application.load_balancer.nodes.values()
    return {
        "routes": [{"path": _path(each), "written": _weights(application, each.actions)} for each in rules],
        "nodes": [_node(application, rules, each, counts, now) for each in nodes],
        "function": _function(application, home, counts, now),
        "tasks": _tasks(application, home, counts, now),
    }


def _path(rule: Rule) -> str:
    return "" if rule.is_default else ", ".join(rule.paths)


def _weights(application: Application, actions: Actions) -> dict[str, int] | None:
    """By pool; None where the route forwards to nobody."""
    weights = forward_weights(actions)
    if not weights:
        return None
    named = {"lambda": application.lambda_group, "ecs": application.ecs_group, "third": application.third_group}
    return {name: weights[group.arn] for name, group in named.items() if group and group.arn in weights}


def _node(application: Application, rules: list[Rule], node: Node, counts: Counts, now: float) -> dict[str, Any]:
    return {
        "name": node.name,
        "routes": [_known(application, each, node, now) for each in rules],
        "to": {pool: _rate(counts, node=node.name, pool=pool) for pool in ("lambda", "ecs")},
        "failing": {pool: _rate(counts, node=node.name, pool=pool, failed=True) for pool in ("lambda", "ecs")},
        "nowhere": _rate(counts, node=node.name, pool=""),
    }


def _known(application: Application, rule: Rule, node: Node, now: float) -> dict[str, Any]:
    """What the node goes by, and the news that is on its way to it."""
    coming = [(at, actions) for at, arn, actions in node.coming if arn == rule.arn]
    news = {"news_in": coming[-1][0] - now, "news": _weights(application, coming[-1][1])} if coming else {}
    return {"path": _path(rule), "knows": _weights(application, node.known[rule.arn]), **news}


def _rate(counts: Mapping[Answered, int], *, pool: str, node: str = "", failed: bool = False) -> float:
    return (
        sum(
            count
            for each, count in counts.items()
            if each.pool == pool and node in {"", each.node} and (each.status >= 400 or not failed)
        )
        / RATE_SECONDS
    )


def _function(application: Application, home: World, counts: Counts, now: float) -> dict[str, Any]:
    function, group = application.function, application.lambda_group
    limit, mean = home.functions.limit(function), _mean_seconds(home.metrics, function, now)
    return {
        "rate": _rate(counts, pool="lambda"),
        "failing": _rate(counts, pool="lambda", failed=True),
        "throttled": sum(n for each, n in counts.items() if each.cause == causes.THROTTLED) / RATE_SECONDS,
        "in_flight": function.in_flight,
        "limit": limit,
        "reserved": function.reserved,
        "environments": len(function.environments),
        "idle": sum(each.idle_since is not None for each in function.environments.values()),
        "mean_seconds": mean,
        "carries": limit / mean if mean else None,
        "health": [group.health(each).state for each in group.targets.values()],
    }


def _mean_seconds(metrics: Metrics, function: Function, now: float) -> float | None:
    duration = Metric.of("AWS/Lambda", "Duration", {"FunctionName": function.settings.name})
    mean = metrics.statistic(duration, "Average", now - MEAN_SECONDS, now)
    return mean / 1000 if mean else None


def _tasks(application: Application, home: World, counts: Counts, now: float) -> dict[str, Any]:
    service, group = application.service, application.ecs_group
    live = [each for each in service.tasks.values() if each.lives or now - (each.stopped or 0) < STOPPED_SHOWN_SECONDS]
    primary = service.deployments.primary
    return {
        "rate": _rate(counts, pool="ecs"),
        "failing": _rate(counts, pool="ecs", failed=True),
        "status": service.status,
        "desired": service.desired,
        "capacity": home.faults.number("fargate_capacity", service.name),
        "revision": primary.definition.revision,
        "rollout": primary.rollout,
        "able": len(group.able()),
        "fails_open": _fails_open(group),
        "tasks": [_task(each, group, service.settings, now) for each in sorted(live, key=lambda task: task.created)],
        "events": [{"at": each.at, "message": each.message} for each in service.events[:EVENTS_SHOWN]],
    }


def _fails_open(group: TargetGroup) -> bool:
    """Requests go to unhealthy targets because there are no others."""
    able = group.able()
    return bool(able) and not any(each.state == HEALTHY for each in able)


def _task(task: Task, group: TargetGroup, settings: TaskSettings, now: float) -> dict[str, Any]:
    target = group.targets.get(task.address) if task.lives else None
    return {
        "id": task.id,
        "status": task.status,
        "desired": task.desired,
        "revision": task.definition.revision,
        "next_in": _next_in(task, settings, now),
        "reason": task.reason,
        "target": _target(target, group, now) if target else None,
    }


def _next_in(task: Task, settings: TaskSettings, now: float) -> float | None:
    """Seconds to the next status, where time alone brings it; a task that is stopping is killed then."""
    ends = {
        PROVISIONING: task.provisioned,
        PENDING: task.provisioned + settings.pending,
        STOPPING: (task.stopping or now) + settings.stop_timeout,
    }.get(task.status)
    return max(0.0, ends - now) if ends is not None else None


def _target(target: Target, group: TargetGroup, now: float) -> dict[str, Any]:
    health = group.health(target)
    return {
        "state": health.state,
        "description": health.description,
        "in_flight": target.in_flight,
        "requests": target.requests,
        "drained_in": max(0.0, target.drain_until - now) if target.drain_until is not None else None,
        "passed": target.passed,
        "needed": group.health_check.healthy_threshold,
    }
