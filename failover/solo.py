"""A controller on its own, for as long as it is given: looks, starts what is called for, and steps it.

It runs where no panel does: `failover.lambda_handler` calls it. What is under way when time is up is in the state, and
the next invocation goes on there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from failover import guard
from failover.automation import Refused, Start, consider
from failover.controller import step
from failover.memory import found_changed
from failover.model import Action, Application, Decision, Kind, Request, Snapshot
from failover.ports import Aws, AwsError, Call, Clock, Journal, Lease, Outcome, Probe, unprobed
from failover.state import Pursuit, State

CYCLE_SECONDS = 20.0  # the longest cycle: 10 s of reading, a write of 7 s begun at its end, and storing what came of it
LOOK_SECONDS = 2.0  # between the observations that the guard counts


@dataclass(frozen=True)
class Result:
    """`outcome` is done, waiting, refused or failed; `snapshot` is the newest, None where AWS was not read."""

    outcome: str
    reason: str
    snapshot: Snapshot | None = None


@dataclass
class Solo:
    """`save` stores a state durably, and raises where the lease is lost; `seconds_left` until this must have ended;
    `tell` takes a kind and a sentence for the log.
    """

    application: Application
    aws: Aws
    lease: Lease
    clock: Clock
    sleep: Callable[[float], None]
    seconds_left: Callable[[], float]
    save: Callable[[State], None]
    tell: Callable[[str, str], None]
    state: State
    probe: Probe = unprobed

    def keep(self, state: State) -> None:
        self.state = state
        self.save(state)

    def run(self) -> Result:
        """Go on with what is under way; else look, as often as the guard needs to be sure, and do what that says."""
        if not self._has_time():
            return Result("failed", f"Less than {CYCLE_SECONDS:.0f} s are left: give the function a longer time-out.")
        while self.state.operation is None:
            snapshot = self.aws.observe()
            verdict = self._judged(snapshot)
            if isinstance(verdict, Start):
                self._begin(verdict)
            elif not guard.counting(self.application, self.state.memory) or not self._has_time(LOOK_SECONDS):
                return _nothing_started(verdict, snapshot)
            else:
                self.sleep(LOOK_SECONDS)
        return self._pursue(self.state.operation.request)

    def _has_time(self, more: float = 0.0) -> bool:
        return self.seconds_left() > CYCLE_SECONDS + more

    # ---- looking ----

    def _judged(self, snapshot: Snapshot) -> Start | Refused | None:
        now = self.clock()
        memory = guard.observed(self.application, snapshot, self.state.memory, now)
        if memory != self.state.memory:
            self.keep(replace(self.state, memory=memory))
        verdict = consider(self.application, snapshot, memory, self.state.situation(self.application, now), now)
        self._page(verdict)
        if isinstance(verdict, Refused) and verdict.hold_minutes:
            changed = replace(self.state, memory=found_changed(memory, snapshot, now))
            self.keep(changed.held(verdict.reason, verdict.rule, now, verdict.hold_minutes))
        return verdict

    def _page(self, verdict: Start | Refused | None) -> None:
        """Once for each reason: a look every few seconds must not wake people every few seconds."""
        if isinstance(verdict, Start) and verdict.page:
            self.tell("page", verdict.page)
            return
        reason = f"{verdict.goal}: {verdict.rule}" if isinstance(verdict, Refused) and verdict.page else ""
        if reason == self.state.paged:
            return
        self.keep(replace(self.state, paged=reason))
        if isinstance(verdict, Refused) and verdict.page:
            self.tell("page", verdict.page)

    def _begin(self, start: Start) -> None:
        self.tell("start", f"{start.request.goal}: {start.reason}")
        progress = start.progress(self.state.memory)
        self.keep(self.state.begun(self.application, start.request, start.reason, progress))

    # ---- an operation ----

    def _pursue(self, request: Request) -> Result:
        journal = _StateJournal(self)
        while self.state.operation is not None:
            outcome = self._step(self.state.operation, journal)
            decision = outcome.decision
            if decision.kind not in (Kind.ACT, Kind.WAIT):
                self.keep(self.state.ended(request, outcome, self.clock()))
                return Result(_ENDS[decision.kind], decision.sentences, outcome.snapshot)
            if not self._has_time(decision.wait):
                return Result("waiting", decision.sentences, outcome.snapshot)
            self.sleep(decision.wait)
        raise RuntimeError("The operation under way has vanished from the state.")

    def _step(self, pursuit: Pursuit, journal: Journal) -> Outcome:
        return step(
            replace(self.application, policy=pursuit.policy),
            pursuit.request,
            pursuit.reached,
            aws=self.aws,
            journal=journal,
            lease=self.lease,
            clock=self.clock,
            probe=self.probe,
        )


class _StateJournal:
    """Implements `failover.ports.Journal`: progress is in the state before AWS hears of it, the rest in the log."""

    def __init__(self, solo: Solo) -> None:
        self._solo = solo
        self._headline = ""

    def decided(self, decision: Decision) -> None:
        self._solo.keep(self._solo.state.reached(decision.progress))
        if decision.headline != self._headline:
            self._headline = decision.headline
            self._solo.tell(decision.kind.value, decision.told)

    def called(self, call: Call) -> None:
        self._solo.tell("call", f"{call.action}: {call.after} (request {call.request_id})")

    def failed(self, action: Action, error: AwsError) -> None:
        self._solo.tell("failed", f"{action}: {error}")

    def read_back(self, snapshot: Snapshot) -> None:
        self._solo.tell("readback", ", ".join(map(str, snapshot.splits)) or snapshot.routes.problem)


def _nothing_started(verdict: Refused | None, snapshot: Snapshot) -> Result:
    if verdict is not None:
        return Result("refused", f"{verdict.rule}: {verdict.reason} {verdict.remedy}", snapshot)
    alarms = ", ".join(f"{alarm.name} is {alarm.state}" for alarm in snapshot.alarms.value or ())
    return Result("done", f"Nothing to do: {alarms}, and traffic is on {snapshot.position}.", snapshot)


_ENDS = {Kind.DONE: "done", Kind.STOP: "failed", Kind.REFUSE: "refused"}
