"""One cycle's view of an operation, and the two answers that every phase gives: wait and stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from failover.evidence import SEARCHED_SECONDS
from failover.model import (
    NOT_READ,
    Application,
    Decision,
    Kind,
    Part,
    Policy,
    Progress,
    Reading,
    Request,
    Routes,
    Service,
    Snapshot,
)

T = TypeVar("T")

Step = Decision | Progress  # a decision ends the cycle; progress hands over to the phase that it names

READ_DEADLINE = 120.0  # an operation that can't read AWS for this long ends where it stands
_FIELDS = {part: part.value for part in Part} | {Part.BOUNDS: "scaling", Part.FORWARDERS: "routes"}


@dataclass(frozen=True)
class Cycle:
    application: Application
    request: Request
    snapshot: Snapshot
    progress: Progress
    now: float
    unread_since: float | None = None

    @property
    def policy(self) -> Policy:
        return self.application.policy

    def reading(self, part: Part) -> Reading[Any]:
        routes = self.snapshot.routes
        if part is Part.FORWARDERS and routes.value and self.now - routes.value.searched_at > SEARCHED_SECONDS:
            return Reading()
        reading: Reading[Any] = getattr(self.snapshot, _FIELDS[part])
        return reading

    @property
    def routes(self) -> Routes:
        return _known(self.snapshot.routes)

    @property
    def service(self) -> Service:
        return _known(self.snapshot.service)


def _known(reading: Reading[T]) -> T:
    """Phases run only once what they need was read (`decide.PHASES`)."""
    if reading.value is None:
        raise LookupError(f"needed but unknown: {reading.problem}")
    return reading.value


def unread_part(cycle: Cycle, parts: Iterable[Part]) -> Decision | None:
    """Wait for the first part that is unknown, or stop where it stayed so too long. None: all are known."""
    part = next((part for part in parts if cycle.reading(part).value is None), None)
    if part is None:
        return None
    reading = cycle.reading(part)
    problem = f"{part.value}: {reading.problem}"
    since = cycle.now if cycle.unread_since is None else cycle.unread_since
    cycle = replace(cycle, progress=replace(cycle.progress, unread_since=since))
    if cycle.now - since > READ_DEADLINE + cycle.policy.scale_deadline_seconds:
        return stop(cycle, "AWS could not be read", problem, rule="deadlines")
    if reading.problem == NOT_READ:
        return wait(cycle, "Looking closer", problem, seconds=0.2)
    return wait(cycle, "Waiting until AWS can be read", problem)


def wait(cycle: Cycle, headline: str, detail: str = "", seconds: float = 2.0) -> Decision:
    return Decision(Kind.WAIT, headline, cycle.progress, detail=detail, wait=seconds)


def stop(cycle: Cycle, headline: str, detail: str = "", *, rule: str = "", remedy: str = "") -> Decision:
    progress = cycle.progress.marked("ended", cycle.now)
    return Decision(Kind.STOP, headline, progress, detail=detail, rule=rule, remedy=remedy)


def refuse(cycle: Cycle, headline: str, detail: str, *, rule: str, remedy: str = "") -> Decision:
    """End before anything was written."""
    return Decision(Kind.REFUSE, headline, cycle.progress, detail=detail, rule=rule, remedy=remedy)
