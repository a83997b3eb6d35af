"""One operation on the command line: under a lease, into a journal file, until its end or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from failover import aws, text
from failover import memory as memories
from failover.arguments import SINGLE_WRITER
from failover.aws.lease import LeaseHeldError, TableLease
from failover.codec import encode
from failover.controller import step
from failover.guarded import guarded_get
from failover.journal import FileJournal, JournalError, resume
from failover.leases import Unshared
from failover.model import Application, Decision, Kind, Memory, Progress, Request, Snapshot
from failover.ports import Aws, AwsError, Lease, Outcome
from failover.probing import InCycle
from failover.screen import Screen
from failover.state import State, stored_state


class RefusedError(Exception):
    """A rule says no before anything was written."""


class StoppedError(Exception):
    """An operation ended in the middle, for a reason that is not AWS's. What was written stands."""


@dataclass
class Operation:
    """What is pursued and how far it is. `state` is what the lease item carries, where there is one."""

    application: Application
    request: Request
    progress: Progress
    lease: Lease
    state: State


def operate(
    asked: argparse.Namespace, application: Application, adapter: Aws, request: Request, memory: Memory, screen: Screen
) -> tuple[Decision, Path]:
    """Pursue `request` to its end, or for one cycle with --no-wait. Answers with the last decision and the journal.

    Raises RefusedError, LeaseHeldError, AwsError, JournalError before anything is written; StoppedError and
    KeyboardInterrupt in the middle.
    """
    path = asked.resume or Path(f"failover-{application.slug}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl")
    reached = None
    if asked.resume:
        request, reached = resume(path, application.slug, request.goal)
    journal = FileJournal(path, _teller(screen), time.time)
    try:
        if reached is None:
            journal.begun(application, request, asked.reason)
        else:
            journal.resumed(asked.reason)
        lease = _lease(asked, application, screen)
        try:
            operation = _operation(application, request, reached, memory, lease, screen)
            journal.in_use = True
            return _pursue(asked, operation, adapter, journal, screen), path
        finally:
            if isinstance(lease, TableLease):
                _release(lease, screen)
    finally:
        journal.close()


def _lease(asked: argparse.Namespace, application: Application, screen: Screen) -> Lease:
    """The DynamoDB lease where there is a table; else a person must say that nobody else writes."""
    if application.lease_table:
        lease = TableLease(aws.lease_client(application), application.lease_table, application.slug, time.time)
        try:
            lease.claim()
        except (AwsError, LeaseHeldError) as error:
            if SINGLE_WRITER not in asked.override:
                raise
            screen.line(f"Goes on without the lease, as --override {SINGLE_WRITER} says: {error}")
        else:
            return lease
    elif SINGLE_WRITER not in asked.override:
        raise RefusedError(
            "Nothing here can tell whether somebody else is changing this application (rule single_writer). Make sure "
            "that the panel is off or holds it, then add --override single_writer --reason '…'."
        )
    return Unshared()


def _release(lease: TableLease, screen: Screen) -> None:
    try:
        lease.release()
    except (AwsError, LeaseHeldError) as error:  # how the operation ended stands in the journal and in the exit status
        screen.line(f"The lease was not given back, it runs out by itself: {error}")


def _operation(
    application: Application,
    request: Request,
    reached: Progress | None,
    memory: Memory,
    lease: Lease,
    screen: Screen,
) -> Operation:
    state = _state(lease)
    if state.operation is not None:
        screen.line(f"Takes the place of the {state.operation.request.goal} that a controller has under way.")
    state = state.superseded()
    known = memory if memory != Memory() else state.memory
    return Operation(application, request, reached or Progress(memory=known), lease, state)


def _state(lease: Lease) -> State:
    if not isinstance(lease, TableLease):
        return State()
    try:
        return stored_state(lease.state)
    except ValueError as error:
        raise RefusedError(f"{error} Pass --before an earlier journal, with another table or none.") from error


def _teller(screen: Screen) -> Callable[[str, str], None]:
    began = time.monotonic()

    def tell(kind: str, message: str) -> None:
        seconds = time.monotonic() - began
        body = {"seconds": round(seconds, 1), "kind": kind, "message": message}
        screen.answer(f"{seconds:7.1f} s  {kind:<9} {message}", body)

    return tell


def _pursue(
    asked: argparse.Namespace, operation: Operation, adapter: Aws, journal: FileJournal, screen: Screen
) -> Decision:
    """Step until the end. The first Ctrl-C asks for a safe end, the second one leaves at once."""
    goes_on = f"What was written stands; go on with --resume {journal.path}."
    cancel = _Interrupt(f"Left at once: the last write may have taken effect or not. {goes_on}")
    probe = InCycle(operation.application, guarded_get, time.time)
    seen = Snapshot(time.time())
    while True:
        try:
            outcome = step(
                operation.application, operation.request, operation.progress,
                aws=adapter, journal=journal, lease=operation.lease, clock=time.time, cancel=cancel.reason, probe=probe,
            )  # fmt: skip
        except JournalError as error:
            raise StoppedError(f"{error} {goes_on}") from error
        decision = outcome.decision
        ended = decision.kind not in (Kind.ACT, Kind.WAIT)
        _keep(operation, outcome, screen, ended=ended)
        if ended:
            journal.ended(outcome, cancel.reason)
        if ended or asked.no_wait:
            return decision
        seen = seen.updated(outcome.snapshot)
        screen.block(f"\n{text.status(operation.application, seen, time.time())}\n  now     {decision.told}")
        time.sleep(decision.wait)


def _keep(operation: Operation, outcome: Outcome, screen: Screen, *, ended: bool) -> None:
    """Hold on to the lease, with what the next holder must know in it."""
    operation.progress = outcome.progress
    if ended:
        operation.state = operation.state.ended(operation.request, outcome, time.time())
    else:
        memory = memories.carried(operation.state.memory, outcome.progress)
        operation.state = replace(operation.state, memory=memory)
    if isinstance(operation.lease, TableLease):
        operation.lease.state = encode(operation.state)
        try:
            operation.lease.renew()
        except AwsError as error:  # nothing is written once the lease has run out; each cycle asks for it again
            screen.line(f"The lease could not be renewed: {error}")


class _Interrupt:
    def __init__(self, left: str) -> None:
        self.reason = ""
        self._left = left
        signal.signal(signal.SIGINT, self._asked)

    def _asked(self, *_: object) -> None:
        if self.reason:
            raise KeyboardInterrupt(self._left)
        self.reason = "interrupted with Ctrl-C"
