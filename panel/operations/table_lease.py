"""The lease in DynamoDB, where the application's TOML names a table: held beside the operation's own.

An operation holds it from its first step to its end, taken anew at each step, so that a Lambda controller or break
glass writes neither during a step nor between two. All workers of a panel are one holder: which of them writes, the
operation's own lease says. The item also carries what the next holder must know (`failover.state`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog
from django.utils.crypto import salted_hmac

from failover import memory as memories
from failover.aws.lease import LeaseHeldError, TableLease
from failover.codec import encode
from failover.model import Application, Memory, Progress, Request
from failover.ports import AwsError, Lease, Outcome
from failover.state import State, stored_state
from panel.fleet import connections

log = structlog.get_logger(__name__)


class TableLeaseError(Exception):
    """The lease can't be had now, or was lost: nothing is written without it. The message says who has it, or why."""


@dataclass
class Shared:
    """Implements `failover.ports.Lease`: what is left is what both leases have left."""

    own: Lease
    table: TableLease
    found: State

    def seconds_left(self) -> float:
        return min(self.own.seconds_left(), self.table.seconds_left())

    @property
    def replaced(self) -> str:
        """The goal of what another controller has under way, which the panel's operation takes the place of."""
        return self.found.operation.request.goal if self.found.operation else ""

    def known(self, progress: Progress) -> Progress:
        """An operation that begins knows what stood before from whoever changed the application last."""
        theirs = self.found.superseded().memory
        newer = bool(self.replaced) or theirs.left_at > progress.memory.left_at
        if progress.phase != "start" or not newer:
            return progress
        return replace(progress, memory=memories.carried(progress.memory, Progress(memory=theirs)))

    def carry(self, progress: Progress) -> None:
        """Have the item say what stood before, before AWS hears of it. Raises TableLeaseError."""
        state = self.found.superseded()
        self._store(replace(state, memory=memories.carried(state.memory, progress)))

    def _store(self, state: State) -> None:
        self.found = state
        if encode(state) == self.table.state:
            return
        self.table.state = encode(state)
        try:
            self.table.renew()
        except (LeaseHeldError, AwsError) as problem:
            raise TableLeaseError(_sentence(problem)) from problem

    def give_back(self, request: Request, outcome: Outcome, memory: Memory, now: float) -> None:
        """The operation has ended; `memory` is what the panel knows after it. What can't be given back runs out."""
        self.table.state = encode(replace(self.found.ended(request, outcome, now), memory=memory))
        _release(self.table)


def take(application: Application, own: Lease) -> Shared | None:
    """Take the lease for the next step; None where there is no table. Raises TableLeaseError."""
    if not application.lease_table:
        return None
    client = connections.lease_client(application)
    table = TableLease(client, application.lease_table, application.slug, holder=_holder())
    try:
        table.claim()
    except (LeaseHeldError, AwsError) as problem:
        raise TableLeaseError(_sentence(problem)) from problem
    try:
        return Shared(own, table, stored_state(table.state))
    except ValueError as problem:
        _release(table)  # as it was found: whoever can read it goes on
        raise TableLeaseError(str(problem)) from problem


def _holder() -> str:
    """One name for this installation, and another for every other."""
    return f"panel-{salted_hmac(__name__, 'holder').hexdigest()[:12]}"


def _release(table: TableLease) -> None:
    try:
        table.release()
    except (LeaseHeldError, AwsError) as problem:
        log.warning("table_lease_not_given_back", application=table.application, problem=str(problem))


def _sentence(problem: LeaseHeldError | AwsError) -> str:
    return f"{problem} {problem.remedy}".strip() if isinstance(problem, AwsError) else str(problem)
