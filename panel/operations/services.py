"""The only writer of operations, holds, refusals and modes. Views, tasks and commands call it; `stepping` steps on.

Everything is wrapped so that a wake-up is sent after the commit, and a lost one costs the sweep's two seconds. What
keeps automation back is in `brakes`, and is called from here as well.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

import failover.memory
from failover.codec import decode, encode
from failover.leases import free_in
from failover.model import Goal, Memory, Progress, Request, Split
from failover.resume import stored_progress
from failover.rules import OVERRIDABLE
from panel import dispatch, trails
from panel.audit import Action
from panel.fleet.models import Application
from panel.operations import audited, told
from panel.operations.answers import Invalid, Refused, require_reason
from panel.operations.brakes import (
    acknowledge,
    active_hold,
    expire_holds,
    kill_switch,
    kill_switch_is_on,
    place_hold,
    release_hold,
    release_holds_of,
    set_kill_switch,
    set_mode,
    unacknowledged_failure,
)
from panel.operations.hints import hint
from panel.operations.models import JournalEntry, Operation
from panel.operations.planning import require_unchanged
from panel.operations.refusals import record_refusal, recording_refusals
from panel.operations.remembering import change_memory

PANEL = "panel"  # the owner of a hold that no person placed
STEP_TASK = "operations.step"

__all__ = [
    "PANEL", "STEP_TASK", "Invalid", "Refused",
    "acknowledge", "active_hold", "active_operation", "cancel_operation", "expire_holds", "hint",
    "kill_switch", "kill_switch_is_on", "place_hold", "record_refusal", "release_hold",
    "release_holds_of", "replayed", "request_of", "request_operation", "retry_operation", "set_kill_switch", "set_mode",
    "supersede_operation", "unacknowledged_failure", "wake",
]  # fmt: skip


def request_operation(  # noqa: PLR0913 - what a person, a script or automation may ask for, by keyword
    application: Application,
    goal: str,
    *,
    trigger: str,
    reason: str,
    user: User | None = None,
    weights: tuple[int, int] | None = None,
    override: Collection[str] = (),
    tasks: int = 0,
    idempotency_key: str = "",
    digest: str = "",
    retry_of: Operation | None = None,
) -> Operation:
    """Queue an operation and wake a worker. `weights` (lambda, ecs) go with set_weights, and only with it; without
    them set_weights has so many `tasks` started and leaves the weights where they are.

    A requester's `idempotency_key` that came before answers with the operation that it led to. `digest` is that of the
    plan that was approved (failover.plan): what AWS shows now must still lead to it.

    Raises Invalid, or Refused where a rule forbids the start; that refusal is also recorded.
    """
    _check(goal, reason, weights, override, tasks)
    operation = _operation(application, goal, trigger, reason, user, weights, override, tasks)
    operation.idempotency_key, operation.retry_of = idempotency_key, retry_of
    earlier = replayed(user, idempotency_key)
    if earlier is not None:
        return _same_request(earlier, operation)
    with recording_refusals(application, goal):
        return _queued(operation, digest)


def _operation(
    application: Application,
    goal: str,
    trigger: str,
    reason: str,
    user: User | None,
    weights: tuple[int, int] | None,
    override: Collection[str],
    tasks: int = 0,
) -> Operation:
    lambda_, ecs = weights or (None, None)
    return Operation(
        application=application,
        goal=goal,
        weight_lambda=lambda_,
        weight_ecs=ecs,
        trigger=trigger,
        requested_by=user,
        reason=reason,
        override=sorted(override),
        document=application.document,
        progress=encode(Progress(memory=decode(Memory, application.memory), wanted=tasks)),
        next_step_at=timezone.now(),
    )


def _queued(operation: Operation, digest: str = "") -> Operation:
    """Store the operation and have it stepped when it is due. Raises Refused."""
    application = operation.application
    try:
        with transaction.atomic():
            if operation.automatic and kill_switch_is_on():
                raise Refused("kill_switch", "The kill switch is on.", "Turn the kill switch off, or act by hand.")
            operation.save()
            if Application.every.filter(pk=application.pk, retired_at__isnull=False).exists():  # read after the insert
                raise Refused("retired", f"{application.slug} is retired.", "Bring it back first, under Settings.")
            if digest:
                require_unchanged(application, request_of(operation), digest)
            # What the log says of the request, and of everything that followed, is found by this id.
            _journal(operation, "note", _started(operation), trails.request_id())
            told.started(operation)
            audited.operation(Action.OPERATION_START, operation, reason=operation.reason, user=operation.requested_by)
    except IntegrityError:
        earlier = replayed(operation.requested_by, operation.idempotency_key)
        if earlier is not None:
            return _same_request(earlier, operation)
        raise _refused_by_active(application) from None
    due_at = operation.next_step_at or timezone.now()
    wake(operation, max(0.0, (due_at - timezone.now()).total_seconds()))
    return operation


def request_id_of(operation: Operation) -> str:
    """The id of the web request that asked for the operation, or that brought the event that did; empty where none."""
    first = operation.journal.first()
    return str(first.detail.get("request_id", "")) if first else ""


def request_of(operation: Operation) -> Request:
    """What the operation was asked for, as the controller takes it."""
    lambda_, ecs = operation.weight_lambda, operation.weight_ecs
    return Request(
        Goal(operation.goal),
        None if lambda_ is None or ecs is None else Split(lambda_, ecs),
        automatic=operation.automatic,
        override=frozenset(operation.override),
        rehearses=operation.prepares and operation.trigger == Operation.Trigger.DRILL,
    )


def replayed(user: User | None, idempotency_key: str) -> Operation | None:
    """The operation that this requester's key led to before."""
    if not idempotency_key:
        return None
    return Operation.objects.filter(requested_by=user, idempotency_key=idempotency_key).first()


def _same_request(earlier: Operation, asked: Operation) -> Operation:
    for field in (
        "application_id",
        "goal",
        "weight_lambda",
        "weight_ecs",
        "override",
        "reason",
        "supersedes_id",
        "retry_of_id",
    ):
        if getattr(earlier, field) != getattr(asked, field):
            raise Invalid(
                "idempotency_key",
                f"This key has already led to {earlier}, by another request; give each request a key of its own.",
            )
    return earlier


def wake(operation: Operation, seconds: float = 0) -> None:
    """Have a worker step `operation` in so many seconds, once this transaction is committed."""
    dispatch.wake(STEP_TASK, operation.pk, seconds)
    hint(operation.application)


def retry_operation(
    operation: Operation,
    *,
    reason: str,
    user: User | None,
    trigger: str = Operation.Trigger.MANUAL,
    idempotency_key: str = "",
) -> Operation:
    """Ask once more for what an operation that failed or was cancelled was after. Raises Refused, Invalid.

    Its overrides are not repeated: they were given for what AWS showed then.
    """
    if operation.status not in (Operation.Status.FAILED, Operation.Status.CANCELLED):
        raise Refused(
            "retry",
            f"{operation} is {operation.status}; what can be tried again has failed or was cancelled.",
            "Start a new operation on the application's page.",
        )
    lambda_, ecs = operation.weight_lambda, operation.weight_ecs
    return request_operation(
        operation.application,
        operation.goal,
        trigger=trigger,
        reason=reason,
        user=user,
        weights=None if lambda_ is None or ecs is None else (lambda_, ecs),
        tasks=stored_progress(operation.progress).wanted if operation.prepares else 0,
        idempotency_key=idempotency_key,
        retry_of=operation,
    )


def supersede_operation(  # noqa: PLR0913 - as request_operation
    active: Operation,
    goal: str,
    *,
    reason: str,
    user: User,
    weights: tuple[int, int] | None = None,
    override: Collection[str] = (),
    trigger: str = Operation.Trigger.MANUAL,
    idempotency_key: str = "",
    digest: str = "",
) -> Operation:
    """End `active` where it stands and queue another operation in its place. Raises Refused, Invalid.

    `idempotency_key` and `digest` as in `request_operation`.

    Without a lease holder the old one stores and writes nothing more. A write that it began before may still be on its
    way: where its lease was held, the new one begins a lease length after that has run out (`failover.leases`), or as
    soon as the old one's worker has noticed (`stepping`), and reads AWS first.
    """
    _check(goal, reason, weights, override)
    earlier = replayed(user, idempotency_key)
    if earlier is not None:
        asked = _operation(active.application, goal, trigger, reason, user, weights, override)
        asked.supersedes = active
        return _same_request(earlier, asked)
    with recording_refusals(active.application, goal), transaction.atomic():
        old = Operation.objects.select_for_update().filter(pk=active.pk, status__in=Operation.ACTIVE).first()
        if old is None:
            raise Refused("ended", f"{active} has ended already.", "Start without superseding it.")
        reached = stored_progress(old.progress)
        application = change_memory(old.application_id, lambda memory: failover.memory.carried(memory, reached))
        _end_superseded(old, f"Superseded by {user.get_username()}: {reason}")
        operation = _operation(application, goal, trigger, reason, user, weights, override)
        operation.supersedes, operation.idempotency_key = old, idempotency_key
        now = timezone.now()
        operation.next_step_at = now + timedelta(seconds=free_in(_held_until(application), now.timestamp()))
        told.superseded(old, by=user.get_username(), reason=reason)
        started = _queued(operation, digest)
        audited.operation(Action.OPERATION_SUPERSEDE, old, reason=reason, user=user)
        return started


def _held_until(application: Application) -> float | None:
    """When the last lease runs out that a worker may still hold here; None where all were given back."""
    last: datetime | None = Operation.objects.filter(application=application).aggregate(last=Max("lease_until"))["last"]
    return last.timestamp() if last else None


def _end_superseded(old: Operation, message: str) -> None:
    """Nobody holds it any more; how long somebody may still be writing stays in `lease_until`."""
    Operation.objects.filter(pk=old.pk).update(
        status=Operation.Status.SUPERSEDED,
        error=message,
        finished_at=timezone.now(),
        next_step_at=None,
        lease_holder="",
    )
    _journal(old, "note", message)


def _check(goal: str, reason: str, weights: tuple[int, int] | None, override: Collection[str], tasks: int = 0) -> None:
    if goal not in set(Goal):
        raise Invalid("goal", f"{goal!r} is no goal; it is one of {', '.join(Goal)}.")
    require_reason(reason, whoever="whoever reads this operation later")
    if (weights is not None or tasks > 0) != (goal == Goal.SET_WEIGHTS):
        raise Invalid("weights", "Give both weights with set_weights, and none with another goal.")
    for rule in sorted(set(override) - OVERRIDABLE):
        raise Invalid("override", f"{rule} can't be overridden; these can: {', '.join(sorted(OVERRIDABLE))}.")
    if weights is not None:
        try:
            Split(*weights)
        except ValueError as problem:
            raise Invalid("weights", str(problem)) from None


def _started(operation: Operation) -> str:
    who = operation.requested_by.get_username() if operation.requested_by else "the panel"
    overridden = f" Overrides: {', '.join(operation.override)}." if operation.override else ""
    again = f" Tries {operation.retry_of} again." if operation.retry_of else ""
    instead = f" In place of {operation.supersedes}." if operation.supersedes else ""
    return f"Asked for by {who}: {operation.reason}{overridden}{again}{instead}"


def active_operation(application: Application) -> Operation | None:
    return Operation.objects.filter(application=application, status__in=Operation.ACTIVE).first()


def _refused_by_active(application: Application) -> Refused:
    active = active_operation(application)
    named = f"{active} ({active.status})" if active else "an operation that has just ended"
    return Refused(
        "single_writer",
        f"{application.slug} is being changed by {named}; one operation at a time.",
        f"Wait until it ends, or cancel {active}." if active else "Ask again.",
    )


def cancel_operation(operation: Operation, *, reason: str, user: User) -> None:
    """Ask the operation to end at a safe split. Raises Refused where it has ended, Invalid without a reason.

    Asked again by the same person for the same reason, a second click, it asks nothing more.
    """
    require_reason(reason, whoever="whoever reads this operation later")
    message = f"Cancelled by {user.get_username()}: {reason}"
    with transaction.atomic():
        active = Operation.objects.filter(pk=operation.pk, status__in=Operation.ACTIVE)
        if active.filter(cancel_requested=message).exists():
            return
        asked = active.update(cancel_requested=message, next_step_at=timezone.now())
        if not asked:
            raise Refused("ended", f"{operation} has ended already.", "There is nothing to cancel.")
        _journal(operation, "note", message)
        audited.operation(Action.OPERATION_CANCEL, operation, reason=reason, user=user)
    wake(operation)


def _journal(operation: Operation, kind: str, message: str, detail: dict[str, Any] | None = None) -> None:
    now: datetime = timezone.now()
    JournalEntry.objects.create(operation=operation, at=now, kind=kind, message=message, detail=detail or {})
