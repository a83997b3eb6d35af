"""One cycle of an operation: claim it, run the controller, keep what came of it, and say when to go on."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error, transaction
from django.utils import timezone

import failover.memory
from failover import controller
from failover.automation import FOREIGN_HOLD_MINUTES
from failover.codec import decode, encode
from failover.cycle import READ_DEADLINE
from failover.model import Decision, Kind, Memory, Position, Reading
from failover.ports import Outcome
from failover.resume import stored_progress
from failover.verdict import PEOPLE_FIRST
from panel import dispatch, trails
from panel.celery import SOFT_SECONDS
from panel.fleet import connections, snapshots
from panel.fleet.applications import parsed
from panel.fleet.models import Application
from panel.operations import audited, services, table_lease, timing, told
from panel.operations.journal import Lease, LeaseLostError, RowJournal
from panel.operations.models import Operation
from panel.operations.remembering import change_memory
from panel.operations.table_lease import Shared, TableLeaseError
from panel.probing.rounds import evidence as probe
from panel.queues import CROWDED_SECONDS, STEPS_AT_ONCE_OF_AN_ACCOUNT
from panel.watch import tally

RECOVERY = "recovery_seconds"
RETRY_SECONDS = 5.0
WAITING_FOR_TABLE = "Waiting for the lease in DynamoDB"
MOST_FAILED_STEPS = 24  # two minutes of errors of ours, then the operation ends and people are needed

log = structlog.get_logger(__name__)


def step_operation(operation_id: int) -> None:
    """Step once, if the operation is due and nobody else does. Safe to call at any time, as often as one likes.

    A database error is raised: nothing was stored, the lease runs out, and the sweep comes back.
    """
    lease = _claim(operation_id)
    if lease is None:
        return
    operation = Operation.objects.select_related("application", "requested_by").filter(pk=operation_id).first()
    if operation is None:  # deleted with its application since it was claimed
        return
    with structlog.contextvars.bound_contextvars(**_trail(operation)):
        _try(operation, lease)


def _trail(operation: Operation) -> trails.Trail:
    """The ids of its log lines, also where a sweep found it: then the request that asked for it is in its journal."""
    request_id = trails.current().get("request_id") or services.request_id_of(operation)
    ids = {"operation": str(operation.pk), "application": operation.application.slug}
    return ids | ({"request_id": request_id} if request_id else {})


def _try(operation: Operation, lease: Lease) -> None:
    try:
        _step(operation, lease)
    except TableLeaseError as problem:
        _wait_for_table(operation, lease, str(problem))
    except LeaseLostError:
        log.warning("lease_lost")
        _make_way(lease)
    except Error:
        raise
    except Exception as problem:
        log.exception("step_failed")
        _stumble(operation, lease, problem)


def _claim(operation_id: int) -> Lease | None:
    """The operation's lease, unless as many of its account are being stepped as one account may: it asks again soon.

    An account that does not answer holds each step for as long as a task may take, and would hold every thread.
    """
    with transaction.atomic():
        account = Operation.objects.filter(pk=operation_id).values_list("application__account", flat=True).first()
        # Locked, so that of several workers that count at once each sees what the one before it took.
        list(Application.objects.select_for_update().filter(account=account).order_by("pk").values_list("pk")[:1])
        held = Operation.objects.filter(application__account=account, lease_until__gt=timezone.now())
        crowded = held.exclude(pk=operation_id).count() >= STEPS_AT_ONCE_OF_AN_ACCOUNT
        if not crowded:
            return Lease.claim(operation_id)
    dispatch.wake(services.STEP_TASK, operation_id, CROWDED_SECONDS)
    return None


def _make_way(lease: Lease) -> None:
    """Where this operation was superseded in the middle of a step, that step is over now, and with it its last write:
    whatever waits in its place need not wait out the lease. A worker that lost the lease before then can't say so.
    """
    ours = Operation.objects.filter(
        pk=lease.operation_id, lease_version=lease.version, status=Operation.Status.SUPERSEDED
    )
    if not ours.update(lease_until=None):
        return
    waiting = Operation.objects.filter(
        application__operations=lease.operation_id, status=Operation.Status.QUEUED
    ).select_related("application")
    for successor in waiting:
        Operation.objects.filter(pk=successor.pk, status=Operation.Status.QUEUED).update(next_step_at=timezone.now())
        services.wake(successor)


def _step(operation: Operation, lease: Lease) -> None:
    shared = table_lease.take(parsed(operation.document, operation.application.slug), lease)
    outcome = _cycle(operation, lease, shared)
    _keep(operation, lease, outcome)
    log.info("stepped", goal=operation.goal, decision=outcome.decision.kind, headline=outcome.decision.headline)
    if shared and outcome.decision.kind not in (Kind.ACT, Kind.WAIT):
        memory = decode(Memory, Application.objects.values_list("memory", flat=True).get(pk=operation.application_id))
        shared.give_back(services.request_of(operation), outcome, memory, time.time())


def _cycle(operation: Operation, lease: Lease, shared: Shared | None) -> Outcome:
    application = parsed(operation.document, operation.application.slug)
    progress = stored_progress(operation.progress)
    journal = RowJournal(operation, lease, shared.carry) if shared else RowJournal(operation, lease)
    if shared and shared.replaced:
        journal.note("note", f"Takes the place of the {shared.replaced} that a controller beside it has under way.", {})
    outcome = controller.step(
        application,
        services.request_of(operation),
        shared.known(progress) if shared else progress,
        aws=connections.connect(application),
        journal=journal,
        lease=shared or lease,
        clock=time.time,
        cancel=operation.cancel_requested,
        kill_switch=services.kill_switch_is_on,
        probe=lambda: probe(operation),
    )
    # Probes belong to their operation: what comes after it is not judged by them.
    snapshots.store(operation.application, replace(outcome.snapshot, probes=Reading()))
    return outcome


def _keep(operation: Operation, lease: Lease, outcome: Outcome) -> None:
    decision = outcome.decision
    if decision.kind in (Kind.ACT, Kind.WAIT):
        _go_on(operation, lease, decision.wait, failed_steps=0)
        return
    with transaction.atomic():
        # The application's row before the operation's, as whoever starts one locks them: none waits for the other.
        if decision.kind is not Kind.REFUSE:
            _remember(operation, outcome)
        _end(operation, lease, decision)
        if decision.kind is not Kind.REFUSE:
            _hold(operation, outcome)
        told.ended(operation, _status(operation, decision), decision)
        audited.ended(operation, _status(operation, decision), decision)
    _measure(operation, decision)
    services.hint(operation.application)


def _measure(operation: Operation, decision: Decision) -> None:
    if decision.kind is Kind.DONE:
        operation.progress = encode(decision.progress)
        for part, seconds in timing.parts(operation).items():
            tally.measure(RECOVERY, seconds, goal=operation.goal, part=part)


def _go_on(operation: Operation, lease: Lease, seconds: float, **values: object) -> None:
    at = timezone.now() + timedelta(seconds=seconds)
    with transaction.atomic():
        lease.give_back(next_step_at=at, **values)
        services.wake(operation, seconds)


def _end(operation: Operation, lease: Lease, decision: Decision) -> None:
    lease.give_back(
        status=_status(operation, decision),
        rule=decision.rule,
        error="" if decision.kind is Kind.DONE else decision.sentences,
        headline=decision.headline,
        detail=decision.detail,
        progress=encode(decision.progress),
        finished_at=timezone.now(),
        next_step_at=None,
    )


def _status(operation: Operation, decision: Decision) -> Operation.Status:
    if decision.kind is Kind.DONE:
        return Operation.Status.SUCCEEDED
    if operation.cancel_requested and not decision.rule:
        return Operation.Status.CANCELLED
    return Operation.Status.FAILED


def _remember(operation: Operation, outcome: Outcome) -> None:
    request, now = services.request_of(operation), timezone.now().timestamp()
    change_memory(operation.application_id, lambda memory: failover.memory.after(memory, request, outcome, now))


def _hold(operation: Operation, outcome: Outcome) -> None:
    """Who moved traffic by hand, or found it moved, is not overruled by automation: the rule people_first.

    A foreign change or a cancellation asks for a person's look, an hour's worth. A manual failover, or a split set by
    hand, is an on-call shift's decision: 8 hours. A manual failback asks for the normal state, and ends such a hold.
    """
    application, decision = operation.application, outcome.decision
    if decision.rule == "foreign_change":
        _place(
            application, services.PANEL, f"{decision.headline}: {decision.detail}", FOREIGN_HOLD_MINUTES, decision.rule
        )
    elif operation.cancel_requested and operation.trigger == Operation.Trigger.DRILL:
        return  # nobody has decided where traffic belongs: automation brings home what a drill leaves on ECS
    elif operation.cancel_requested:
        _place(application, services.PANEL, operation.cancel_requested, 60, PEOPLE_FIRST)
    elif not operation.automatic and decision.kind is Kind.DONE:
        services.release_holds_of(application, PEOPLE_FIRST, by=services.PANEL)
        if outcome.snapshot.position is not Position.LAMBDA:
            owner = operation.requested_by.get_username() if operation.requested_by else services.PANEL
            _place(application, owner, f"People first: {operation}, {operation.reason}", 8 * 60, PEOPLE_FIRST)


def _place(application: Application, owner: str, reason: str, minutes: int, rule: str) -> None:
    services.place_hold(application, owner=owner, reason=reason, minutes=minutes, rule=rule)


def _wait_for_table(operation: Operation, lease: Lease, problem: str) -> None:
    """Another controller acts on the application, or DynamoDB does not answer: nothing is written meanwhile."""
    policy = parsed(operation.document, operation.application.slug).policy
    tries = operation.failed_steps + 1
    over = tries * RETRY_SECONDS > READ_DEADLINE + policy.scale_deadline_seconds
    try:
        if over or operation.cancel_requested:
            _end_without_table(operation, lease, problem)
            return
        if operation.headline != WAITING_FOR_TABLE:
            RowJournal(operation, lease).note("decision", WAITING_FOR_TABLE, {"detail": problem})
        waiting = {"headline": WAITING_FOR_TABLE, "detail": problem, "status": Operation.Status.WAITING}
        _go_on(operation, lease, RETRY_SECONDS, failed_steps=tries, **waiting)
    except LeaseLostError:
        log.warning("lease_lost", operation=operation.pk)


def _end_without_table(operation: Operation, lease: Lease, problem: str) -> None:
    progress = stored_progress(operation.progress)
    remedy = "See that nothing else acts on the application; without a Lambda controller it needs no lease_table."
    rule = "" if operation.cancel_requested else "single_writer"
    ended = Decision(Kind.STOP, WAITING_FOR_TABLE, progress, problem, rule=rule, remedy=remedy)
    with transaction.atomic():
        _end(operation, lease, ended)
        if progress.mark("shifting"):
            _forget_what_was_left(operation.application)
            _place(operation.application, services.PANEL, f"{operation} ended without the lease", 60, "")
        told.ended(operation, _status(operation, ended), ended)
        audited.ended(operation, _status(operation, ended), ended)
    services.hint(operation.application)


def _stumble(operation: Operation, lease: Lease, problem: Exception) -> None:
    """An error of ours, not AWS's. Try again for a while; then end where traffic stands, and hold automation off."""
    said = _said(problem)
    failed_steps = operation.failed_steps + 1
    if failed_steps <= MOST_FAILED_STEPS and not operation.cancel_requested:
        _go_on(operation, lease, RETRY_SECONDS, failed_steps=failed_steps, detail=said)
        return
    remedy = "Traffic stays as it was last written: look at the application's page, and at the log for this operation."
    ended = Decision(Kind.STOP, said, stored_progress(operation.progress), remedy=remedy)
    with transaction.atomic():
        _forget_what_was_left(operation.application)
        _end(operation, lease, ended)
        _place(operation.application, services.PANEL, f"{operation} ended on an internal error", 60, "")
        told.ended(operation, _status(operation, ended), ended)
        audited.ended(operation, _status(operation, ended), ended)


def _said(problem: Exception) -> str:
    if isinstance(problem, SoftTimeLimitExceeded):
        return f"AWS or the database did not answer within the {SOFT_SECONDS} s that a step may take"
    return f"An internal error: {type(problem).__name__}: {problem}"


def _forget_what_was_left(application: Application) -> None:
    """What this operation wrote last is not known here: it must not look like somebody else's change later."""
    change_memory(application.pk, lambda memory: replace(memory, left=()))
