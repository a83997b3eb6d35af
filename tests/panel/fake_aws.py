"""An AWS for one application that keeps the contract of failover.ports.Aws: what is written shows at the next look."""

import time
from collections.abc import Collection, Mapping, Sequence

from failover.model import (
    Action,
    Alarm,
    AlarmState,
    Application,
    Code,
    Limits,
    Metrics,
    Part,
    Reading,
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
from failover.ports import AwsError, Call, HeldBackError, MaySend, always


class FakeAws:
    """Its tasks are healthy as soon as they are asked for. `problems` names parts that can't be read, and why."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.alarm = self.prewarm = AlarmState.OK
        self.split = Split(100, 0)
        self.desired = 0
        self.scaling = Scaling()
        self.writes: list[Action] = []
        self.problems: dict[Part, str] = {}
        self.refusal: AwsError | None = None
        self.looks = 0
        self.others: dict[str, AlarmState] = {}  # alarms that are not the application's own
        self.unplaced = ""  # why no task finds room; "" where each does

    def observe(self, parts: Collection[Part] = tuple(Part)) -> Snapshot:
        self.looks += 1
        now = time.time()
        values = {
            Part.ALARMS: tuple(Alarm(name, self.alarm, now - 1) for name in self.application.alarms),
            Part.PREWARM: tuple(Alarm(name, self.prewarm, now - 1) for name in self.application.prewarm_alarms),
            Part.ROUTES: self._routes(now),
            Part.SERVICE: Service(self.desired, 0, self._running, trouble=self.unplaced),
            Part.TARGETS: Targets(self._running, lambda_states=(("healthy", 1),)),
            Part.BOUNDS: self.scaling,
            Part.METRICS: self._metrics(now),
            Part.LIMITS: Limits(None, 1000),
            Part.VERSIONS: Versions(Code(version="1.4.0"), Code(version="1.4.0")),
        }
        return Snapshot(now, **{_field(part): self._reading(part, value, now) for part, value in values.items()
                                if part in parts})  # fmt: skip

    @property
    def _running(self) -> int:
        return 0 if self.unplaced else self.desired

    def alarms(self, names: Collection[str]) -> Reading:
        states = dict.fromkeys(self.application.alarms, self.alarm) | self.others
        states |= dict.fromkeys(self.application.prewarm_alarms, self.prewarm)
        if Part.ALARMS in self.problems:
            return Reading(problem=self.problems[Part.ALARMS])
        found = tuple(Alarm(name, states[name], time.time() - 1) for name in names if name in states)
        return Reading.of(found, time.time())

    def _routes(self, now: float) -> Routes:
        managed = tuple(RouteState(r.arn, "listener", self.split, "") for r in self.application.routes)
        return Routes(managed, searched_at=now)

    def _metrics(self, now: float) -> Metrics:
        """A hundred requests in the newest second, divided as the weights have it."""
        ecs = self.split.ecs_percent
        return Metrics(1, {"lambda_requests": ((now, 100 - ecs),), "ecs_requests": ((now, ecs),)})

    def _reading(self, part: Part, value: object, now: float) -> Reading:
        return Reading(problem=self.problems[part]) if part in self.problems else Reading.of(value, now)

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        if not may_send():
            raise HeldBackError
        if self.refusal is not None:
            raise self.refusal
        self.writes.append(action)
        if isinstance(action, SetSplit):
            self.split = action.split
        elif isinstance(action, SetDesiredCount):
            self.desired = action.count
        elif isinstance(action, SetBounds):
            self.scaling = Scaling(action.bounds)
        return Call(type(action).__name__, "fake", "", str(action), f"request-{len(self.writes)}", 0.01)


class FakeFleet:
    """A scope of one application that keeps the contract of failover.aws.fleet.Fleet."""

    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.busy: list[Collection[str]] = []

    def observe(
        self, applications: Sequence[Application], _known: Mapping[str, Snapshot], busy: Collection[str]
    ) -> dict[str, Snapshot]:
        self.busy.append(busy)
        return {application.slug: self.aws.observe() for application in applications}


def _field(part: Part) -> str:
    return "scaling" if part is Part.BOUNDS else part.value
