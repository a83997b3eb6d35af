"""The world: every service of the lab, put together from a world file and moved by the time that is passed in."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from lab import alb, ecs, eventbridge, lambda_, targets
from lab.alarms import Alarm, AlarmSettings, Transition
from lab.autoscaling import ScalableTargets
from lab.cloudwatch import Metric, Metrics
from lab.dynamodb import Table
from lab.errors import AwsError
from lab.faults import Faults
from lab.ports import Http
from lab.worldfile import AlarmTable, ApplicationTable, WeightsTable, WorldTable

NODE_NAMES = ("a", "b")


@dataclass(frozen=True)
class Outside:
    """Everything that the world reaches outside of itself."""

    containers: ecs.Containers
    environments: lambda_.Environments
    http: Http
    addresses: ecs.Addresses


@dataclass(frozen=True)
class Application:
    """One application's parts, for whoever starts or shows the lab."""

    slug: str
    name: str
    function: lambda_.Function
    service: ecs.Service
    load_balancer: alb.LoadBalancer
    lambda_group: targets.TargetGroup
    ecs_group: targets.TargetGroup
    alarms: tuple[Alarm, ...]

    @property
    def listener(self) -> alb.Listener:
        return self.load_balancer.listeners[0]


class World:
    """One account's region. Call ``advance`` often: what happens between two calls happens at the later one."""

    def __init__(
        self,
        table: WorldTable,
        outside: Outside,
        now: float,
        chance: Random | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.region = table.region
        self.account = table.account
        self.cluster = table.cluster
        self.faults = faults or Faults()
        self.metrics = Metrics()
        self.functions = lambda_.Functions(table.account_concurrency)
        self.groups: dict[str, targets.TargetGroup] = {}
        self.scalable_targets = ScalableTargets()
        self.tables = {each.name: Table(each.name, each.key) for each in table.tables}
        self.bus = eventbridge.EventBus(outside.http)
        self._table = table
        self._outside = outside
        self._chance = chance or Random()
        self.applications = {slug: self._build(slug, each, now) for slug, each in table.applications.items()}

    def advance(self, now: float) -> None:
        self._mark_groups_in_use()
        for group in self.groups.values():
            group.advance(now)
        for application in self.applications.values():
            application.load_balancer.advance(now)
            application.service.advance(now)
        self.functions.advance(now)
        self._evaluate_alarms(now)
        self.bus.advance(now)

    def set_alarm_state(self, name: str, value: str, reason: str, data: str | None, now: float) -> None:
        alarm = next((alarm for alarm in self.alarms() if alarm.settings.name == name), None)
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Alarm {name} does not exist.", 404)
        self._announce(alarm.set_state(value, reason, data, now), now)

    def alarms(self) -> Iterator[Alarm]:
        for application in self.applications.values():
            yield from application.alarms

    def load_balancers(self) -> list[alb.LoadBalancer]:
        return [application.load_balancer for application in self.applications.values()]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def _evaluate_alarms(self, now: float) -> None:
        for alarm in self.alarms():
            self._announce(alarm.advance(now, self.metrics), now)

    def _announce(self, transition: Transition | None, now: float) -> None:
        if transition:
            self.bus.publish(eventbridge.alarm_event(transition, self.account, self.region), now)

    def _mark_groups_in_use(self) -> None:
        named = {arn for load_balancer in self.load_balancers() for arn in load_balancer.named_groups()}
        for arn, group in self.groups.items():
            group.in_use = arn in named

    def _build(self, slug: str, table: ApplicationTable, now: float) -> Application:
        function = self._build_function(slug, table, now)
        lambda_group = self._build_lambda_group(slug, table, function, now)
        ecs_group = self._build_ecs_group(slug, table)
        service = self._build_service(slug, table, ecs_group, now)
        load_balancer = self._build_load_balancer(slug, table, (lambda_group.arn, ecs_group.arn))
        alarms = tuple(self._build_alarm(each, slug, now) for each in table.alarms)
        if table.scalable_target:
            self.scalable_targets.register(service, table.scalable_target.min, table.scalable_target.max, now)
        name = table.name or slug
        return Application(slug, name, function, service, load_balancer, lambda_group, ecs_group, alarms)

    def _build_function(self, slug: str, table: ApplicationTable, now: float) -> lambda_.Function:
        settings = lambda_.FunctionSettings(
            name=slug,
            arn=self.arn("lambda", f"function:{slug}"),
            timeout=table.function.timeout_seconds,
            idle_seconds=table.function.idle_seconds,
            variables=table.function.environment,
        )
        reserved = table.function.reserved_concurrency
        function = lambda_.Function(settings, reserved, self._outside.environments, self.metrics)
        self.functions.by_name[slug] = function
        function.warm(table.function.warm_environments, now)
        return function

    def _build_lambda_group(
        self, slug: str, table: ApplicationTable, function: lambda_.Function, now: float
    ) -> targets.TargetGroup:
        attributes = {"lambda.multi_value_headers.enabled": str(table.function.multi_value_headers).lower()}
        group = self._build_group(f"{slug}-lambda", "lambda", targets.HealthCheck(enabled=False), attributes)
        group.register(function.settings.arn, None, now)
        return group

    def _build_ecs_group(self, slug: str, table: ApplicationTable) -> targets.TargetGroup:
        check = targets.HealthCheck(
            enabled=True,
            path=table.task.health_check_path,
            interval=table.task.health_check_interval_seconds,
            timeout=table.task.health_check_timeout_seconds,
            healthy_threshold=table.task.healthy_threshold,
            unhealthy_threshold=table.task.unhealthy_threshold,
        )
        attributes = {
            "deregistration_delay.timeout_seconds": f"{table.task.deregistration_delay_seconds:g}",
            "stickiness.enabled": "false",
            "slow_start.duration_seconds": "0",
            "load_balancing.algorithm.type": "round_robin",
        }
        return self._build_group(f"{slug}-ecs", "ip", check, attributes)

    def _build_group(
        self, name: str, kind: str, check: targets.HealthCheck, attributes: dict[str, str]
    ) -> targets.TargetGroup:
        arn = self.arn("elasticloadbalancing", f"targetgroup/{name}/{identifier(name)}")
        group = targets.TargetGroup(arn, name, kind, check, attributes, self._outside.http)
        self.groups[arn] = group
        return group

    def _build_service(self, slug: str, table: ApplicationTable, group: targets.TargetGroup, now: float) -> ecs.Service:
        task = table.task
        return ecs.Service(
            name=slug,
            arn=self.arn("ecs", f"service/{self.cluster}/{slug}"),
            cluster=self.cluster,
            task_definition=self.arn("ecs", f"task-definition/{slug}:1"),
            settings=ecs.TaskSettings(
                provisioning=task.provisioning_seconds,
                pending=task.pending_seconds,
                stop_timeout=task.stop_timeout_seconds,
                grace=task.health_check_grace_seconds,
                variables=task.environment,
            ),
            group=group,
            containers=self._outside.containers,
            addresses=self._outside.addresses,
            created=now,
            desired=task.desired_count,
        )

    def _build_load_balancer(self, slug: str, table: ApplicationTable, groups: tuple[str, str]) -> alb.LoadBalancer:
        path = f"app/{slug}/{identifier(slug)}"
        nodes = [alb.Node(*each) for each in zip(NODE_NAMES, self._table.node_delays_seconds, strict=True)]
        arn = self.arn("elasticloadbalancing", f"loadbalancer/{path}")
        load_balancer = alb.LoadBalancer(slug, arn, nodes, self.groups, self.metrics, self._chance)
        listener_id = identifier(f"{slug}-listener")
        prefix = self.arn("elasticloadbalancing", f"listener-rule/{path}/{listener_id}")
        rules = [
            alb.Rule(
                f"{prefix}/{identifier(each.path)}", str(each.priority), (each.path,), _forward(groups, each.weights)
            )
            for each in sorted(table.rules, key=lambda rule: rule.priority)
        ]
        rules.append(
            alb.Rule(f"{prefix}/{identifier(f'{slug}-default')}", "default", (), _forward(groups, table.weights))
        )
        listener_arn = self.arn("elasticloadbalancing", f"listener/{path}/{listener_id}")
        load_balancer.add(alb.Listener(listener_arn, 80, rules))
        return load_balancer

    def _build_alarm(self, table: AlarmTable, function_name: str, now: float) -> Alarm:
        settings = AlarmSettings(
            name=table.name,
            metric=Metric.of("AWS/Lambda", table.metric, {"FunctionName": function_name}),
            statistic=table.statistic,
            threshold=table.threshold,
            comparison=table.comparison,
            period=table.period_seconds,
            evaluation_periods=table.evaluation_periods,
            datapoints_to_alarm=table.datapoints_to_alarm,
            missing_data=table.missing_data,
            description=table.description,
        )
        return Alarm(settings, self.arn("cloudwatch", f"alarm:{table.name}"), now)


def _forward(groups: tuple[str, str], weights: WeightsTable) -> alb.Actions:
    pairs = zip(groups, (weights.lambda_, weights.ecs), strict=True)
    config = {
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    return [{"Type": "forward", "Order": 1, "ForwardConfig": config}]


def identifier(name: str) -> str:
    """Sixteen hexadecimal digits, the same in every lab: an application's ARNs survive a restart."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]
