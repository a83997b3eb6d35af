"""One cycle of the loop: observe, decide, act, record. It never sleeps; whoever runs it steps it again."""

from __future__ import annotations

from dataclasses import replace

from failover.decide import decide, needed
from failover.model import Action, Application, Decision, Kind, Progress, Request, SetSplit, Snapshot
from failover.ports import Aws, AwsError, Clock, Journal, Lease, Outcome
from failover.rules import Write, judge

BUDGET_SECONDS = 10.0  # a cycle that took longer writes nothing more and is stepped again
FINAL_ERRORS = frozenset({"denied", "missing", "invalid"})  # trying again changes nothing


def step(
    application: Application,
    request: Request,
    progress: Progress,
    *,
    aws: Aws,
    journal: Journal,
    lease: Lease,
    clock: Clock,
    cancel: str = "",
) -> Outcome:
    """Run one cycle of an operation and answer with what it came to.

    `cancel` is a person's reason to end at a safe split. The caller stores the outcome: kind act or wait means
    "step again in `decision.wait` seconds", done succeeded, stop failed (or was cancelled), refuse ended before any
    write. The decision and its progress are in the journal before AWS hears of it.
    """
    began = clock()
    snapshot = aws.observe(needed(request, progress))
    decision = decide(application, request, snapshot, progress, clock(), cancel)
    journal.decided(decision)
    for action in decision.actions:
        write = Write(action, application, request, snapshot, decision.progress, lease.seconds_left(), clock())
        held_back = _judged(write) or _late(decision, clock() - began)
        if held_back is None:
            held_back = _send(aws, journal, decision, action)
        if held_back is not None:
            journal.decided(held_back)
            return Outcome(held_back, snapshot, held_back.progress)
    snapshot = _read_back(aws, journal, request, decision, snapshot)
    return Outcome(decision, snapshot, decision.progress)


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
    if elapsed < BUDGET_SECONDS:
        return None
    headline = "AWS answered too slowly to write safely; looking again"
    return replace(decision, kind=Kind.WAIT, headline=headline, detail=f"{elapsed:.1f} s", actions=(), wait=1.0)


def _send(aws: Aws, journal: Journal, decision: Decision, action: Action) -> Decision | None:
    """Send one write, once. What a lost answer left behind is found by the next cycle's reading."""
    try:
        call = aws.write(action)
    except AwsError as error:
        journal.failed(action, error)
        kind = Kind.STOP if error.kind in FINAL_ERRORS else Kind.WAIT
        return replace(
            decision,
            kind=kind,
            headline=f"AWS: {error.kind}",
            detail=str(error),
            remedy=error.remedy,
            actions=(),
            wait=2.0,
        )
    journal.called(call)
    return None


def _read_back(aws: Aws, journal: Journal, request: Request, decision: Decision, snapshot: Snapshot) -> Snapshot:
    if not any(isinstance(action, SetSplit) for action in decision.actions):
        return snapshot
    seen = aws.observe(needed(request, decision.progress))
    journal.read_back(seen)
    return seen
