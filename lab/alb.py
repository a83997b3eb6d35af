"""An Application Load Balancer: listeners, rules, nodes, and what becomes of a request.

A changed action list reaches the two nodes at different times, and each node chooses by what it knows.
There is no failover between groups: weight on an empty group answers 503.
Source: Application Load Balancers guide, "Listener rules" and "Troubleshoot your Application Load Balancers".
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import inf
from random import Random
from typing import Any, NamedTuple

from lab import causes
from lab.cloudwatch import Metric, Metrics, Series
from lab.recent import Recent
from lab.stickiness import issued, remembered
from lab.targets import HEALTHY, UNHEALTHY_STATES, Target, TargetGroup

Actions = list[dict[str, Any]]


@dataclass
class Rule:
    """One rule; a listener's default actions are a rule of their own, of priority ``default``."""

    arn: str
    priority: str
    paths: tuple[str, ...]
    actions: Actions

    @property
    def is_default(self) -> bool:
        return self.priority == "default"

    def matches(self, path: str) -> bool:
        return self.is_default or any(fnmatchcase(path, pattern) for pattern in self.paths)


@dataclass
class Listener:
    """``rules`` are in order of priority, the default rule last. HTTPS is shown and not spoken."""

    arn: str
    port: int
    rules: list[Rule]
    protocol: str = "HTTP"

    @property
    def default(self) -> Rule:
        return self.rules[-1]


@dataclass
class Node:
    """One node: it learns of a rule's new actions ``delay`` seconds after they are written."""

    name: str
    delay: float
    known: dict[str, Actions] = field(default_factory=dict)
    coming: list[tuple[float, str, Actions]] = field(default_factory=list)

    def tell(self, rule_arn: str, actions: Actions, now: float) -> None:
        self.coming.append((now + self.delay, rule_arn, copy.deepcopy(actions)))

    def advance(self, now: float) -> bool:
        """Whether it learnt of something."""
        due = [news for news in self.coming if news[0] <= now]
        if not due:
            return False
        self.coming = [news for news in self.coming if news[0] > now]
        for _, rule_arn, actions in due:
            self.known[rule_arn] = actions
        return True


@dataclass
class Exchange:
    """One request on its way. Without a target it is answered by the load balancer with ``status``.

    ``cookie`` is what the answer's ``Set-Cookie`` header says, if anything; ``cause`` why it was sent nowhere.
    """

    node: str
    started: float
    group: TargetGroup | None = None
    target: Target | None = None
    status: int = 0
    body: str = ""
    cookie: str = ""
    cause: str = ""


class Answered(NamedTuple):
    """How a request ended: ``pool`` is "" where it was sent to no group, ``cause`` says why it failed."""

    node: str
    pool: str
    status: int
    cause: str


class LoadBalancer:
    """``groups`` are all target groups of the account by ARN. ``learnt`` counts the changes to what the nodes know."""

    def __init__(
        self, name: str, arn: str, nodes: list[Node], groups: dict[str, TargetGroup], metrics: Metrics, chance: Random
    ) -> None:
        self.name = name
        self.arn = arn
        self.nodes = {node.name: node for node in nodes}
        self.listeners: list[Listener] = []
        self.answered: Recent[Answered] = Recent()
        self._groups = groups
        self.learnt = 0
        self._metrics = metrics
        self._series: dict[tuple[str, str], Series] = {}
        self._chance = chance
        self._counted = 0.0
        self._named: frozenset[str] | None = None
        self.described: dict[str, Any] = {}  # what DescribeLoadBalancers shows of one that a call created

    @property
    def dimension(self) -> str:
        """``app/name/id``, as CloudWatch names the load balancer."""
        return self.arn.partition("loadbalancer/")[2]

    def group(self, arn: str) -> TargetGroup:
        return self._groups[arn]

    def rules(self) -> list[Rule]:
        return [rule for listener in self.listeners for rule in listener.rules]

    def add(self, listener: Listener) -> None:
        self.listeners.append(listener)
        for rule in listener.rules:
            self._teach(rule)

    def add_rule(self, listener: Listener, rule: Rule) -> None:
        """In its place by priority; the nodes know a new rule at once."""
        after = [each for each in listener.rules if each.is_default or int(each.priority) > int(rule.priority)]
        listener.rules.insert(listener.rules.index(after[0]), rule)
        self._teach(rule)

    def _teach(self, rule: Rule) -> None:
        self.learnt += 1
        self._named = None
        for node in self.nodes.values():
            node.known[rule.arn] = copy.deepcopy(rule.actions)

    def write(self, rule: Rule, actions: Actions, now: float) -> None:
        """Replaces the whole action list; the nodes learn of it later."""
        rule.actions = actions
        self._named = None
        for node in self.nodes.values():
            node.tell(rule.arn, actions, now)

    def named_groups(self) -> frozenset[str]:
        """ARNs of the groups that a listener or rule names, whatever their weight."""
        if self._named is None:
            self._named = frozenset(arn for rule in self.rules() for arn in forward_weights(rule.actions))
        return self._named

    def advance(self, now: float) -> None:
        for node in self.nodes.values():
            self.learnt += node.advance(now)
        if now - self._counted >= self._metrics.period:
            self._counted = now
            self._publish_hosts(now)

    @property
    def hosts_due(self) -> float:
        """When host counts are next published; infinite without a group that has any to publish."""
        return self._counted + self._metrics.period if any(self._counted_groups()) else inf

    def dispatch(self, node: str, path: str, now: float, cookies: str = "") -> Exchange:
        """Chooses where a request goes, by what the node knows and by the request's ``Cookie`` header."""
        last = self.nodes[node].known[self.rule_for(path).arn][-1]
        if last["Type"] == "fixed-response":
            answer = last["FixedResponseConfig"]
            status, body = int(answer["StatusCode"]), answer.get("MessageBody", "")
            return Exchange(node, now, status=status, body=body, cause=causes.FIXED)
        kept = self._kept(last, cookies, now)
        group = kept or self._groups.get(self._choose(forward_weights([last])) or "")
        target = group.pick(now) if group else None
        if group is None or target is None:
            cause = causes.NO_TARGET[group.pool] if group else causes.NO_WEIGHT
            return Exchange(node, now, group, status=503, cause=cause)
        target.in_flight += 1
        target.requests += 1
        return Exchange(node, now, group, target, cookie="" if kept else issued(group.arn, last, now))

    def _kept(self, forward: dict[str, Any], cookies: str, now: float) -> TargetGroup | None:
        """The group that a sticky client was sent to before, while it has a target."""
        group = self._groups.get(remembered(cookies, forward, now) or "")
        return group if group and group.any_registered() else None

    def rule_for(self, path: str) -> Rule:
        return next(rule for rule in self.listeners[0].rules if rule.matches(path))

    def finish(
        self, exchange: Exchange, status: int, now: float, *, by_target: bool, fault: str = "", cause: str = ""
    ) -> None:
        """Counts an answered request; ``by_target`` is false when the load balancer made the answer itself.

        ``fault`` is LambdaUserError or LambdaInternalError where a Lambda target failed, ``cause`` why, in words.
        """
        pool = exchange.group.pool if exchange.group else ""
        self.answered.add(Answered(exchange.node, pool, status, cause or exchange.cause), now)
        if exchange.target:
            exchange.target.in_flight -= 1
        group = exchange.group if exchange.target else None
        self.count(group, status, now, seconds=now - exchange.started if by_target else None, fault=fault)

    def count(
        self,
        group: TargetGroup | None,
        status: int,
        now: float,
        *,
        seconds: float | None,
        fault: str = "",
        requests: int = 1,
    ) -> None:
        """Counts requests that were answered alike; ``seconds`` is a target's answer time, None for our own answer."""
        if group is None:
            self._count_own(status, now, requests)
            return
        self._of(group, "RequestCount").put(1, now, requests)
        self._own("RequestCount").put(1, now, requests)
        if fault:
            self._of(group, fault).put(1, now, requests)
        if seconds is None:
            self._count_own(status, now, requests)
            return
        self._of(group, f"HTTPCode_Target_{status // 100}XX_Count").put(1, now, requests)
        self._of(group, "TargetResponseTime").put(seconds, now, requests)

    def _choose(self, weights: dict[str, int]) -> str | None:
        if sum(weights.values()) == 0:
            return None
        return self._chance.choices(list(weights), list(weights.values()))[0]

    def _count_own(self, status: int, now: float, requests: int) -> None:
        self._own(f"HTTPCode_ELB_{status}_Count").put(1, now, requests)
        self._own(f"HTTPCode_ELB_{status // 100}XX_Count").put(1, now, requests)

    def _own(self, name: str) -> Series:
        """A metric of the load balancer as a whole."""
        return self._series.get((name, "")) or self._begin_series(name, None)

    def _of(self, group: TargetGroup, name: str) -> Series:
        """A metric of one target group behind the load balancer."""
        return self._series.get((name, group.arn)) or self._begin_series(name, group)

    def _begin_series(self, name: str, group: TargetGroup | None) -> Series:
        dimensions = (("LoadBalancer", self.dimension), *((("TargetGroup", group.dimension),) if group else ()))
        series = self._metrics.series(Metric("AWS/ApplicationELB", name, dimensions))
        self._series[name, group.arn if group else ""] = series
        return series

    def _publish_hosts(self, now: float) -> None:
        for group in self._counted_groups():
            self._of(group, "HealthyHostCount").put(group.count(HEALTHY), now)
            self._of(group, "UnHealthyHostCount").put(group.count(*UNHEALTHY_STATES), now)

    def _counted_groups(self) -> Iterator[TargetGroup]:
        """Host counts are reported while health checks are on and targets are registered."""
        for arn in self.named_groups():
            group = self._groups[arn]
            if group.targets and group.health_check.enabled and group.any_registered():
                yield group


def forward_weights(actions: Actions) -> dict[str, int]:
    """The target groups that the action list forwards to, with their weights."""
    for action in actions:
        if action["Type"] == "forward":
            return {group["TargetGroupArn"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}
    return {}
