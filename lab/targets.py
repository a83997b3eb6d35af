"""Target groups of an Application Load Balancer: targets, their health, draining.

Source: Application Load Balancers guide, "Health checks for target groups", "Target group attributes" (slow start,
deregistration delay) and "Use Lambda functions as targets" (health checks of a function are invocations of it).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from lab.ports import Answer

INITIAL, HEALTHY, UNHEALTHY = "initial", "healthy", "unhealthy"
UNHEALTHY_DRAINING = "unhealthy.draining"
UNHEALTHY_STATES = frozenset({UNHEALTHY, UNHEALTHY_DRAINING})
DRAINING, UNUSED, UNAVAILABLE = "draining", "unused", "unavailable"

_REASONS = {
    INITIAL: ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    UNHEALTHY: ("Target.FailedHealthChecks", "Health checks failed"),
    UNHEALTHY_DRAINING: ("Target.FailedHealthChecks", "Health checks failed"),
    DRAINING: ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    UNUSED: ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
    UNAVAILABLE: ("Target.HealthCheckDisabled", "Health checks are not enabled for this target"),
    HEALTHY: (None, None),
}


# The share that a target in slow start begins with: a linear increase from nothing would never pick it.
LEAST_SHARE = 0.02


@dataclass(frozen=True)
class HealthCheck:
    """How a group's targets are checked; times in seconds. Off is the default for Lambda groups."""

    enabled: bool
    path: str = "/"
    interval: float = 30
    timeout: float = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2


@dataclass(frozen=True)
class Health:
    """A target's health as DescribeTargetHealth shows it."""

    state: str
    reason: str | None
    description: str | None


@dataclass
class Target:
    """A registered target: ``id`` is an address for IP groups, a function's ARN for Lambda groups.

    ``requests`` counts what was sent to it; ``slow_from`` is when its slow start began, None once that is over.
    """

    id: str
    port: int | None
    state: str
    since: float
    check_due: float
    description: str | None = None
    passed: int = 0
    failed: int = 0
    in_flight: int = 0
    requests: int = 0
    drain_until: float | None = None
    slow_from: float | None = None
    credit: float = 0.0

    def enter(self, state: str, at: float) -> None:
        if state != self.state:
            self.state, self.since = state, at

    @property
    def registered(self) -> bool:
        return self.state != DRAINING


class Checker(Protocol):
    """Sends one health check and reports its answer."""

    def __call__(self, target: Target, check: HealthCheck, now: float, done: Callable[[Answer], None], /) -> None: ...


@dataclass
class TargetGroup:
    """``kind`` is ``ip`` or ``lambda``. A group that no listener or rule names is unused and not checked."""

    arn: str
    name: str
    kind: str
    health_check: HealthCheck
    attributes: dict[str, str]
    checker: Checker
    targets: dict[str, Target] = field(default_factory=dict)
    in_use: bool = False

    @property
    def pool(self) -> str:
        """lambda or ecs: what runs behind the group."""
        return "lambda" if self.kind == "lambda" else "ecs"

    @property
    def dimension(self) -> str:
        """``targetgroup/name/id``, as CloudWatch names the group."""
        return self.arn.rpartition(":")[2]

    @property
    def deregistration_delay(self) -> float:
        return self._seconds("deregistration_delay.timeout_seconds")

    @property
    def slow_start(self) -> float:
        return self._seconds("slow_start.duration_seconds")

    @property
    def unhealthy_draining(self) -> float:
        """How long a target that turned unhealthy is shown as ``unhealthy.draining``.

        AWS documents the attribute for Network Load Balancers alone: here it lets a client meet the state.
        """
        return self._seconds("target_health_state.unhealthy.draining_interval_seconds")

    @property
    def multi_value_headers(self) -> bool:
        return self.attributes.get("lambda.multi_value_headers.enabled") == "true"

    def register(self, target_id: str, port: int | None, now: float) -> None:
        state = INITIAL if self.health_check.enabled else UNAVAILABLE
        self.targets[target_id] = Target(target_id, port, state, since=now, check_due=now)

    def deregister(self, target_id: str, now: float) -> None:
        """Starts draining: no new requests, those in flight may end until the deregistration delay is over."""
        target = self.targets.get(target_id)
        if target and target.registered:
            target.enter(DRAINING, now)
            target.drain_until = now + self.deregistration_delay

    def health(self, target: Target) -> Health:
        state = target.state if self.in_use or target.state == DRAINING else UNUSED
        reason, description = _REASONS[state]
        return Health(state, reason, (target.description if state in UNHEALTHY_STATES else None) or description)

    def count(self, *states: str) -> int:
        return sum(target.state in states for target in self.targets.values())

    def any_registered(self) -> bool:
        return any(target.state != DRAINING for target in self.targets.values())

    def able(self) -> list[Target]:
        """Where requests go: the healthy targets or, with none healthy, all registered ones ("fail open")."""
        registered = [target for target in self.targets.values() if target.registered]
        return [t for t in registered if t.state in {HEALTHY, UNAVAILABLE}] or registered

    def pick(self, now: float) -> Target | None:
        """The next able target in turn, by its share."""
        able = self.able()
        if not able:
            return None
        shares = [self._share(target, now) for target in able]
        for target, share in zip(able, shares, strict=True):
            target.credit += share
        chosen = max(able, key=lambda target: target.credit)
        chosen.credit -= sum(shares)
        return chosen

    def advance(self, now: float) -> None:
        for target in list(self.targets.values()):
            if target.drain_until is not None:
                self._drain(target, now)
            elif self.health_check.enabled and self.in_use and now >= target.check_due:
                target.check_due = now + self.health_check.interval
                self.checker(target, self.health_check, now, partial(self._checked, target))
            if target.state == UNHEALTHY_DRAINING and now - target.since >= self.unhealthy_draining:
                target.enter(UNHEALTHY, now)

    def _seconds(self, attribute: str) -> float:
        return float(self.attributes.get(attribute, 0))

    def _share(self, target: Target, now: float) -> float:
        """1, or less in slow start: its share grows linearly until the duration is over."""
        if target.slow_from is None:
            return 1.0
        passed = (now - target.slow_from) / self.slow_start if self.slow_start else 1.0
        if passed >= 1.0:
            target.slow_from = None
        return min(max(passed, LEAST_SHARE), 1.0)

    def _drain(self, target: Target, now: float) -> None:
        """Deregistration completes at once when no request is in flight, else at the end of the delay."""
        if target.in_flight == 0 or now >= (target.drain_until or 0.0):
            del self.targets[target.id]

    def _checked(self, target: Target, answer: Answer) -> None:
        if not target.registered:
            return
        if answer.status == 200:
            target.passed, target.failed = target.passed + 1, 0
            if target.passed >= self.health_check.healthy_threshold and target.state != HEALTHY:
                self._welcome(target, answer.at)
            return
        target.passed, target.failed = 0, target.failed + 1
        target.description = _failure(answer)
        if target.failed >= self.health_check.unhealthy_threshold and target.state not in UNHEALTHY_STATES:
            target.enter(UNHEALTHY_DRAINING if self.unhealthy_draining else UNHEALTHY, answer.at)

    def _welcome(self, target: Target, at: float) -> None:
        """Slow start needs another healthy target that is past it: the first targets of an empty group have none."""
        if self.slow_start and any(t.state == HEALTHY and t.slow_from is None for t in self.targets.values()):
            target.slow_from = at
        target.enter(HEALTHY, at)


def _failure(answer: Answer) -> str:
    if answer.status is None:
        return answer.error or "Request timed out"
    return f"Health checks failed with these codes: [{answer.status}]"
