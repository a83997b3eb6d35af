"""The world: every service of the lab, put together from a world file and moved by the time that is passed in."""

from collections.abc import Iterator
from random import Random
from typing import Any

from lab import alarm_events, alb, eventbridge, lambda_, targets
from lab.alarms import Alarm, AnyAlarm, Transition
from lab.application import Application
from lab.autoscaling import ScalableTargets
from lab.building import NODE_NAMES, Account, Builder
from lab.cloudwatch import Metrics
from lab.composite_alarms import Child, CompositeAlarm
from lab.creating import Created
from lab.dynamodb import Table
from lab.ecs import Service
from lab.errors import AwsError
from lab.event_patterns import read as read_pattern
from lab.event_rules import Destination, RetryPolicy, Rule, default_rules
from lab.faults import Faults
from lab.mute_rules import MuteRule
from lab.names import identifier
from lab.outside import Outside
from lab.task_shape import TASK_CHANGE, change, task_arn
from lab.tasks import Task, TaskDefinitions
from lab.worldfile import WorldTable

# What whoever starts or shows a lab needs beside the world itself.
__all__ = ["NODE_NAMES", "Application", "Outside", "World", "identifier"]


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
        self.functions = lambda_.Functions(table.account_concurrency, self.metrics)
        self.task_definitions = TaskDefinitions(self.arn("ecs", "task-definition/"))
        self.groups: dict[str, targets.TargetGroup] = {}
        self._named: list[frozenset[str]] = []
        self.scalable_targets = ScalableTargets()
        self.tables = {each.name: Table(each.name, each.key) for each in table.tables}
        self.mute_rules: dict[str, MuteRule] = {}
        self.connections: dict[str, tuple[str, str]] = {}  # header and key by ARN
        self.api_destinations: dict[str, Destination] = {}
        self.bus = eventbridge.EventBus(outside.http, self._event_rules(table), self.faults)
        self.builder = Builder(self._shared(table, chance or Random()), outside, now)
        self.created = Created()
        self.applications = {slug: self.builder.build(slug, each) for slug, each in table.applications.items()}

    def advance(self, now: float) -> None:
        self._mark_groups_in_use()
        for group in self.groups.values():
            if group.targets:
                group.advance(now)
        for load_balancer in self.load_balancers():
            load_balancer.advance(now)
        for service in self.services():
            service.advance(now)
        self.functions.advance(now)
        self._evaluate_alarms(now)
        self.bus.advance(now)

    def set_alarm_state(self, name: str, value: str, reason: str, data: str | None, now: float) -> None:
        self._announce(self.alarm(name).set_state(value, reason, data, now), now)

    def alarms(self) -> Iterator[Alarm]:
        for application in self.applications.values():
            yield from application.alarms
        yield from self.created.alarms

    def composite_alarms(self) -> Iterator[CompositeAlarm]:
        for application in self.applications.values():
            yield from application.composite_alarms

    def alarm(self, name_or_arn: str) -> AnyAlarm:
        """A metric alarm or a composite one. Raises ResourceNotFound."""
        every: list[AnyAlarm] = [*self.alarms(), *self.composite_alarms()]
        for alarm in every:
            if name_or_arn in {alarm.settings.name, alarm.arn}:
                return alarm
        raise AwsError("ResourceNotFound", f"Alarm {name_or_arn} does not exist.", 404)

    def load_balancers(self) -> list[alb.LoadBalancer]:
        own = [application.load_balancer for application in self.applications.values()]
        return own + self.created.load_balancers

    def services(self) -> list[Service]:
        return [application.service for application in self.applications.values()] + self.created.services

    def gather(self) -> list[Application]:
        """Makes applications of what calls have created, where all parts of one are there; load can be sent to them."""
        found = list(self.created.gather(self.functions))
        self.applications |= {each.slug: each for each in found}
        return found

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def publish(self, detail_type: str, resource: str, detail: dict[str, Any], now: float) -> None:
        """An event of the service that owns the resource."""
        self.bus.publish(eventbridge.envelope(detail_type, resource, detail, now), now)

    def announce_task(self, service: Service, task: Task, now: float) -> None:
        """A task's change of status."""
        self.publish(TASK_CHANGE, task_arn(task, service.arn), change(task, service.arn, now), now)

    def _shared(self, table: WorldTable, chance: Random) -> Account:
        return Account(
            arn=self.arn,
            cluster=self.cluster,
            node_delays=table.node_delays_seconds,
            faults=self.faults,
            metrics=self.metrics,
            chance=chance,
            functions=self.functions,
            task_definitions=self.task_definitions,
            scalable_targets=self.scalable_targets,
            groups=self.groups,
            publish=self.publish,
            announce_task=self.announce_task,
        )

    def _evaluate_alarms(self, now: float) -> None:
        for alarm in self.alarms():
            if now >= alarm.due:
                self._announce(alarm.advance(now, self.metrics), now)
        for composite in self.composite_alarms():
            self._announce(composite.advance(now, self._child), now)

    def _child(self, name: str) -> Child:
        alarm = self.alarm(name)
        return Child(alarm.arn, alarm.state)

    def _announce(self, transition: Transition | None, now: float) -> None:
        if transition:
            self.publish(alarm_events.DETAIL_TYPE, transition.alarm.arn, alarm_events.detail(transition), now)

    def _event_rules(self, table: WorldTable) -> list[Rule]:
        prefix = self.arn("events", "rule/")
        if not table.event_rules:
            return list(default_rules(prefix))
        return [
            Rule(
                each.name,
                prefix + each.name,
                read_pattern(each.pattern),
                RetryPolicy(each.retries, each.age_seconds),
                each.dead_letter_queue,
            )
            for each in table.event_rules
        ]

    def _mark_groups_in_use(self) -> None:
        named = [load_balancer.named_groups() for load_balancer in self.load_balancers()]
        if named == self._named:
            return
        self._named = named
        for arn, group in self.groups.items():
            group.in_use = any(arn in each for each in named)
