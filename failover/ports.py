"""What the controller needs from outside: AWS, a journal, a clock, a lease."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from failover.model import DECIDING, Action, Decision, Part, Probed, Progress, Reading, Snapshot

Clock = Callable[[], float]  # epoch seconds
KillSwitch = Callable[[], bool]  # whether automation is to stop; what it raises when it can't tell ends the cycle
# What the probe URL answered lately. Never raises: what can't be told is unknown, with its problem.
Probe = Callable[[], Reading[tuple[Probed, ...]]]


# Asked right before a write is sent: whatever was read for it may have taken longer than the write may wait.
MaySend = Callable[[], bool]


def always() -> bool:
    return True


def unprobed() -> Reading[tuple[Probed, ...]]:
    return Reading(problem="nothing probes")


class HeldBackError(Exception):
    """A write that was not sent, because too much time had passed since it was decided."""


class AwsError(Exception):
    """AWS refused or did not answer. `kind` says what a caller can do about it; `remedy` is what helps.

    `denied`, `missing`, `invalid`: trying again changes nothing. `throttled`: later. `unreachable`: nothing arrived, so
    nothing took effect. `unanswered`: a write may or may not have taken effect; only reading again tells. `changed`:
    something else stood there than the decision saw, and nothing was written.
    """

    def __init__(self, kind: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.remedy = remedy


@dataclass(frozen=True)
class Call:
    """One write as sent to AWS: the action's name (`ecs:UpdateService`), its request id, what changed."""

    action: str
    resource: str
    before: str
    after: str
    request_id: str
    seconds: float


class Aws(Protocol):
    def observe(self, parts: Collection[Part] = DECIDING) -> Snapshot:
        """Read the parts asked for. A part that can't be read is unknown, with its problem; never raises AwsError."""

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        """Send one write, once. Raises AwsError; HeldBackError where `may_send`, asked last of all, says no."""


class Journal(Protocol):
    def decided(self, decision: Decision) -> None:
        """Store the decision and its progress durably, before anything is written to AWS."""

    def called(self, call: Call) -> None: ...

    def failed(self, action: Action, error: AwsError) -> None: ...

    def read_back(self, snapshot: Snapshot) -> None: ...


class Lease(Protocol):
    def seconds_left(self) -> float:
        """How long this holder may still write. 0 when it was lost."""


@dataclass(frozen=True)
class Outcome:
    """What one cycle came to: the decision after all, and the newest snapshot."""

    decision: Decision
    snapshot: Snapshot
    progress: Progress
