"""The only writer of operations, holds, refusals and modes. Views, tasks and commands call it; `stepping` steps on.

Everything is wrapped so that a wake-up is sent after the commit, and a lost one costs the sweep's two seconds.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

import failover.memory
from failover.codec import decode, encode
from failover.model import Goal, Memory, Mode, Progress, Split
from failover.resume import stored_progress
from failover.rules import OVERRIDABLE
from panel import dispatch, live_hints, trails
from panel.fleet.models import Application
from panel.operations.models import Hold, JournalEntry, Operation, Refusal
from panel.operations.remembering import change_memory

PANEL = "panel"  # the owner of a hold that no person placed
STEP_TASK = "operations.step"
QUIET = timedelta(minutes=1)  # a refusal unseen for this long is a new trigger when it is seen again

log = structlog.get_logger(__name__)


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A rule says no. `remedy` is what clears it."""

    def __init__(self, rule: str, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}".strip())
        self.rule, self.reason, self.remedy = rule, reason, remedy


class Invalid(Exception):  # noqa: N818 - an answer, not an error
    """A field holds what it can't."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def request_operation(
    application: Application,
    goal: str,
    *,
    trigger: str,
    reason: str,
    user: User | None = None,
    weights: tuple[int, int] | None = None,
    override: Collection[str] = (),
    tasks: int = 0,
) -> Operation:
    """Queue an operation and wake a worker. `weights` (lambda, ecs) go with set_weights, and only with it; without
    them set_weights has so many `tasks` started and leaves the weights where they are.

    Raises Invalid, or Refused where a rule forbids the start; that refusal is also recorded.
    """
    _check(goal, reason, weights, override, tasks)
    lambda_, ecs = weights or (None, None)
    operation = Operation(
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
    try:
        with transaction.atomic():
            operation.save()
            # What the log says of the request, and of everything that followed, is found by this id.
            _journal(operation, "note", _started(operation), trails.request_id())
    except IntegrityError:
        raise _refused_by_active(application, goal) from None
    wake(operation)
    return operation


def request_id_of(operation: Operation) -> str:
    """The id of the web request that asked for the operation, or that brought the event that did; empty where none."""
    first = operation.journal.first()
    return str(first.detail.get("request_id", "")) if first else ""


def wake(operation: Operation, seconds: float = 0) -> None:
    """Have a worker step `operation` in so many seconds, once this transaction is committed."""
    dispatch.wake(STEP_TASK, operation.pk, seconds)
    hint(operation.application)


def supersede_operation(
    active: Operation,
    goal: str,
    *,
    reason: str,
    user: User,
    weights: tuple[int, int] | None = None,
    override: Collection[str] = (),
) -> Operation:
    """End `active` where it stands and queue another operation in its place. Raises Refused, Invalid.

    Without a lease holder the old one stores and writes nothing more. A write that it began before may still be on its
    way, for as long as its lease was to last: the new one begins after that, and reads AWS first.
    """
    with transaction.atomic():
        old = Operation.objects.select_for_update().filter(pk=active.pk, status__in=Operation.ACTIVE).first()
        if old is None:
            raise Refused("ended", f"{active} has ended already.", "Start without superseding it.")
        reached = stored_progress(old.progress)
        application = change_memory(old.application_id, lambda memory: failover.memory.carried(memory, reached))
        _end_superseded(old, f"Superseded by {user.get_username()}: {reason}")
        operation = request_operation(
            application, goal, trigger=Operation.Trigger.MANUAL, reason=reason, user=user,
            weights=weights, override=override,
        )  # fmt: skip
        operation.next_step_at = max(timezone.now(), old.lease_until or timezone.now())
        operation.save(update_fields=["next_step_at"])
    return operation


def _end_superseded(old: Operation, message: str) -> None:
    Operation.objects.filter(pk=old.pk).update(
        status=Operation.Status.SUPERSEDED,
        error=message,
        finished_at=timezone.now(),
        next_step_at=None,
        lease_holder="",
        lease_until=None,
    )
    _journal(old, "note", message)


def _check(goal: str, reason: str, weights: tuple[int, int] | None, override: Collection[str], tasks: int = 0) -> None:
    if goal not in set(Goal):
        raise Invalid("goal", f"{goal!r} is no goal; it is one of {', '.join(Goal)}.")
    if not reason.strip():
        raise Invalid("reason", "Give a reason: whoever reads this operation later needs it.")
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
    return f"Asked for by {who}: {operation.reason}{overridden}"


def active_operation(application: Application) -> Operation | None:
    return Operation.objects.filter(application=application, status__in=Operation.ACTIVE).first()


def _refused_by_active(application: Application, goal: str) -> Refused:
    active = active_operation(application)
    named = f"{active} ({active.status})" if active else "an operation that has just ended"
    refused = Refused(
        "single_writer",
        f"{application.slug} is being changed by {named}; one operation at a time.",
        f"Wait until it ends, or cancel {active}." if active else "Ask again.",
    )
    record_refusal(application, goal, refused.rule, refused.reason, refused.remedy, counts=True)
    return refused


def record_refusal(application: Application, goal: str, rule: str, reason: str, remedy: str, *, counts: bool) -> None:
    """Keep why a trigger started nothing: one row per application, goal and rule.

    `counts` tells a trigger of its own (an event, a person) from a poll that meets the same refusal again: a poll
    counts only when the refusal had gone unseen for a minute.
    """
    now = timezone.now()
    refusal, created = Refusal.objects.get_or_create(
        application=application,
        goal=goal,
        rule=rule,
        defaults={"reason": reason, "remedy": remedy, "first_at": now, "last_at": now},
    )
    if created:
        return
    more = 1 if counts or refusal.last_at < now - QUIET else 0
    Refusal.objects.filter(pk=refusal.pk).update(reason=reason, remedy=remedy, last_at=now, count=F("count") + more)


def cancel_operation(operation: Operation, *, reason: str, user: User) -> None:
    """Ask the operation to end at a safe split. Raises Refused where it has ended, Invalid without a reason."""
    if not reason.strip():
        raise Invalid("reason", "Give a reason: whoever reads this operation later needs it.")
    message = f"Cancelled by {user.get_username()}: {reason}"
    with transaction.atomic():
        asked = Operation.objects.filter(pk=operation.pk, status__in=Operation.ACTIVE).update(
            cancel_requested=message, next_step_at=timezone.now()
        )
        if not asked:
            raise Refused("ended", f"{operation} has ended already.", "There is nothing to cancel.")
        _journal(operation, "note", message)
    wake(operation)


# ---- holds and modes ----


def place_hold(application: Application | None, *, owner: str, reason: str, minutes: int, rule: str = "") -> Hold:
    """Suspend automatic starts for one application, or for all with None. `rule` names what placed it, if no person."""
    if not reason.strip():
        raise Invalid("reason", "Give a reason: whoever meets this hold later needs it.")
    if not 1 <= minutes <= 7 * 24 * 60:
        raise Invalid("minutes", "A hold lasts from 1 minute to 7 days (10080 minutes).")
    hold = Hold.objects.create(
        application=application,
        owner=owner,
        reason=reason,
        rule=rule,
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )
    log.info("hold_placed", application=application and application.slug, owner=owner, minutes=minutes, rule=rule)
    hint(application)
    return hold


def release_hold(hold: Hold, *, by: str) -> None:
    """End a hold now. One that has ended already stays as it was."""
    Hold.objects.filter(pk=hold.pk, released_at=None).update(released_at=timezone.now(), released_by=by)
    log.info("hold_released", hold=hold.pk, by=by)
    hint(hold.application)


def release_holds_of(application: Application, rule: str, *, by: str) -> None:
    """End the holds that `rule` placed on `application`."""
    for hold in Hold.objects.filter(application=application, rule=rule, released_at=None):
        release_hold(hold, by=by)


def active_holds(application: Application) -> list[Hold]:
    """The holds that bind `application`, its own and those for all, the one that lasts longest first."""
    own_or_global = Q(application=application) | Q(application=None)
    held = Hold.objects.filter(own_or_global, released_at=None, expires_at__gt=timezone.now())
    return list(held.order_by("-expires_at"))


def active_hold(application: Application) -> Hold | None:
    return next(iter(active_holds(application)), None)


def set_mode(application: Application, mode: str, *, by: str) -> None:
    """Set what automation may do for `application`. Raises Invalid."""
    if mode not in set(Mode):
        raise Invalid("mode", f"{mode!r} is no mode; it is one of {', '.join(Mode)}.")
    Application.objects.filter(pk=application.pk).update(mode=mode, updated_at=timezone.now())
    log.info("mode_set", application=application.slug, before=application.mode, mode=mode, by=by)
    application.mode = mode
    hint(application)


def hint(application: Application | None) -> None:
    """Have the open pages of an application look again, after the commit. With None: a hold for all, nobody's page."""
    if application is not None:
        transaction.on_commit(partial(live_hints.publish, application.slug))


def _journal(operation: Operation, kind: str, message: str, detail: dict[str, Any] | None = None) -> None:
    now: datetime = timezone.now()
    JournalEntry.objects.create(operation=operation, at=now, kind=kind, message=message, detail=detail or {})
