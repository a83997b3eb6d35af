"""A controller that looks every few seconds and starts what automation says, in virtual time: the panel without it."""

from __future__ import annotations

from dataclasses import dataclass, field

from failover import guard
from failover import memory as memories
from failover.automation import Refused, Situation, Start, consider
from failover.model import Application, Goal, Kind, Memory, Mode, Request
from tests.failover.world import Run, World, application

LOOK_SECONDS = 2.0


@dataclass
class History:
    """`operations` are (goal, reason) in order, `refusals` by rule, `pages` what people were woken for."""

    world: World
    app: Application = field(default_factory=application)
    memory: Memory = field(default_factory=Memory)
    situation: Situation = field(default_factory=lambda: Situation(Mode.AUTO))
    operations: list[tuple[Goal, str]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    refusals: dict[str, Refused] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)

    def look(self) -> Start | Refused | None:
        """One observation and what it leads to; an operation runs to its end."""
        world = self.world
        snapshot = world.observe()
        self.memory = guard.observed(self.app, snapshot, self.memory, world.now)
        verdict = consider(self.app, snapshot, self.memory, self.situation, world.now)
        if verdict and verdict.page:
            self.pages.append(verdict.page)
        if isinstance(verdict, Start):
            self._pursue(verdict.request, verdict)
        elif verdict:
            self.refusals[verdict.rule] = verdict
        return verdict

    def _pursue(self, request: Request, start: Start) -> None:
        run = Run(self.world, request, self.app, self.memory)
        run.journal.progress = start.progress(self.memory)
        outcome = run.to_end(limit=7200)
        self.memory = memories.after(self.memory, request, outcome, self.world.now)
        self.operations.append((request.goal, start.reason))
        self.runs.append(run)
        if outcome.decision.kind is Kind.STOP:
            self._failed(request.goal)

    def _failed(self, goal: Goal) -> None:
        name = {
            Goal.FAILOVER: "last_failure_at",
            Goal.FAILBACK: "last_failback_failure_at",
            Goal.SET_WEIGHTS: "last_prepare_failure_at",
        }[goal]
        self.situation = Situation(**{**vars(self.situation), name: self.world.now})

    def pass_time(self, seconds: float, look_every: float = LOOK_SECONDS) -> History:
        end = self.world.now + seconds
        while self.world.now < end:
            self.look()
            self.world.pass_time(look_every)
        return self

    @property
    def goals(self) -> list[Goal]:
        return [goal for goal, _ in self.operations]
