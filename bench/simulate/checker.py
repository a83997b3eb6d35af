"""The rules of the architecture, judged by what is true in the lab: each write when it is sent, the rest at the end.

A rule's method answers with a sentence when it is broken. What a controller could not have known yet is no breach:
where AWS tells of something only later, the method waits as long as that takes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.simulate.truth import Truth
from lab.targets import HEALTHY

FRESH_SECONDS = 5.0
WRITE_SECONDS = 7.0  # the longest that a write can take: connect 2 s and read 5 s
STALE_SECONDS = 30.0
NOTICED_SECONDS = 10.0  # a controller looks this often, at the least, while it moves weights
WEIGHT_WRITES = {"ModifyListener": ("ListenerArn", "DefaultActions"), "ModifyRule": ("RuleArn", "Actions")}
WRITES = {*WEIGHT_WRITES, "UpdateService", "RegisterScalableTarget"}


@dataclass(frozen=True)
class Limits:
    """What the application's policy says, in plain numbers."""

    min_healthy: int
    settle: float
    bake: float
    dwell: float
    period: float
    longest_operation: float


@dataclass(frozen=True)
class Operation:
    """The operation that a write is sent for: when it ``began``, and since when it ``knows`` weights to stand by."""

    goal: str
    automatic: bool
    began: float
    knows: float = float("inf")


@dataclass
class Writer:
    """One controller as the checker sees it: what it read last, and when."""

    name: str
    health_at: float = float("-inf")
    healthy: int = 0
    routes_at: float = float("-inf")


@dataclass(frozen=True)
class Breach:
    rule: str
    at: float
    sentence: str


@dataclass
class Checker:
    """``lease`` answers (holder, until) from the lease's table, or None while nobody holds it."""

    truth: Truth
    limits: Limits
    breaches: list[Breach] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    foreign_at: float = float("-inf")
    replaced: dict[str, float] = field(default_factory=dict)
    moved_by: str = "automatic"
    touched: bool = False
    lease_down_since: float | None = None
    _before: tuple[bool, str, dict[str, float]] = (False, "automatic", {})

    def read(self, writer: Writer, operation: str, given: dict[str, Any], output: dict[str, Any]) -> None:
        """A controller got an answer."""
        if operation == "DescribeTargetHealth" and given["TargetGroupArn"] == self._ecs_group:
            found = output["TargetHealthDescriptions"]
            healthy = {each["Target"]["Id"] for each in found if each["TargetHealth"]["State"] == HEALTHY}
            writer.healthy = len(healthy & self.truth.task_addresses())
            writer.health_at = self.truth.now
        elif operation in {"DescribeRules", "DescribeListeners"}:
            writer.routes_at = self.truth.now

    def write(
        self,
        writer: Writer,
        pursuing: Operation,
        operation: str,
        given: dict[str, Any],
        lease: tuple[str, float] | None,
    ) -> None:
        """A controller is about to send a write; everything is still as it was."""
        self.writes[operation] += 1
        self._note(self._write_breaches(writer, pursuing, operation, given, lease))
        self._before = self.touched, self.moved_by, dict(self.replaced)
        if operation in WEIGHT_WRITES:
            self.touched = False
            arn = given[WEIGHT_WRITES[operation][0]]
            rule = self.truth.rule(arn)
            self.replaced[arn] = _share(self.truth.ours(rule.actions)) if rule else 0.0
            if pursuing.goal != "failback":
                self.moved_by = "automatic" if pursuing.automatic else "manual"

    def refused(self) -> None:
        """AWS did not take the write: whoever moved traffic last still did."""
        self.touched, self.moved_by, self.replaced = self._before

    def foreign(self, arn: str) -> None:
        """Somebody else has just changed a route's weights.

        Back to what the last write replaced, it can't be told from a write that AWS has not shown yet, or that a crash
        kept from being sent: whoever takes over rightly sends it again.
        """
        self.touched = True
        rule = self.truth.rule(arn)
        if rule is not None and _share(self.truth.ours(rule.actions)) == self.replaced.get(arn):
            return
        self.foreign_at, self.moved_by = self.truth.now, "foreign"

    def started(self, pursuing: Operation) -> None:
        """An operation began."""
        self.truth.look()
        if pursuing.automatic:
            self._note(self._start_breaches(pursuing))

    def ended(self, active: Operation | None, *, held: bool) -> None:
        """The end of the history, after everything was mended and some time has passed."""
        self._note(self._end_breaches(active, held=held))

    def answered(self, outcome: str, reason: str) -> None:
        """What a trigger was told."""
        if outcome in {"refused", "failed", "waiting", "done", "ignored"} and reason.strip():
            return
        self._note([("explained", f"a trigger was answered {outcome!r} with the reason {reason!r}")])

    # ---- at a write ----

    def _write_breaches(
        self,
        writer: Writer,
        pursuing: Operation,
        operation: str,
        given: dict[str, Any],
        lease: tuple[str, float] | None,
    ) -> Iterator[tuple[str, str]]:
        yield from self._single_writer(writer, lease)
        yield from self._fail_closed(pursuing)
        if operation in WEIGHT_WRITES:
            arn, actions = (given[name] for name in WEIGHT_WRITES[operation])
            yield from self._weights(writer, pursuing, str(arn), actions)
        else:
            yield from self._tasks(pursuing, operation, given)

    def _single_writer(self, writer: Writer, lease: tuple[str, float] | None) -> Iterator[tuple[str, str]]:
        if lease is None or lease[0] != writer.name:
            yield "single_writer", f"{writer.name} writes while {lease[0] if lease else 'nobody'} holds the lease"
        elif lease[1] - self.truth.now < WRITE_SECONDS:
            yield "single_writer", f"{writer.name} writes with {lease[1] - self.truth.now:.1f} s of the lease left"

    def _fail_closed(self, pursuing: Operation) -> Iterator[tuple[str, str]]:
        down = self.lease_down_since
        if down is not None and self.truth.now - down > FRESH_SECONDS and pursuing.automatic:
            yield (
                "fail_closed",
                f"an automatic write although the lease can't be read for {self.truth.now - down:.0f} s",
            )

    def _weights(
        self, writer: Writer, pursuing: Operation, arn: str, actions: list[dict[str, Any]]
    ) -> Iterator[tuple[str, str]]:
        rule = self.truth.rule(arn)
        if rule is None:
            yield "only_weights", f"{arn} is not one of the application's routes"
            return
        before, after = self.truth.ours(rule.actions), self._ours_given(actions)
        if self._neutral(rule.actions) != self._neutral(actions):
            yield "only_weights", f"more than two weights changes: {rule.actions} becomes {actions}"
        if sum(after[:2]) == 0 or (after[2] and sum(after[:2]) != sum(before[:2])):
            yield "never_zero", f"{before} becomes {after}"
        if self.foreign_at > pursuing.knows and writer.routes_at > self.foreign_at:
            yield "foreign_change", "a split that somebody else wrote during the operation is overwritten"
        gain = _share(after) - _share(before)
        if gain > 0:
            yield from self._towards_ecs(writer)
        elif gain < 0:
            yield from self._towards_lambda(writer, pursuing)

    def _towards_ecs(self, writer: Writer) -> Iterator[tuple[str, str]]:
        age = self.truth.now - writer.health_at
        if age > FRESH_SECONDS or writer.healthy < self.limits.min_healthy:
            yield "ecs_ready", f"ECS gets more with {writer.healthy} healthy targets, seen {age:.1f} s ago"
        if age > FRESH_SECONDS or writer.healthy == 0:
            yield "towards_health", "ECS gets more, and no target of it is known to be healthy"

    def _towards_lambda(self, writer: Writer, pursuing: Operation) -> Iterator[tuple[str, str]]:
        unhealthy = self.truth.lambda_unhealthy_for()
        if unhealthy > NOTICED_SECONDS:
            yield "towards_health", f"Lambda gets more; its health checks have failed for {unhealthy:.0f} s"
        deserting = self.truth.now - writer.health_at <= STALE_SECONDS and writer.healthy == 0
        if pursuing.goal == "failback" and pursuing.automatic and not deserting:
            least = self._least_offered()
            limit = self.truth.application.function.reserved
            if limit is not None and least > limit:
                yield (
                    "lambda_ready",
                    f"Lambda gets more; demand was over {least:.1f} for a dwell, and its limit is {limit}",
                )

    def _tasks(self, pursuing: Operation, operation: str, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
        desired = self.truth.application.service.desired
        ceiling = given.get("desiredCount") if operation == "UpdateService" else given.get("MaxCapacity")
        if ceiling is None or ceiling >= desired:
            return
        if pursuing.goal != "failback":
            yield "never_shrink", f"a {pursuing.goal} lowers the desired count from {desired} to {ceiling}"
        rest, since = max(self.limits.settle, self.limits.bake), self.truth.now - self.truth.ecs_weight_at
        if self.truth.ecs_has_weight() or since < rest - 1.5:
            yield (
                "no_early_scale_in",
                f"{desired} to {ceiling}, {since:.1f} s after ECS had weight; {rest:.0f} s are due",
            )

    # ---- at a start and at the end ----

    def _start_breaches(self, pursuing: Operation) -> Iterator[tuple[str, str]]:
        ago = self.truth.now - self.truth.alarmed_at
        if pursuing.goal == "failover" and ago > STALE_SECONDS:
            yield "fresh", f"a failover starts by itself {ago:.0f} s after the last alarm"
        if pursuing.goal == "failback" and self.moved_by != "automatic" and self.truth.positions() != {0.0}:
            yield "people_first", f"a failback starts by itself; traffic was last moved by hand ({self.moved_by})"

    def _end_breaches(self, active: Operation | None, *, held: bool) -> Iterator[tuple[str, str]]:
        if active is not None and self.truth.now - active.began > self.limits.longest_operation:
            yield "deadlines", f"a {active.goal} is still under way after {self.truth.now - active.began:.0f} s"
        theirs = self.touched or self.moved_by == "foreign"  # what somebody else left is theirs to tidy
        agree = len(self.truth.positions()) == 1
        # An alarm without data is not OK: nothing goes back by itself, every trigger says so, and a person must act.
        blind = self.truth.alarm_without_data()
        if active is None and not agree and not held and not theirs and not blind:
            yield "crash_safe", f"at the end routes disagree: ECS shares {sorted(self.truth.positions())}"

    # ---- what is true ----

    @property
    def _ecs_group(self) -> str:
        return self.truth.application.ecs_group.arn

    def _least_offered(self) -> float:
        """The lowest demand of a dwell that ended two metric periods ago: what a projection must have seen."""
        until = self.truth.now - 2 * self.limits.period
        window = [load for at, load in self.truth.offered if until - self.limits.dwell <= at <= until]
        return min(window, default=0.0)

    def _ours_given(self, actions: list[dict[str, Any]]) -> tuple[int, int, int]:
        return self.truth.ours([each for each in actions if each["Type"] == "forward"])

    def _neutral(self, actions: list[dict[str, Any]]) -> list[Any]:
        """Everything but our two weights, in one form; a lone group beside its ForwardConfig is said only once."""
        ours = {self.truth.application.lambda_group.arn, self._ecs_group}
        neutral = []
        for action in actions:
            config = action.get("ForwardConfig", {})
            groups = [
                (each["TargetGroupArn"], None if each["TargetGroupArn"] in ours else each.get("Weight"))
                for each in config.get("TargetGroups", ())
            ]
            sticky = config.get("TargetGroupStickinessConfig", {"Enabled": False})
            rest = {key: value for key, value in action.items() if key not in {"ForwardConfig", "TargetGroupArn"}}
            neutral.append((rest.pop("Order", 1), rest, groups, sticky))
        return neutral

    def _note(self, found: Any) -> None:
        self.breaches += [Breach(rule, self.truth.now, sentence) for rule, sentence in found]


def _share(weights: tuple[int, int, int]) -> float:
    """The ECS pool's share of our two weights."""
    return weights[1] / max(sum(weights[:2]), 1)
