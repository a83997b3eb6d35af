"""Plays a scenario in the cloud, by the clock that is passed in, and keeps what came of it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.accident_calls import perform
from lab.accidents import AccidentError
from lab.cloud import Cloud
from lab.conditions import CONDITIONS, position
from lab.faults import BY_NAME
from lab.scenario import EndTable, LoadTable, Scenario, StepTable
from lab.world import Application

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moment:
    """Something that happened; ``at`` in epoch seconds."""

    at: float
    what: str
    detail: str


@dataclass
class Director:
    """Call ``advance`` at every moment of the cloud.

    ``told`` is what happened, ``positions`` where the written weights stood, one after the other. At the end,
    ``missed`` names what did not come before the deadline, or what the scenario failed at.
    """

    scenario: Scenario
    cloud: Cloud
    set_load: Callable[[str, LoadTable], None]
    started: float
    told: list[Moment] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    ended: bool = False
    missed: str = ""
    _step: int = 0
    _since: float = 0.0
    _held: float | None = None

    def __post_init__(self) -> None:
        self._since = self.started

    @property
    def application(self) -> Application:
        return self.cloud.applications[self.scenario.application]

    @property
    def waiting_for(self) -> str:
        """What the present step waits for, in words; "" at the end."""
        step = self._current
        if self.ended:
            return ""
        return CONDITIONS[step.when].words if step.when and self._held is None else "time to pass"

    def advance(self, now: float) -> None:
        """Whatever goes wrong ends the scenario, and nothing else."""
        try:
            self._advance(now)
        except Exception as error:  # noqa: BLE001 - a scenario must not end whoever plays it
            self.fail(error, now)

    def fail(self, error: Exception, now: float) -> None:
        """Ends the scenario because of an error that nobody expects; it is logged with its traceback."""
        if self.ended:
            return
        _log.error("The scenario %r failed", self.scenario.title, exc_info=error)
        problem = f"{type(error).__name__}: {error}"
        self._tell(now, "problem", problem)
        self.missed, self.ended = f"the scenario to go on ({problem})", True

    def _advance(self, now: float) -> None:
        self._note_position(now)
        while not self.ended and self._is_due(now):
            self._go_on(now)
        if not self.ended and now - self.started > self.scenario.deadline_seconds:
            self.missed, self.ended = self.waiting_for, True

    @property
    def _at_the_end(self) -> bool:
        return self._step == len(self.scenario.steps)

    @property
    def _current(self) -> StepTable | EndTable:
        return self.scenario.end if self._at_the_end else self.scenario.steps[self._step]

    def _is_due(self, now: float) -> bool:
        """A step's condition must hold once, the end's for all of its seconds."""
        step = self._current
        holds = self._holds(step, now)
        if not holds and self._at_the_end:
            self._held = None
        elif holds and self._held is None:
            self._held = now
        return self._held is not None and now - self._held >= step.after_seconds

    def _holds(self, step: StepTable | EndTable, now: float) -> bool:
        given_up = step.within_seconds and now - self._since >= step.within_seconds
        return not step.when or bool(given_up) or CONDITIONS[step.when].holds(self.application)

    def _go_on(self, now: float) -> None:
        if self._at_the_end:
            self.ended = True
            return
        step = self.scenario.steps[self._step]
        try:
            self._perform(step, now)
        except AccidentError as error:  # the file asks for what this world cannot do: the scenario is over, not the lab
            self._tell(now, "accident", f"{step.do} cannot happen: {error}")
            self.missed, self.ended = f"{step.do} to be possible", True
            return
        self._step, self._since, self._held = self._step + 1, now, None

    def _perform(self, step: StepTable, now: float) -> None:
        slug = self.scenario.application
        if step.say:
            self._tell(now, "story", step.say)
        if step.load:
            self.set_load(slug, step.load)
            self._tell(now, "load", f"{step.load.rate:g} requests a second, {step.load.slow_percent:g} % of them slow")
        if step.switch:
            switch = BY_NAME[step.switch]
            on = self.cloud.faults.set(step.switch, step.value, slug if switch.scope == "application" else "")
            self._tell(now, "switch", f"{switch.title}: {step.value if on else 'off'}")
        if step.do:
            perform(self.cloud.home(slug), slug, now, step.do, step.with_)
            self._tell(now, "accident", " ".join([step.do, *(f"{key}={value}" for key, value in step.with_.items())]))

    def _note_position(self, now: float) -> None:
        seen = position(self.application)
        if self.positions[-1:] != [seen]:
            self.positions.append(seen)
            self._tell(now, "weights", seen)

    def _tell(self, now: float, what: str, detail: str) -> None:
        self.told.append(Moment(now, what, detail))
