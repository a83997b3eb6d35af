"""Builds an application out of its table in the world file."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lab import alb, lambda_, targets
from lab.application import Application
from lab.autoscaling import ScalableTargets
from lab.building_alarms import composite_alarm, metric_alarm
from lab.cloudwatch import Metrics
from lab.deployments import CircuitBreaker, Deployments
from lab.ecs import ACTIVE, Announce, Service
from lab.faults import Faults
from lab.health_checks import FunctionChecks, HttpChecks
from lab.names import identifier
from lab.outside import Outside
from lab.service_events import Publish, ServiceEvents
from lab.task_life import TaskLife
from lab.tasks import TaskDefinition, TaskDefinitions, TaskSettings
from lab.worldfile import ApplicationTable, FunctionTable, TaskTable, WeightsTable

NODE_NAMES = ("a", "b")


@dataclass(frozen=True)
class Account:
    """What all applications of a world share."""

    arn: Callable[[str, str], str]
    cluster: str
    node_delays: tuple[float, float]
    faults: Faults
    metrics: Metrics
    chance: Random
    functions: lambda_.Functions
    task_definitions: TaskDefinitions
    scalable_targets: ScalableTargets
    groups: dict[str, targets.TargetGroup]
    publish: Publish
    announce_task: Announce


class Builder:
    def __init__(self, account: Account, outside: Outside, now: float) -> None:
        self._account = account
        self._outside = outside
        self._now = now

    def build(self, slug: str, table: ApplicationTable) -> Application:
        account, now = self._account, self._now
        function = self.function(slug, table.function)
        lambda_group = self._lambda_group(f"{slug}-lambda", table.function, function)
        third = table.third_group
        third_group = self._lambda_group(f"{slug}-{third.name}", table.function, function) if third else None
        ecs_group = self._ecs_group(slug, table.task)
        service = self._service(slug, table.task, ecs_group)
        groups = (lambda_group.arn, ecs_group.arn, *([third_group.arn] if third_group else []))
        load_balancer = self._load_balancer(slug, table, groups)
        if table.scalable_target:
            account.scalable_targets.register(service, table.scalable_target.min, table.scalable_target.max, now)
        return Application(
            slug=slug,
            name=table.name or slug,
            function=function,
            service=service,
            load_balancer=load_balancer,
            lambda_group=lambda_group,
            ecs_group=ecs_group,
            alarms=tuple(metric_alarm(each, slug, self._alarm_arn(each.name), now) for each in table.alarms),
            composite_alarms=tuple(
                composite_alarm(each, self._alarm_arn(each.name), now) for each in table.composite_alarms
            ),
            third_group=third_group,
        )

    def function(self, name: str, table: FunctionTable) -> lambda_.Function:
        account = self._account
        settings = lambda_.FunctionSettings(
            name=name,
            arn=account.arn("lambda", f"function:{name}"),
            timeout=table.timeout_seconds,
            idle_seconds=table.idle_seconds,
            variables=table.environment,
            tags=table.tags,
        )
        environments, reserved = self._outside.environments, table.reserved_concurrency
        function = lambda_.Function(settings, reserved, environments, account.metrics, account.faults)
        account.functions.by_name[name] = function
        function.warm(table.warm_environments, self._now)
        return function

    def _lambda_group(self, name: str, table: FunctionTable, function: lambda_.Function) -> targets.TargetGroup:
        check = targets.HealthCheck(
            enabled=table.health_check,
            path=table.health_check_path,
            interval=table.health_check_interval_seconds,
            timeout=table.health_check_timeout_seconds,
            healthy_threshold=table.healthy_threshold,
            unhealthy_threshold=table.unhealthy_threshold,
        )
        attributes = {"lambda.multi_value_headers.enabled": str(table.multi_value_headers).lower()}
        group = self.group(name, "lambda", check, attributes)
        group.register(function.settings.arn, None, self._now)
        return group

    def _ecs_group(self, slug: str, table: TaskTable) -> targets.TargetGroup:
        check = targets.HealthCheck(
            enabled=True,
            path=table.health_check_path,
            interval=table.health_check_interval_seconds,
            timeout=table.health_check_timeout_seconds,
            healthy_threshold=table.healthy_threshold,
            unhealthy_threshold=table.unhealthy_threshold,
        )
        attributes = {
            "deregistration_delay.timeout_seconds": f"{table.deregistration_delay_seconds:g}",
            "stickiness.enabled": "false",
            "slow_start.duration_seconds": str(table.slow_start_seconds),
            "load_balancing.algorithm.type": "round_robin",
        }
        if table.unhealthy_draining_seconds:
            interval = f"{table.unhealthy_draining_seconds:g}"
            attributes["target_health_state.unhealthy.draining_interval_seconds"] = interval
        return self.group(f"{slug}-ecs", "ip", check, attributes)

    def group(
        self, name: str, kind: str, check: targets.HealthCheck, attributes: dict[str, str]
    ) -> targets.TargetGroup:
        arn, functions = self._group_arn(name), self._account.functions
        multi_value = attributes.get("lambda.multi_value_headers.enabled") == "true"
        by_http, by_invoking = HttpChecks(self._outside.http), FunctionChecks(functions, arn, multi_value=multi_value)
        group = targets.TargetGroup(arn, name, kind, check, attributes, by_http if kind == "ip" else by_invoking)
        self._account.groups[arn] = group
        return group

    def _service(self, slug: str, table: TaskTable, group: targets.TargetGroup) -> Service:
        definitions = self._account.task_definitions
        definition = definitions.register(slug, table.image, table.environment, self._now, table.tags)
        return self.service(slug, table, definition, group, self._now)

    def service(
        self, slug: str, table: TaskTable, definition: TaskDefinition, group: targets.TargetGroup, now: float
    ) -> Service:
        account = self._account
        arn = account.arn("ecs", f"service/{account.cluster}/{slug}")
        events = ServiceEvents(slug, arn, account.arn("ecs", f"cluster/{account.cluster}"), account.publish)
        settings = TaskSettings(
            provisioning=table.provisioning_seconds,
            pending=table.pending_seconds,
            stop_timeout=table.stop_timeout_seconds,
            grace=table.health_check_grace_seconds,
        )
        breaker = CircuitBreaker(table.circuit_breaker, table.rollback)
        containers, addresses = self._outside.containers, self._outside.addresses
        return Service(
            name=slug,
            arn=arn,
            cluster=account.cluster,
            deployments=Deployments(definition, breaker, events, now),
            life=TaskLife(slug, settings, group, containers, addresses, account.faults, events),
            announce=account.announce_task,
            created=now,
            desired=table.desired_count if table.status == ACTIVE else 0,
            status=table.status,
        )

    def _load_balancer(self, slug: str, table: ApplicationTable, groups: tuple[str, ...]) -> alb.LoadBalancer:
        account = self._account
        path = f"app/{slug}/{identifier(slug)}"
        load_balancer = self.load_balancer(slug)
        listener_id = identifier(f"{slug}-listener")
        prefix = account.arn("elasticloadbalancing", f"listener-rule/{path}/{listener_id}")
        rules = [
            alb.Rule(
                f"{prefix}/{identifier(each.path)}",
                str(each.priority),
                (each.path,),
                _forward(groups, each.weights, table),
            )
            for each in sorted(table.rules, key=lambda rule: rule.priority)
        ]
        default = _forward(groups, table.weights, table)
        rules.append(alb.Rule(f"{prefix}/{identifier(f'{slug}-default')}", "default", (), default))
        listener_arn = account.arn("elasticloadbalancing", f"listener/{path}/{listener_id}")
        load_balancer.add(alb.Listener(listener_arn, 80, rules))
        return load_balancer

    def load_balancer(self, name: str) -> alb.LoadBalancer:
        """Without listeners."""
        account = self._account
        nodes = [alb.Node(*each) for each in zip(NODE_NAMES, account.node_delays, strict=True)]
        arn = account.arn("elasticloadbalancing", f"loadbalancer/app/{name}/{identifier(name)}")
        return alb.LoadBalancer(name, arn, nodes, account.groups, account.metrics, account.chance)

    def _group_arn(self, name: str) -> str:
        return self._account.arn("elasticloadbalancing", f"targetgroup/{name}/{identifier(name)}")

    def _alarm_arn(self, name: str) -> str:
        return self._account.arn("cloudwatch", f"alarm:{name}")


def _forward(groups: tuple[str, ...], weights: WeightsTable, table: ApplicationTable) -> alb.Actions:
    third = [table.third_group.weight] if table.third_group else []
    pairs = zip(groups, (weights.lambda_, weights.ecs, *third), strict=True)
    seconds = table.stickiness_seconds
    config = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": seconds} if seconds else {"Enabled": False},
    }
    return [{"Type": "forward", "Order": 1, "ForwardConfig": config}]
