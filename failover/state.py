"""What a controller without a database keeps between its invocations: in the lease item, or inferred from AWS."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from failover import memory as memories
from failover.automation import FOREIGN_HOLD_MINUTES, Situation
from failover.codec import decode, encode
from failover.model import Application, Baseline, Goal, Kind, Memory, Policy, Position, Progress, Request, Snapshot
from failover.ports import Outcome
from failover.resume import stored_progress

STATE_VERSION = 1  # raised when an older controller could misread what a newer one stored
_FOREIGN = (
    "The lease item's state was written by another version of this program, or by something else: go on with what "
    "wrote it, or remove the item's `state`."
)


@dataclass(frozen=True)
class Pursuit:
    """An operation under way. It keeps the policy that it started with; `progress` is as `failover.resume` reads it."""

    request: Request
    reason: str
    policy: Policy
    progress: dict[str, Any]

    @property
    def reached(self) -> Progress:
        return stored_progress(self.progress)


@dataclass(frozen=True)
class Hold:
    until: float
    reason: str
    rule: str


@dataclass(frozen=True)
class State:
    """`failures` are when the newest operation of a goal failed; a goal whose newest did not is not in it. `paged` is
    what people were last told of while nothing could be started, empty once it is over.
    """

    version: int = STATE_VERSION
    memory: Memory = field(default_factory=Memory)
    operation: Pursuit | None = None
    failures: dict[str, float] = field(default_factory=dict)
    hold: Hold | None = None
    paged: str = ""

    def begun(self, application: Application, request: Request, reason: str, progress: Progress) -> State:
        return replace(self, operation=Pursuit(request, reason, application.policy, encode(progress)))

    def reached(self, progress: Progress) -> State:
        return replace(self, operation=self.operation and replace(self.operation, progress=encode(progress)))

    def ended(self, request: Request, outcome: Outcome, now: float) -> State:
        """The state once an operation has ended: what is remembered, what failed, and who is not to be overruled."""
        failures = {goal: at for goal, at in self.failures.items() if goal != request.goal}
        memory = self.memory
        if outcome.decision.kind is Kind.STOP:
            failures[request.goal.value] = now
        if outcome.decision.kind is not Kind.REFUSE:
            memory = memories.after(memory, request, outcome, now)
        ended = replace(self, memory=memory, operation=None, failures=failures)
        rule = outcome.decision.rule
        return ended.held(outcome.decision.detail, rule, now) if rule == "foreign_change" else ended

    def held(self, reason: str, rule: str, now: float, minutes: float = FOREIGN_HOLD_MINUTES) -> State:
        return replace(self, hold=Hold(now + 60 * minutes, reason, rule))

    def superseded(self) -> State:
        """The state for an operation that takes the place of the one under way: what that one knew of before."""
        if self.operation is None:
            return self
        return replace(self, memory=memories.carried(self.memory, self.operation.reached), operation=None)

    def situation(self, application: Application, now: float) -> Situation:
        hold = self.hold if self.hold and self.hold.until > now else None
        return Situation(
            mode=application.mode,
            hold=f"{hold.reason} (for another {hold.until - now:.0f} s)" if hold else "",
            hold_rule=hold.rule if hold else "",
            last_failure_at=self.failures.get(Goal.FAILOVER),
            last_failback_failure_at=self.failures.get(Goal.FAILBACK),
            last_prepare_failure_at=self.failures.get(Goal.SET_WEIGHTS),
        )


def stored_state(data: Any) -> State:
    """Read what `encode` made of a State. Raises ValueError with a sentence where it is something else."""
    version = data.get("version", STATE_VERSION) if isinstance(data, dict) else None
    if not isinstance(version, int) or not 1 <= version <= STATE_VERSION:
        raise ValueError(_FOREIGN)
    try:
        return decode(State, data)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(_FOREIGN) from error


def inferred(application: Application, snapshot: Snapshot, now: float) -> State:
    """Without a lease table, what AWS shows: traffic on ECS counts as an automatic failover that is at least as old as
    the alarms' last change, and `standby_count` tasks as what stood before.
    """
    policy, service = application.policy, snapshot.service.value
    memory = Memory(baseline=Baseline(policy.standby_count))
    if snapshot.position in (Position.ECS, Position.SPLIT):
        since = max((alarm.since for alarm in snapshot.alarms.value or ()), default=now)
        return State(memory=replace(memory, failover_at=since, failover_automatic=True))
    if snapshot.position is Position.LAMBDA and service is not None and service.desired > policy.standby_count:
        return State(memory=replace(memory, prewarmed=service.desired))
    return State(memory=memory)
