"""A tiny AWS in virtual time that keeps the contract of `failover.ports.Aws`, and a judge of every write made to it.

The judge shares no code with the controller: it looks at the world's truth, not at what was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from failover.controller import step
from failover.model import (
    Action,
    Alarm,
    AlarmState,
    Application,
    Bounds,
    Code,
    Decision,
    Kind,
    Limits,
    Memory,
    Metrics,
    Part,
    Policy,
    Progress,
    Reading,
    Request,
    Route,
    Routes,
    RouteState,
    Scaling,
    Service,
    SetBounds,
    SetDesiredCount,
    SetSplit,
    Snapshot,
    Split,
    Targets,
    Versions,
)
from failover.ports import AwsError, Call, HeldBackError, MaySend, Outcome, always

LISTENER = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:listener/app/checkout/50dc/f2f7"
RULE = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:listener-rule/app/checkout/50dc/f2f7/9683"
GROUPS = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup"
PERIOD = 5
SAME_CODE = Versions(Code(version="1.4.0"), Code(version="1.4.0"))


def application(**policy: object) -> Application:
    settings = {
        "failover_count": 2,
        "min_healthy": 2,
        "step_seconds": 10,
        "settle_seconds": 5,
        "drain_seconds": 30,
        "bake_seconds": 20,
        "scale_deadline_seconds": 60,
        "dwell_seconds": 15,
        "cooldown_seconds": 20,
        "metric_period_seconds": PERIOD,
    }
    return Application(
        slug="checkout",
        name="Checkout",
        region="sa-east-1",
        alarms=("concurrency",),
        function_name="checkout",
        lambda_target_group_arn=f"{GROUPS}/lambda/1",
        cluster="apis",
        service="checkout",
        ecs_target_group_arn=f"{GROUPS}/ecs/2",
        routes=(Route(LISTENER), Route(RULE)),
        policy=Policy(**{**settings, **policy}),
    )


@dataclass
class World:
    """`rate` requests a second of `duration` seconds each arrive; a task is healthy `start_seconds` after it began.

    Metrics have a point per `period` seconds, published `lag` seconds after the period began. A `sticky` share of them
    goes to ECS whatever the weights. With a `limit` the alarm is true to what reaches Lambda: in ALARM while its
    concurrency is over the limit, OK as soon as it is not.
    """

    now: float = 1_000_000.0
    splits: dict[str, Split] = field(default_factory=lambda: {LISTENER: Split(100, 0), RULE: Split(100, 0)})
    tasks: list[float] = field(default_factory=list)
    desired: int = 0
    bounds: Bounds | None = None
    start_seconds: float = 8.0
    sick: bool = False
    rate: float = 20.0
    duration: float = 0.1
    alarm_name: str = "concurrency"
    alarm: AlarmState = AlarmState.OK
    alarm_since: float = 0.0
    ecs_5xx: float = 0.0
    lambda_5xx: float = 0.0
    third_group: int = 0
    period: int = PERIOD
    lag: float = 0.0
    sticky: float = 0.0
    lambda_states: tuple[tuple[str, int], ...] = (("unavailable", 1),)
    prewarm: AlarmState = AlarmState.OK
    prewarm_since: float = 0.0
    limit: float = 0.0
    deployment_running: bool = False
    deployment_failed: bool = False
    versions: Versions = SAME_CODE
    unreadable: set[Part] = field(default_factory=set)
    before_write: Callable[[Action], None] = lambda _: None
    after_write: Callable[[Action], None] = lambda _: None
    writes: list[tuple[float, Action]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    traffic: dict[str, dict[float, float]] = field(default_factory=dict)

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            moment = min(1.0, end - self.now)
            self._serve(moment)
            self.now += moment
            if self.limit:
                self._evaluate_alarm()

    def _serve(self, seconds: float) -> None:
        share = max(self.ecs_share, self.sticky)
        period = self.now // self.period * self.period
        for name, part, bad in (("ecs", share, self.ecs_5xx), ("lambda", 1 - share, self.lambda_5xx)):
            requests = self.rate * seconds * part
            if requests:
                for series, count in ((f"{name}_requests", requests), (f"{name}_5xx", requests * bad)):
                    points = self.traffic.setdefault(series, {})
                    points[period] = points.get(period, 0.0) + count
        if share < 1:
            self.traffic.setdefault("duration_avg", {})[period] = self.duration
            self.traffic.setdefault("duration_p95", {})[period] = self.duration

    def _evaluate_alarm(self) -> None:
        over = self.rate * (1 - self.ecs_share) * self.duration > self.limit
        state = AlarmState.ALARM if over else AlarmState.OK
        if state is not self.alarm:
            self.alarm, self.alarm_since = state, self.now

    @property
    def ecs_share(self) -> float:
        return sum(split.ecs_percent for split in self.splits.values()) / len(self.splits) / 100

    @property
    def healthy(self) -> int:
        return 0 if self.sick else sum(1 for began in self.tasks if self.now - began >= self.start_seconds)

    # ---- the port ----

    def observe(self, parts: Collection[Part] = tuple(Part)) -> Snapshot:
        def part(name: Part, value: object) -> Reading:
            if name not in parts:
                return Reading()
            return Reading(problem="AWS is away") if name in self.unreadable else Reading.of(value, self.now)

        managed = tuple(
            RouteState(arn, arn.rsplit("/", 1)[-1], split, "same", self.third_group)
            for arn, split in self.splits.items()
        )
        forwarders = tuple(route.label for route in managed if route.split.ecs)
        published = self.now - self.lag
        series = {
            name: tuple((at, count) for at, count in sorted(points.items()) if at <= published)
            for name, points in self.traffic.items()
        }
        alarm = Alarm(self.alarm_name, self.alarm, self.alarm_since, "", 10.0, "ConcurrentExecutions")
        return Snapshot(
            at=self.now,
            alarms=part(Part.ALARMS, (alarm,)),
            routes=part(Part.ROUTES, Routes(managed, forwarders, searched_at=self.now)),
            service=part(Part.SERVICE, self._service()),
            targets=Reading(problem="AWS is away")
            if Part.SERVICE in self.unreadable
            else part(Part.TARGETS, Targets(self.healthy, (), self.lambda_states)),
            scaling=part(Part.BOUNDS, Scaling(self.bounds)),
            metrics=part(Part.METRICS, Metrics(self.period, series)),
            limits=part(Part.LIMITS, Limits(14, 900)),
            versions=part(Part.VERSIONS, self.versions),
            prewarm=part(Part.PREWARM, (Alarm("busy", self.prewarm, self.prewarm_since),)),
        )

    def _service(self) -> Service:
        pending = self.desired - len(self.tasks)
        return Service(
            self.desired, pending, len(self.tasks),
            deployment_running=self.deployment_running, deployment_failed=self.deployment_failed,
        )  # fmt: skip

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        self.before_write(action)
        if not may_send():
            raise HeldBackError
        self._judge(action)
        self.writes.append((self.now, action))
        self._apply(action)
        self.after_write(action)
        return Call("some:Action", "resource", "", str(action), f"request-{len(self.writes)}", 0.05)

    def _apply(self, action: Action) -> None:
        if isinstance(action, SetSplit):
            if self.splits[action.route_arn] != action.before:
                raise AwsError("changed", "somebody else was faster")
            self.splits[action.route_arn] = action.split
        elif isinstance(action, SetBounds):
            self.bounds = action.bounds
            self._scale(min(max(self.desired, action.bounds.minimum), action.bounds.maximum))
        elif isinstance(action, SetDesiredCount):
            self._scale(action.count)

    def _scale(self, count: int) -> None:
        self.desired = count
        self.tasks = self.tasks[:count] + [self.now] * (count - len(self.tasks))

    # ---- the judge ----

    def _judge(self, action: Action) -> None:
        if isinstance(action, SetSplit):
            before = self.splits[action.route_arn]
            if action.split.ecs_percent > before.ecs_percent and self.healthy < 2:
                self.broken.append(f"ecs_ready: {action} with {self.healthy} healthy targets")
            fits = self.rate * self.duration <= 10 or not self.healthy or self.ecs_5xx >= 0.5
            if action.split.ecs_percent < before.ecs_percent and not fits:
                self.broken.append(f"lambda_ready: {action} while demand is {self.rate * self.duration:.1f}")
        if (
            isinstance(action, SetDesiredCount)
            and action.count < self.desired
            and any(split.ecs for split in self.splits.values())
        ):
            self.broken.append(f"no_early_scale_in: {action} while routes show {self.splits}")


@dataclass
class Journal:
    """Keeps what was decided, as the panel's table does; `progress` is what survives a crash."""

    progress: Progress
    lines: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def decided(self, decision: Decision) -> None:
        self.progress = decision.progress
        self.decisions.append(decision)
        line = f"{decision.kind.value}: {decision.headline}"
        if not self.lines or self.lines[-1] != line:
            self.lines.append(line)

    def called(self, call: Call) -> None:
        self.lines.append(f"call: {call.after}")

    def failed(self, action: Action, error: AwsError) -> None:
        self.lines.append(f"failed: {action}: {error}")

    def read_back(self, snapshot: Snapshot) -> None:
        self.lines.append(f"read back: {snapshot.split}")


class Held:
    def seconds_left(self) -> float:
        return 20.0


class Crash(BaseException):
    """The process died here."""


@dataclass
class Run:
    """One operation driven to its end in virtual time; a `Crash` is survived by stepping again from the journal."""

    world: World
    request: Request
    app: Application = field(default_factory=application)
    memory: Memory = field(default_factory=Memory)
    cancel_at: float | None = None
    kill_switch_at: float | None = None
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        self.journal = Journal(Progress(memory=self.memory))

    def step(self) -> Outcome | None:
        cancel = "enough" if self.cancel_at is not None and self.world.now >= self.cancel_at else ""
        try:
            self.outcome = step(
                self.app, self.request, self.journal.progress, aws=self.world, journal=self.journal, lease=Held(),
                clock=lambda: self.world.now, cancel=cancel, kill_switch=self._killed,
            )  # fmt: skip
        except Crash:
            self.world.pass_time(20)
            return None
        return self.outcome

    def _killed(self) -> bool:
        return self.kill_switch_at is not None and self.world.now >= self.kill_switch_at

    def to_end(self, limit: float = 600.0) -> Outcome:
        deadline = self.world.now + limit
        while self.world.now < deadline:
            outcome = self.step()
            if outcome and outcome.decision.kind not in (Kind.ACT, Kind.WAIT):
                return outcome
            self.world.pass_time(outcome.decision.wait if outcome else 1.0)
        raise AssertionError("no end after {:.0f} s:\n{}".format(limit, "\n".join(self.journal.lines)))


def on_ecs(world: World) -> World:
    """The same world after a failover that has settled."""
    world.splits = dict.fromkeys(world.splits, Split(0, 100))
    world.tasks, world.desired = [world.now - 60] * 2, 2
    return world


__all__ = ["LISTENER", "RULE", "Crash", "Held", "Journal", "Run", "World", "application", "on_ecs", "replace"]
