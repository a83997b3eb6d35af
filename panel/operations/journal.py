"""The controller's journal as rows, and the lease that says who may write.

The lease is three columns of the operation's row and follows the protocol of `failover.leases`: claimed by one
compare-and-set UPDATE on its version, given back after each step, and free again one lease length after it ran out
where it was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from failover.codec import encode
from failover.leases import LEASE_SECONDS
from failover.model import Action, Decision, Kind, Progress, Snapshot
from failover.ports import AwsError, Call
from panel import live_hints
from panel.operations.models import JournalEntry, Operation

LEASE = timedelta(seconds=LEASE_SECONDS)
EARLY = timedelta(seconds=0.5)  # a wake-up may arrive a little before its time


class LeaseLostError(Exception):
    """Another worker steps this operation now; whatever this one still meant to store is void."""


def unheld(now: datetime) -> Q:
    """Operations whose lease another may take, as `failover.leases.free_in` has it.

    A superseded operation's lease binds whatever follows it in the application, also the one after its successor.
    """
    theirs = Operation.objects.filter(application=OuterRef("application"), lease_until__gt=now - LEASE)
    return Q(Q(lease_until=None) | Q(lease_until__lte=now - LEASE), ~Exists(theirs.exclude(pk=OuterRef("pk"))))


@dataclass(frozen=True)
class Lease:
    """Held until `until` (monotonic seconds), reckoned from before the claim: never longer than stored."""

    operation_id: int
    holder: str
    version: int
    until: float

    @classmethod
    def claim(cls, operation_id: int) -> Lease | None:
        """The lease of an operation that is due, or None where it is not due, has ended, or somebody was faster."""
        holder, until = uuid4().hex, time.monotonic() + LEASE_SECONDS
        now = timezone.now()
        due = Operation.objects.filter(
            unheld(now), pk=operation_id, status__in=Operation.ACTIVE, next_step_at__lte=now + EARLY
        )
        seen = due.values_list("lease_version", flat=True).first()
        claimed = seen is not None and due.filter(lease_version=seen).update(
            lease_holder=holder,
            lease_until=now + LEASE,
            lease_version=seen + 1,
            started_at=Coalesce(F("started_at"), now),
        )
        return cls(operation_id, holder, (seen or 0) + 1, until) if claimed else None

    def seconds_left(self) -> float:
        return max(0.0, self.until - time.monotonic())

    def update(self, **values: Any) -> None:
        """Change the operation's row, if this is still its holder. Raises LeaseLostError."""
        held = Operation.objects.filter(pk=self.operation_id, lease_holder=self.holder, lease_version=self.version)
        if not held.update(**values):
            raise LeaseLostError(f"The lease of operation #{self.operation_id} has passed to another worker.")

    def give_back(self, **values: Any) -> None:
        """Change the row a last time; from then on another may take the lease. Raises LeaseLostError."""
        self.update(lease_holder="", lease_until=None, **values)


class RowJournal:
    """failover.ports.Journal: every entry is committed before the controller goes on.

    `carry` is told the progress as well, for whoever may have to go on without this database.
    """

    def __init__(self, operation: Operation, lease: Lease, carry: Callable[[Progress], None] = lambda _: None) -> None:
        self._operation = operation
        self._lease = lease
        self._carry = carry
        self._headline = operation.headline

    def decided(self, decision: Decision) -> None:
        """Commit progress before AWS hears of it. Raises LeaseLostError, so that no write follows."""
        with transaction.atomic():
            self._lease.update(
                progress=encode(decision.progress),
                headline=decision.headline,
                detail=decision.detail,
                status=Operation.Status.WAITING if decision.kind is Kind.WAIT else Operation.Status.RUNNING,
            )
            if decision.headline != self._headline:
                detail = {"kind": decision.kind.value, "detail": decision.detail, "rule": decision.rule}
                self.note("decision", decision.headline, detail)
        self._carry(decision.progress)
        self._headline = decision.headline
        live_hints.publish(self._operation.application.slug)

    def called(self, call: Call) -> None:
        before = f" (was {call.before})" if call.before else ""
        self.note("call", f"{call.action}: {call.after}{before}", asdict(call))

    def failed(self, action: Action, error: AwsError) -> None:
        self.note("call", f"{action}: failed, {error}", {"error": error.kind, "remedy": error.remedy})

    def read_back(self, snapshot: Snapshot) -> None:
        routes = snapshot.routes.value.managed if snapshot.routes.value else ()
        shown = ", ".join(f"{route.label} shows {route.split or route.problem}" for route in routes)
        self.note("readback", shown or f"Routes can't be read: {snapshot.routes.problem}", {})

    def note(self, kind: str, message: str, detail: dict[str, Any]) -> None:
        JournalEntry.objects.create(
            operation=self._operation, at=timezone.now(), kind=kind, message=message, detail=detail
        )
