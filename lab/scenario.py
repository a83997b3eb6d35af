"""A scenario in TOML: load over time, what breaks when, and how it has to end.

Steps come one after the other: each waits until its condition holds, then its seconds, then does what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.accidents import ACCIDENTS
from lab.conditions import CONDITIONS
from lab.faults import FaultError, Faults
from lab.load import MOST_RATE
from lab.tables import TableError, one_of, read_file, read_text

DIRECTORY = Path(__file__).parent / "scenarios"
NAMES = tuple(sorted(each.stem for each in DIRECTORY.glob("*.toml")))
POOLS = ("lambda", "ecs", "none")
PHASES = ("before", "throttled", "failover_shift", "on_ecs", "failback_shift", "after")


class ScenarioError(Exception):
    """A scenario that does not exist or cannot be read; the message is a sentence."""


@dataclass(frozen=True)
class LoadTable:
    """Requests a second, of which so many percent take five seconds."""

    rate: float
    slow_percent: float = 1.0

    def problems(self) -> list[str]:
        return [
            *([] if self.rate <= MOST_RATE else [f"rate: {self.rate:g} is more than {MOST_RATE:g} requests a second"]),
            *([] if self.slow_percent <= 100 else [f"slow_percent: {self.slow_percent:g} is more than 100"]),
        ]


@dataclass(frozen=True)
class StepTable:
    """One step: at most one condition to wait for, then what to do. ``say`` is told to whoever watches.

    ``when`` that does not hold ``within_seconds`` is given up and the step goes on; 0 waits until the deadline.
    """

    say: str = ""
    when: str = ""
    within_seconds: float = 0.0
    after_seconds: float = 0.0
    load: LoadTable | None = None
    switch: str = ""
    value: Any = None
    do: str = ""
    with_: Mapping[str, Any] = field(default_factory=dict)

    def problems(self) -> list[str]:
        return [
            *(one_of("when", self.when, tuple(CONDITIONS)) if self.when else []),
            *(one_of("do", self.do, tuple(ACCIDENTS)) if self.do else []),
            *(_switch_problem(self.switch, self.value) if self.switch else []),
        ]


@dataclass(frozen=True)
class EndTable:
    """What must be true at the end; a key that is left out is not looked at.

    ``failovers`` and ``failbacks`` count how often all written weights came to ECS, and back to Lambda. Requests may
    fail in the pools of ``may_lose`` ("none" is the load balancer itself), and in no phase of ``clean_phases``.
    """

    when: str = ""
    within_seconds: float = 0.0
    after_seconds: float = 0.0
    position: str = ""
    tasks: str = ""
    alarm: str = ""
    failovers: int | None = None
    failbacks: int | None = None
    most_failovers: int | None = None
    may_lose: tuple[str, ...] = ("lambda",)
    clean_phases: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        return [
            *(one_of("when", self.when, tuple(CONDITIONS)) if self.when else []),
            *one_of("position", self.position, ("", "lambda", "ecs", "split")),
            *one_of("tasks", self.tasks, ("", "none", "some")),
            *one_of("alarm", self.alarm, ("", "OK", "ALARM")),
            *(problem for pool in self.may_lose for problem in one_of("may_lose", pool, POOLS)),
            *(problem for phase in self.clean_phases for problem in one_of("clean_phases", phase, PHASES)),
        ]


@dataclass(frozen=True)
class Scenario:
    """``story`` says what is tried and why the end is right; ``application`` is the slug that it happens to."""

    title: str
    story: str
    steps: tuple[StepTable, ...]
    end: EndTable
    application: str = "checkout"
    deadline_seconds: float = 420.0


def shipped(name: str) -> Scenario:
    """One of the lab's own scenarios. Raises ScenarioError."""
    if name not in NAMES:
        raise ScenarioError(f"There is no scenario {name!r}; there are: {', '.join(NAMES)}.")
    return _read(lambda: read_file(Scenario, DIRECTORY / f"{name}.toml"))


def load(path: Path) -> Scenario:
    """A scenario file. Raises ScenarioError."""
    return _read(lambda: read_file(Scenario, path))


def parse(text: str, name: str) -> Scenario:
    """A scenario as text; ``name`` stands in errors. Raises ScenarioError."""
    return _read(lambda: read_text(Scenario, text, name))


def _read(read: Any) -> Scenario:
    try:
        scenario: Scenario = read()
    except TableError as error:
        raise ScenarioError(str(error)) from error
    return scenario


def _switch_problem(name: str, value: object) -> list[str]:
    try:
        Faults().set(name, value)
    except FaultError as error:
        return [f"switch: {str(error).rstrip('.')}"]
    return []
