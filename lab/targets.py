"""Target groups of an Application Load Balancer: targets, their health, draining.

Source: Application Load Balancers guide, "Health checks for target groups" and "Target group attributes".
"""

from dataclasses import dataclass, field

from lab.ports import Answer, Http

INITIAL, HEALTHY, UNHEALTHY = "initial", "healthy", "unhealthy"
DRAINING, UNUSED, UNAVAILABLE = "draining", "unused", "unavailable"

_REASONS = {
    INITIAL: ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    UNHEALTHY: ("Target.FailedHealthChecks", "Health checks failed"),
    DRAINING: ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    UNUSED: ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
    UNAVAILABLE: ("Target.HealthCheckDisabled", "Health checks are not enabled for this target"),
    HEALTHY: (None, None),
}


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
    """A registered target: ``id`` is an address for IP groups, a function's ARN for Lambda groups."""

    id: str
    port: int | None
    state: str
    since: float
    check_due: float
    description: str | None = None
    passed: int = 0
    failed: int = 0
    in_flight: int = 0
    drain_until: float | None = None

    def enter(self, state: str, at: float) -> None:
        if state != self.state:
            self.state, self.since = state, at

    @property
    def registered(self) -> bool:
        return self.state != DRAINING


@dataclass
class TargetGroup:
    """``kind`` is ``ip`` or ``lambda``. A group that no listener or rule names is unused and not checked."""

    arn: str
    name: str
    kind: str
    health_check: HealthCheck
    attributes: dict[str, str]
    http: Http
    targets: dict[str, Target] = field(default_factory=dict)
    in_use: bool = False
    _turn: int = 0

    @property
    def dimension(self) -> str:
        """``targetgroup/name/id``, as CloudWatch names the group."""
        return self.arn.rpartition(":")[2]

    @property
    def deregistration_delay(self) -> float:
        return float(self.attributes.get("deregistration_delay.timeout_seconds", 0))

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
        return Health(state, reason, (target.description if state == UNHEALTHY else None) or description)

    def count(self, state: str) -> int:
        return sum(target.state == state for target in self.targets.values())

    def able(self) -> list[Target]:
        """Where requests go: the healthy targets or, with none healthy, all registered ones ("fail open")."""
        registered = [target for target in self.targets.values() if target.registered]
        return [t for t in registered if t.state in {HEALTHY, UNAVAILABLE}] or registered

    def pick(self) -> Target | None:
        """The next able target in turn."""
        able = self.able()
        if not able:
            return None
        self._turn += 1
        return able[self._turn % len(able)]

    def advance(self, now: float) -> None:
        for target in list(self.targets.values()):
            if target.drain_until is not None:
                self._drain(target, now)
            elif self.health_check.enabled and self.in_use and now >= target.check_due:
                self._check(target, now)

    def _drain(self, target: Target, now: float) -> None:
        """Deregistration completes at once when no request is in flight, else at the end of the delay."""
        if target.in_flight == 0 or now >= (target.drain_until or 0.0):
            del self.targets[target.id]

    def _check(self, target: Target, now: float) -> None:
        target.check_due = now + self.health_check.interval
        url = f"http://{target.id}:{target.port}{self.health_check.path}"
        headers = {"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"}
        self.http.get(url, headers, self.health_check.timeout, lambda answer: self._checked(target, answer))

    def _checked(self, target: Target, answer: Answer) -> None:
        if not target.registered:
            return
        if answer.status == 200:
            target.passed, target.failed = target.passed + 1, 0
            if target.passed >= self.health_check.healthy_threshold:
                target.enter(HEALTHY, answer.at)
            return
        target.passed, target.failed = 0, target.failed + 1
        target.description = _failure(answer)
        if target.failed >= self.health_check.unhealthy_threshold:
            target.enter(UNHEALTHY, answer.at)


def _failure(answer: Answer) -> str:
    if answer.status is None:
        return answer.error or "Request timed out"
    return f"Health checks failed with these codes: [{answer.status}]"
