"""One cycle of the loop: observe, decide, act, record. It never sleeps; whoever runs it steps it again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from failover.decide import decide, heeds_probes, needed, stopped_by_kill_switch
from failover.evidence import FRESH_SECONDS
from failover.failing import after_failed_write
from failover.model import Action, Application, Decision, Kind, Progress, Reading, Request, SetSplit, Snapshot
from failover.ports import (
    Aws,
    AwsError,
    Clock,
    HeldBackError,
    Journal,
    KillSwitch,
    Lease,
    Outcome,
    Probe,
    unprobed,
)
from failover.rules import Write, judge

READINESS = frozenset({"ecs_ready", "lambda_ready", "towards_health"})
BUDGET_SECONDS = 10.0  # a cycle that took longer writes nothing more and is stepped again


def _off() -> bool:
    return False


def step(  # noqa: PLR0913 - what it needs from outside, by keyword
    application: Application,
    request: Request,
    progress: Progress,
    *,
    aws: Aws,
    journal: Journal,
    lease: Lease,
    clock: Clock,
    cancel: str = "",
    kill_switch: KillSwitch = _off,
    probe: Probe = unprobed,
) -> Outcome:
    """Run one cycle of an operation and answer with what it came to.

    `cancel` is a person's reason to end at a safe split. `kill_switch` ends an automatic operation before its next
    write; it is asked again before each. The caller stores the outcome: kind act or wait means "step again in
    `decision.wait` seconds", done succeeded, stop failed (or was cancelled), refuse ended before any write. The
    decision and its progress are in the journal before AWS hears of it.
    """
    began = clock()
    # Probes first: they may take seconds, and what AWS says must be fresh when a write rests on it.
    probes = probe() if heeds_probes(request, progress) else Reading()
    snapshot = replace(aws.observe(needed(request, progress)), probes=probes)
    decision = decide(application, request, snapshot, progress, clock(), cancel)
    cycle = _Writing(application, request, snapshot, aws, journal, lease, clock, kill_switch, began)
    if cycle.killed():
        decision = stopped_by_kill_switch(application, request, snapshot, progress, clock())
    journal.decided(decision)
    held_back = cycle.send(decision)
    if held_back is not None:
        journal.decided(held_back)
        return Outcome(held_back, snapshot, held_back.progress)
    snapshot = _read_back(aws, journal, request, decision, snapshot)
    return Outcome(decision, snapshot, decision.progress)


@dataclass(frozen=True)
class _Writing:
    """The writes of one cycle, each judged right before it is sent."""

    application: Application
    request: Request
    snapshot: Snapshot
    aws: Aws
    journal: Journal
    lease: Lease
    clock: Clock
    kill_switch: KillSwitch
    began: float

    def killed(self) -> bool:
        return self.request.automatic and self.kill_switch()

    def send(self, decision: Decision) -> Decision | None:
        """Send what was decided. Answers with the decision instead where something held a write back, else None.

        A route that AWS does not take now keeps no other route from being written: each is tried at each cycle.
        """
        failed: Decision | None = None
        sent = False
        for action in decision.actions:
            held_back = self._held_back(decision, action)
            if held_back is not None:
                return self._not_half_written(decision, held_back, sent=sent)
            answer = self._send(decision, action)
            if answer is not None and not _tried_again(decision, action, answer):
                return answer
            failed = answer or failed
            sent = sent or answer is None
        return failed

    def _not_half_written(self, decision: Decision, held_back: Decision, *, sent: bool) -> Decision:
        """Where readiness forbids the write of one route after another's was sent, routes return to one split."""
        half = sent or self.snapshot.split is None
        if held_back.rule not in READINESS or decision.progress.phase != "shift" or not half:
            return held_back
        progress = decision.progress.turned_back(held_back.detail, self.clock())
        return replace(held_back, kind=Kind.WAIT, rule="", progress=progress, wait=1.0)

    def _held_back(self, decision: Decision, action: Action) -> Decision | None:
        now = self.clock()
        if self.killed():
            return stopped_by_kill_switch(self.application, self.request, self.snapshot, decision.progress, now)
        if isinstance(action, SetSplit) and self._grown_old(now):
            return _too_slow(decision, now - self.began)
        left = self.lease.seconds_left()
        write = Write(action, self.application, self.request, self.snapshot, decision.progress, left, now)
        return _judged(write) or _late(decision, now - self.began)

    def _grown_old(self, now: float) -> bool:
        """Weights move on what was read moments ago; the rules would stop what only needs another look."""
        readings = (self.snapshot.routes, self.snapshot.targets)
        return any(each.value is not None and each.age(now) > FRESH_SECONDS for each in readings)

    def _send(self, decision: Decision, action: Action) -> Decision | None:
        """Send one write, once. What a lost answer left behind is found by the next cycle's reading."""
        try:
            call = self.aws.write(action, lambda: self._held_back(decision, action) is None)
        except HeldBackError:
            return self._held_up(decision)
        except AwsError as error:
            self.journal.failed(action, error)
            return after_failed_write(decision, action, error, self.clock())
        self.journal.called(call)
        return None

    def _held_up(self, decision: Decision) -> Decision:
        """What was read for the write took so long that its reasons are stale: look again, unless people said stop."""
        now = self.clock()
        if self.killed():
            return stopped_by_kill_switch(self.application, self.request, self.snapshot, decision.progress, now)
        return _too_slow(decision, now - self.began)


def _tried_again(decision: Decision, action: Action, answer: Decision) -> bool:
    waits = answer.kind is Kind.WAIT and answer.progress.phase == decision.progress.phase
    return isinstance(action, SetSplit) and waits


def _judged(write: Write) -> Decision | None:
    violation = judge(write)
    if violation is None:
        return None
    if violation.rule == "single_writer":
        return Decision(
            Kind.WAIT, "Not enough lease left to write", write.progress, detail=violation.sentence, wait=1.0
        )
    return Decision(
        Kind.STOP,
        f"Rule {violation.rule} forbids: {write.action}",
        write.progress.marked("ended", write.now),
        detail=violation.sentence,
        rule=violation.rule,
    )


def _late(decision: Decision, elapsed: float) -> Decision | None:
    return None if elapsed < BUDGET_SECONDS else _too_slow(decision, elapsed)


def _too_slow(decision: Decision, elapsed: float) -> Decision:
    headline = "AWS answered too slowly to write safely; looking again"
    return replace(decision, kind=Kind.WAIT, headline=headline, detail=f"{elapsed:.1f} s", actions=(), wait=1.0)


def _read_back(aws: Aws, journal: Journal, request: Request, decision: Decision, snapshot: Snapshot) -> Snapshot:
    if not any(isinstance(action, SetSplit) for action in decision.actions):
        return snapshot
    seen = aws.observe(needed(request, decision.progress))
    journal.read_back(seen)
    return seen
