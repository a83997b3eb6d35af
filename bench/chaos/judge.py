"""Whether a cell ended well. Pure, and knows nothing of how the evidence was found: each judgement can be broken alone.

What it says is a list of sentences, empty where nothing is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDED = ("succeeded", "failed", "cancelled", "superseded")
MOVES = ("failover", "failback")
TAKEN = range(200, 300)


@dataclass(frozen=True)
class Sent:
    """One event and every status that it was answered with, in order; 0 where no answer came."""

    event_id: str
    statuses: tuple[int, ...]

    @property
    def taken(self) -> bool:
        return any(status in TAKEN for status in self.statuses)

    @property
    def refused(self) -> bool:
        """With a status after which no sender tries again."""
        return any(400 <= status < 500 and status != 429 for status in self.statuses)


@dataclass(frozen=True)
class Write:
    """A write to AWS as its process was about to send it."""

    action: str
    operation: int
    lease: int


@dataclass(frozen=True)
class Evidence:
    """What was found when a cell had ended.

    `findings` is what the scenario's end asks for, as (name, holds, seen). `weights` is (Lambda's, ECS's) percent where
    every route and node agree, `answered` and `failed` count the requests of the last seconds. `taken_by_aws` counts
    the writes that AWS carried out. `audit` is (action, subject). `left_behind` names processes that outlived the cell.
    """

    fault: str
    happened: str
    findings: Sequence[tuple[str, bool, str]]
    operations: Sequence[Mapping[str, Any]]
    weights: tuple[int, int] | None
    answered: int
    failed: int
    sent: Sequence[Sent]
    rows: Mapping[str, str]
    """The events in the database: the status of each by its id."""
    processed: Sequence[str]
    dead_letters: Sequence[str]
    delivered: Sequence[str]
    """Ids that AWS's EventBridge delivered."""
    audit: Sequence[tuple[str, str]]
    audit_problem: str
    writes: Sequence[Write]
    taken_by_aws: int
    left_behind: Sequence[str] = field(default=())


def judge(seen: Evidence) -> list[str]:
    """Everything that is wrong, a sentence each."""
    return [
        *_fault(seen),
        *_end(seen),
        *_events(seen),
        *_audit(seen),
        *_once(seen),
        *_in_fenced_order(seen),
        *(f"A process was left behind: {each}." for each in seen.left_behind),
    ]


def ending(seen: Evidence) -> str:
    """How it ended, in a few words, where it ended well."""
    return "as its file says" if _as_asked(seen) else f"safe stop: {_last_failure(seen)}"


def _fault(seen: Evidence) -> Iterator[str]:
    if seen.fault != "none" and not seen.happened:
        yield "The fault never happened: no operation was under way at its moment."


def _as_asked(seen: Evidence) -> bool:
    return bool(seen.findings) and all(holds for _, holds, _ in seen.findings)


def _last_failure(seen: Evidence) -> str:
    """The reason that the last operation to move traffic gives for not reaching its goal; "" where it did, or gives
    none. What automation asks of the number of tasks moves none.
    """
    moved = [each for each in seen.operations if each["goal"] in MOVES]
    last = max(moved, key=lambda each: int(each["id"]), default=None)
    return str(last["error"]) if last and last["status"] == "failed" else ""


def _end(seen: Evidence) -> Iterator[str]:
    """The end that the file asks for, or a safe stop: nothing under way, the reason told, traffic answered."""
    for each in seen.operations:
        if each["status"] not in ENDED:
            yield f"{each['goal']} #{each['id']} never ended: it is {each['status']}."
    if seen.weights is None:
        yield "The routes and nodes do not agree on a split."
    elif seen.weights == (0, 0):
        yield "No pool has weight."
    if _as_asked(seen):
        return
    if not _last_failure(seen):
        missed = "; ".join(f"{name}, but {told}" for name, holds, told in seen.findings if not holds)
        yield f"It ended otherwise than asked ({missed or 'nothing was found'}), and no operation says why."
    elif seen.failed or not seen.answered:
        yield f"It stopped where users are failed: {seen.failed} of the last {seen.answered + seen.failed} requests."


def _events(seen: Evidence) -> Iterator[str]:
    """What was taken is there and was dealt with, once; what was not taken is sent again until it is."""
    processed = Counter(seen.processed)
    for each in seen.sent:
        if each.refused:
            yield f"Event {each.event_id} was refused for good: {_told(each)}."
        elif not each.taken:
            yield f"Event {each.event_id} was never taken: {_told(each)}."
    for event_id in [*(each.event_id for each in seen.sent if each.taken), *seen.delivered]:
        status = seen.rows.get(event_id)
        if status is None:
            yield f"Event {event_id} was taken and is lost."
        elif status == "stored":
            yield f"Event {event_id} was never processed."
    for event_id, times in processed.items():
        if times > 1:
            yield f"Event {event_id} was processed {times} times."
    for event_id in seen.dead_letters:
        yield f"EventBridge gave event {event_id} up."


def _told(sent: Sent) -> str:
    return ", ".join(map(str, sent.statuses)) or "no attempt"


def _audit(seen: Evidence) -> Iterator[str]:
    if seen.audit_problem:
        yield f"The audit trail is not sound: {seen.audit_problem}"
    entries = Counter(seen.audit)
    for each in seen.operations:
        subject = f"{each['goal']} #{each['id']}"
        wanted = ["operation.start"]
        if each["status"] in ENDED:
            wanted.append("operation.supersede" if each["status"] == "superseded" else "operation.end")
        for action in wanted:
            if entries[action, subject] != 1:
                yield f"The audit trail has {entries[action, subject]} entries {action} for {subject}, and not one."


def _once(seen: Evidence) -> Iterator[str]:
    """An operation decides each change once. Sent again it may be, where a process died or AWS refused; done it is
    once."""
    meant = {(each.operation, each.action) for each in seen.writes}
    if seen.taken_by_aws > len(meant):
        again = [f"{action} (#{number})" for (number, action), times in _repeated(seen.writes).items() if times > 1]
        yield f"AWS carried out {seen.taken_by_aws} writes where {len(meant)} were meant: {', '.join(again) or '?'}."


def _repeated(writes: Sequence[Write]) -> Counter[tuple[int, str]]:
    return Counter((each.operation, each.action) for each in writes)


def _in_fenced_order(seen: Evidence) -> Iterator[str]:
    newest: tuple[int, int] = (0, 0)
    for each in seen.writes:
        now = (each.operation, each.lease)
        if now < newest:
            yield (
                f"{each.action!r} was sent under lease {each.lease} of operation #{each.operation}, after lease "
                f"{newest[1]} of #{newest[0]} had written."
            )
        newest = max(newest, now)
        if not each.operation:
            yield f"{each.action!r} was sent without a lease."
