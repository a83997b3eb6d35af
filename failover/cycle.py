"""One cycle's view of an operation, and the two answers that every phase gives: wait and stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from failover.model import (
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

Step = Decision | Progress  # a decision ends the cycle; progress hands over to the phase that it names

_FIELDS = {part: "scaling" if part is Part.BOUNDS else part.value for part in Part}


@dataclass(frozen=True)
class Cycle:
    application: Application
    request: Request
    snapshot: Snapshot
    progress: Progress
    now: float

    @property
    def policy(self) -> Policy:
        return self.application.policy

    def reading(self, part: Part) -> Reading[Any]:
        reading: Reading[Any] = getattr(self.snapshot, _FIELDS[part])
        return reading

    @property
    def routes(self) -> Routes:
        return self._known(self.snapshot.routes)

    @property
    def service(self) -> Service:
        return self._known(self.snapshot.service)

    @staticmethod
    def _known(reading: Reading[Any]) -> Any:
        """Phases run only once what they need was read (`decide.PHASES`)."""
        if reading.value is None:
            raise LookupError(f"needed but unknown: {reading.problem}")
        return reading.value


def wait(cycle: Cycle, headline: str, detail: str = "", seconds: float = 2.0) -> Decision:
    return Decision(Kind.WAIT, headline, cycle.progress, detail=detail, wait=seconds)


def stop(cycle: Cycle, headline: str, detail: str = "", *, rule: str = "", remedy: str = "") -> Decision:
    progress = cycle.progress.marked("ended", cycle.now)
    return Decision(Kind.STOP, headline, progress, detail=detail, rule=rule, remedy=remedy)


def refuse(cycle: Cycle, headline: str, detail: str, *, rule: str, remedy: str = "") -> Decision:
    """End before anything was written."""
    return Decision(Kind.REFUSE, headline, cycle.progress, detail=detail, rule=rule, remedy=remedy)
