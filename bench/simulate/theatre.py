"""Two controllers, people, and an AWS in which things break, in virtual time, under the eyes of the checker.

A controller runs as its Lambda function does: it takes the lease in DynamoDB, goes on with what the lease item says,
and gives the lease back. It can be killed before any call, and it can be held up at any call while time passes and
the other one runs: whatever may happen between two calls does, sooner or later.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from bench.simulate.checker import WRITES, Checker, Limits, Operation, Writer
from bench.simulate.clients import clients, lease_client
from bench.simulate.play import application_of
from bench.simulate.truth import Truth
from failover import wake
from failover.aws.adapter import Adapter
from failover.aws.lease import LeaseHeldError, TableLease
from failover.codec import encode
from failover.model import Application, Goal, Policy, Progress, Request, Split
from failover.ports import AwsError
from failover.solo import Solo
from failover.state import State, stored_state
from lab.eventbridge import Destination
from lab.ports import Answer
from lab.virtual import VirtualLab
from lab.worldfile import WorldTable

SLUG = "checkout"
TABLE = "leases"
INVOCATION_SECONDS = 150.0
SCHEDULE_SECONDS = 20.0
STEP_SECONDS = 1.0
INVOKING_SECONDS = 0.5  # calls take no time here; invocations do, or a few of them would empty AWS's buckets
CALLS_TO_LIVE = 400


class Crash(BaseException):
    """The controller is gone, wherever it was."""


@dataclass(frozen=True)
class Click:
    """What a person asks for on the command line."""

    goal: Goal
    split: Split | None = None


@dataclass
class Controller:
    """One of those that run; ``dies_in`` and ``stalls_in`` count the calls until then."""

    theatre: Theatre
    number: int
    dies_in: int | None = None
    stalls_in: int | None = None
    stalls_for: float = 0.0
    lives: int = 0
    busy: bool = False
    solo: Solo | None = None
    writer: Writer = field(default_factory=lambda: Writer("nobody"))

    @property
    def name(self) -> str:
        return f"controller-{self.number}.{self.lives}"

    def invoke(self, event: dict[str, Any] | Click) -> None:
        """One invocation, as the Lambda handler has it; a person's click takes the place of what is under way."""
        theatre = self.theatre
        why = wake.ignored(event, theatre.application, theatre.now) if isinstance(event, dict) else ""
        if why:
            theatre.answered(self, "ignored", why)
            return
        self.busy, self.writer = True, Writer(self.name)
        try:
            outcome, reason = self._run(event)
        except LeaseHeldError as error:
            outcome, reason = "refused", f"single_writer: {error}"
        except AwsError as error:
            outcome, reason = "failed", str(error)
        except Crash:
            theatre.tell(self, "crash", "")
            self.lives, self.dies_in = self.lives + 1, None
            return
        finally:
            self.busy, self.solo = False, None
        theatre.answered(self, outcome, reason)

    def _run(self, event: dict[str, Any] | Click) -> tuple[str, str]:
        theatre = self.theatre
        dynamodb = lease_client(theatre.lab, theatre.application.region, self)
        lease = TableLease(dynamodb, TABLE, SLUG, lambda: theatre.now, holder=self.name)
        lease.claim()
        try:
            result = self._pursue(event, lease)
        except Crash:
            raise
        except BaseException:
            self._give_back(lease)
            raise
        self._give_back(lease)
        return result

    def _pursue(self, event: dict[str, Any] | Click, lease: TableLease) -> tuple[str, str]:
        theatre = self.theatre
        state = stored_state(lease.state)
        until = theatre.now + INVOCATION_SECONDS
        adapter = Adapter(
            theatre.application, clients(theatre.lab, theatre.application.region, self), lambda: theatre.now
        )

        def save(new: State) -> None:
            lease.state = encode(new)
            lease.renew()
            theatre.saved(new)

        solo = Solo(
            theatre.application,
            adapter,
            lease,
            lambda: theatre.now,
            theatre.run,
            lambda: until - theatre.now,
            save,
            lambda kind, message: theatre.tell(self, kind, message),
            state,
        )
        self.solo = solo
        if isinstance(event, Click):
            solo.keep(_clicked(state, event, theatre.application))
        result = solo.run()
        return result.outcome, result.reason

    def _give_back(self, lease: TableLease) -> None:
        try:
            if lease.seconds_left():
                lease.release()
        except (LeaseHeldError, AwsError) as error:
            self.theatre.tell(self, "lease", str(error))

    # ---- what the clients tell ----

    def before(self, operation: str, given: dict[str, Any]) -> None:
        self._interrupt(operation)
        if operation in WRITES:
            self.theatre.checker.write(self.writer, self.theatre.pursuing(self), operation, given, self.theatre.lease())

    def after(self, operation: str, given: dict[str, Any], output: dict[str, Any]) -> None:
        self.theatre.checker.read(self.writer, operation, given, output)

    def refused(self, operation: str) -> None:
        if operation in WRITES:
            self.theatre.checker.refused()

    def _interrupt(self, operation: str) -> None:
        """A write is not held up: nothing can call one back that is on its way, and its time-outs are short."""
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in <= 0:
                raise Crash
        if self.stalls_in is not None and operation not in WRITES:
            self.stalls_in -= 1
            if self.stalls_in <= 0:
                self.stalls_in = None
                self.theatre.stall(self, self.stalls_for)


class Theatre:
    """``chance`` decides which controller is woken; whoever stages a history puts everything else on the agenda."""

    def __init__(self, table: WorldTable, policy: Policy, chance: Random, *, controllers: int = 2) -> None:
        self.lab = VirtualLab(table, chance.randrange(2**32))
        self.application: Application = application_of(self.lab, SLUG, policy)
        self.checker = Checker(Truth(self.lab, SLUG), _limits(policy))
        self.controllers = [Controller(self, number) for number in range(1, controllers + 1)]
        self.journal: list[str] = []
        self._chance = chance
        self._began = self.lab.now
        self._wakes: deque[dict[str, Any] | Click] = deque()
        self._operation: Operation | None = None
        self._scheduled = self.lab.now
        self.lab.http.receiver = self._receive
        self.lab.world.bus.destination = Destination("https://lambda.invalid", "X-Api-Key", "none")
        self._look()

    @property
    def now(self) -> float:
        return self.lab.now

    def run(self, seconds: float) -> None:
        """Lets time pass, without waking anybody."""
        self.lab.run(seconds)

    def play(self, seconds: float) -> None:
        """Lets time pass, with whoever is woken in it."""
        until = self.now + seconds
        while self.now < until:
            self.run(STEP_SECONDS)
            if self.now >= self._scheduled:
                self._scheduled = self.now + SCHEDULE_SECONDS
                self._wakes.append({"detail-type": wake.SCHEDULED})
            while self._wakes and self.now < until:
                self._wake(self._wakes.popleft())
                self.run(INVOKING_SECONDS)

    def at(self, seconds: float, what: str, happen: Callable[[], object]) -> None:
        """Something happens to the world, so many seconds from the beginning."""

        def now() -> None:
            self.tell(None, "world", what)
            happen()

        self.lab.at(self._began + seconds, now)

    def click(self, click: Click) -> None:
        self._wakes.append(click)

    def stall(self, controller: Controller, seconds: float) -> None:
        """A controller hangs at a call, while time passes and another one is woken as usual."""
        self.tell(controller, "stall", f"{seconds:.0f} s")
        others = [each for each in self.controllers if not each.busy]
        until = self.now + seconds
        while self.now < until:
            self.run(STEP_SECONDS)
            if others and self._wakes:
                self._chance.choice(others).invoke(self._wakes.popleft())

    def _wake(self, event: dict[str, Any] | Click) -> None:
        self._chance.choice([each for each in self.controllers if not each.busy]).invoke(event)

    def _receive(self, _headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        self._wakes.append(json.loads(body))
        return Answer(202, at)

    def _look(self) -> None:
        self.checker.truth.look()
        self.lab.at(self.now + STEP_SECONDS, self._look)

    # ---- for the checker ----

    def saved(self, state: State) -> None:
        """A state was stored: an operation may have begun, or ended."""
        pursuit = state.operation
        if pursuit is None:
            self._operation = None
        elif self._operation is None or (self._operation.goal, self._operation.automatic) != _kind(pursuit.request):
            self._operation = Operation(*_kind(pursuit.request), self.now)
            self.checker.started(self._operation)
        if self._operation and pursuit and pursuit.reached.allowed and self._operation.knows > self.now:
            self._operation = replace(self._operation, knows=self.now)

    def pursuing(self, controller: Controller) -> Operation:
        """In whose name a controller writes: its own idea of it, which may be out of date."""
        state = controller.solo.state if controller.solo else State()
        if state.operation is None:
            return Operation("nothing", automatic=True, began=self.now)
        known = self._operation or Operation("", automatic=True, began=self.now)
        return Operation(*_kind(state.operation.request), known.began, known.knows)

    def lease(self) -> tuple[str, float] | None:
        """Who holds the lease by its item, and until when."""
        item = self.lab.world.tables[TABLE].items.get(SLUG)
        if item is None or not item["holder"]["S"]:
            return None
        return item["holder"]["S"], float(item["until"]["N"])

    def end(self) -> None:
        """Judges the end of the history."""
        item = self.lab.world.tables[TABLE].items.get(SLUG)
        state = stored_state(json.loads(item["state"]["S"])) if item else State()
        held = state.hold is not None and state.hold.until > self.now
        active = self._operation if state.operation else None
        self.checker.ended(active, held=held)

    def answered(self, controller: Controller, outcome: str, reason: str) -> None:
        self.tell(controller, outcome, reason)
        self.checker.answered(outcome, reason)

    def tell(self, controller: Controller | None, kind: str, message: str) -> None:
        who = controller.name if controller else ""
        self.journal.append(f"{self.now - self._began:8.1f} s  {who:<15} {kind:<9} {message}")


def _clicked(state: State, click: Click, application: Application) -> State:
    """A person's operation takes the place of what is under way; a hold binds automation, not people."""
    state = replace(state.superseded(), hold=None)
    request = Request(click.goal, click.split)
    return state.begun(application, request, "by hand", Progress(memory=state.memory))


def _kind(request: Request) -> tuple[str, bool]:
    return request.goal.value, request.automatic


def _limits(policy: Policy) -> Limits:
    steps = len(policy.shift_steps) + len(policy.failback_steps)
    waits = policy.scale_deadline_seconds + policy.drain_seconds + policy.bake_seconds + policy.settle_seconds
    return Limits(
        min_healthy=policy.min_healthy,
        settle=policy.settle_seconds,
        bake=policy.bake_seconds,
        dwell=policy.dwell_seconds,
        period=policy.metric_period_seconds,
        longest_operation=2 * waits + steps * (policy.scale_deadline_seconds + 120) + 600,
    )
