"""What keeps automation back, set and lifted by people: holds, modes, the kill switch, failures not looked at yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from failover.model import Mode
from panel.fleet.models import Application
from panel.operations import audited, told
from panel.operations.answers import Invalid, Refused, require_reason
from panel.operations.hints import hint
from panel.operations.models import Acknowledgement, Hold, JournalEntry, KillSwitch, ModeChange, Operation

log = structlog.get_logger(__name__)


# ---- holds ----


@transaction.atomic
def place_hold(application: Application | None, *, owner: str, reason: str, minutes: int, rule: str = "") -> Hold:
    """Suspend automatic starts for one application, or for all with None. `rule` names what placed it, if no person."""
    require_reason(reason, whoever="whoever meets this hold later")
    if not 1 <= minutes <= 7 * 24 * 60:
        raise Invalid("minutes", "A hold lasts from 1 minute to 7 days (10080 minutes).")
    hold = Hold.objects.create(
        application=application,
        owner=owner,
        reason=reason,
        rule=rule,
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )
    told.placed(hold)
    audited.placed(hold)
    log.info("hold_placed", application=application and application.slug, owner=owner, minutes=minutes, rule=rule)
    hint(application)
    return hold


@transaction.atomic
def release_hold(hold: Hold, *, by: str) -> None:
    """End a hold now. One that has ended already stays as it was."""
    if Hold.objects.filter(pk=hold.pk, released_at=None).update(released_at=timezone.now(), released_by=by):
        told.released(hold, by)
        audited.released(hold, by)
    log.info("hold_released", hold=hold.pk, by=by)
    hint(hold.application)


@transaction.atomic
def release_holds_of(application: Application, rule: str, *, by: str) -> None:
    """End the holds that `rule` placed on `application`.

    All rows are locked before the first is recorded: whoever releases one of them locks it before the audit trail, too.
    """
    held = Hold.objects.select_for_update().filter(application=application, rule=rule, released_at=None)
    found = list(held.order_by("pk"))
    Hold.objects.filter(pk__in=[hold.pk for hold in found]).update(released_at=timezone.now(), released_by=by)
    for hold in found:
        told.released(hold, by)
    for hold in found:
        audited.released(hold, by)
        log.info("hold_released", hold=hold.pk, by=by)
    hint(application)


def expire_holds() -> None:
    """Record that holds have run out. They bound nothing any more: `active_holds` looks at the clock itself."""
    over = Hold.objects.filter(released_at=None, expires_at__lte=timezone.now()).select_related("application")
    for hold in over:
        if _expired(hold):
            log.info("hold_expired", hold=hold.pk, application=hold.application and hold.application.slug)
            hint(hold.application)


@transaction.atomic
def _expired(hold: Hold) -> bool:
    """Whether it was for us to record that."""
    ended = Hold.objects.filter(pk=hold.pk, released_at=None)
    if not ended.update(released_at=F("expires_at"), released_by=Hold.TIME):
        return False
    told.released(hold, Hold.TIME)
    return True


def active_holds(applications: Collection[int]) -> list[Hold]:
    """The holds that bind the applications with these ids, those for all too, the one that lasts longest first."""
    own_or_global = Q(application__in=applications) | Q(application=None)
    held = Hold.objects.filter(own_or_global, released_at=None, expires_at__gt=timezone.now())
    return list(held.order_by("-expires_at"))


def active_hold(application: Application) -> Hold | None:
    return next(iter(active_holds([application.pk])), None)


# ---- modes ----


def set_mode(application: Application, mode: str, *, by: str, reason: str) -> None:
    """Set what automation may do for `application`. Raises Invalid."""
    if mode not in set(Mode):
        raise Invalid("mode", f"{mode!r} is no mode; it is one of {', '.join(Mode)}.")
    require_reason(reason, whoever="whoever wonders later why automation is as it is")
    with transaction.atomic():
        row = Application.objects.select_for_update().get(pk=application.pk)
        ModeChange.objects.create(application=row, before=row.mode, mode=mode, by=by, reason=reason, at=timezone.now())
        Application.objects.filter(pk=row.pk).update(mode=mode, updated_at=timezone.now())
        audited.mode(row, mode, by, reason)
    log.info("mode_set", application=row.slug, before=row.mode, mode=mode, by=by)
    application.mode = mode
    hint(application)


# ---- the kill switch ----


def set_kill_switch(*, on: bool, by: str, reason: str) -> KillSwitch:
    """For all applications: nothing starts by itself, and automatic operations stop before their next write."""
    require_reason(reason, whoever="whoever meets the kill switch later")
    with transaction.atomic():
        before = kill_switch_is_on()
        switch, _ = KillSwitch.objects.update_or_create(
            pk=KillSwitch.ROW, defaults={"on": on, "by": by, "reason": reason, "at": timezone.now()}
        )
        told.kill_switch(on=on, by=by, reason=reason)
        audited.kill_switch(before=before, on=on, by=by, reason=reason)
    log.warning("kill_switch_set", on=on, by=by)
    hint(None)
    return switch


def kill_switch() -> KillSwitch | None:
    """The kill switch while it is on. Read anew each time; what the database raises is for the caller to fear."""
    return KillSwitch.objects.filter(pk=KillSwitch.ROW, on=True).first()


def kill_switch_is_on() -> bool:
    return kill_switch() is not None


# ---- failures ----


def acknowledge(application: Application, *, by: str, comment: str) -> Acknowledgement:
    """Say that a person has looked at the last failure, so that automation may go on. Raises Refused, Invalid."""
    require_reason(comment, whoever="the next one on call", field="comment")
    failed = unacknowledged_failure(application)
    if failed is None:
        raise _nothing_to_acknowledge(application)
    try:
        with transaction.atomic():
            found = Acknowledgement.objects.create(operation=failed, by=by, comment=comment, at=timezone.now())
            JournalEntry.objects.create(
                operation=failed, at=found.at, kind="note", message=f"Acknowledged by {by}: {comment}"
            )
            audited.acknowledged(failed, by=by, comment=comment)
    except IntegrityError:
        raise _nothing_to_acknowledge(application) from None
    log.info("failure_acknowledged", application=application.slug, operation=failed.pk, by=by)
    hint(application)
    return found


def _nothing_to_acknowledge(application: Application) -> Refused:
    return Refused(
        "acknowledged",
        f"No failure of {application.slug} waits for a person's look.",
        "It was acknowledged, or a later operation went well: nothing is left to do.",
    )


def last_acknowledgement(application: Application) -> Acknowledgement | None:
    return Acknowledgement.objects.filter(operation__application=application).first()


def unacknowledged_failure(application: Application) -> Operation | None:
    """The latest failure that no person has looked at: of each goal's newest operations, those that failed."""
    newest = (Operation.objects.filter(application=application, goal=goal).first() for goal in Operation.Goal)
    known = last_acknowledgement(application)
    failed = [
        each
        for each in newest
        if each is not None and each.status == Operation.Status.FAILED and each.finished_at is not None
        and (known is None or known.at < each.finished_at)
    ]  # fmt: skip
    return max(failed, key=lambda each: each.finished_at or each.created_at, default=None)
