"""The only writer of drills: started, aborted, ended, and refused with the rule that says no."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from failover.codec import decode
from failover.model import Memory
from panel import audit, dispatch
from panel.audit import PANEL, Action, Outcome
from panel.drills import preconditions
from panel.drills.models import Drill, Kind
from panel.fleet import snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.notify.outbox import tell
from panel.operations import automatic
from panel.operations.answers import Invalid, Refused, require_reason
from panel.operations.hints import hint
from panel.operations.refusals import record_refusal, recording_refusals

ADVANCE_TASK = "drills.advance"
ABORTED = "Aborted by"
STALE_FLOOR = 60.0  # seconds

log = structlog.get_logger(__name__)


def start_drill(
    application: Application,
    kind: str,
    *,
    reason: str,
    user: User | None = None,
    due_at: datetime | None = None,
    idempotency_key: str = "",
) -> Drill:
    """Ask for a drill: it begins within seconds, unless an alarm that blocks drills is on. `due_at` is its schedule's.

    A requester's `idempotency_key` that came before answers with the drill that it led to. Raises Invalid, or Refused
    where a rule forbids the start; that refusal is also recorded.
    """
    if kind not in set(Kind):
        raise Invalid("kind", f"{kind!r} is no kind; it is one of {', '.join(Kind)}.")
    require_reason(reason, whoever="whoever reads this drill later")
    earlier = replayed(user, idempotency_key)
    if earlier is not None:
        return _same_request(earlier, application, kind, reason)
    with recording_refusals(application, preconditions.GOALS[Kind(kind)]):
        refused = against(application, Kind(kind))
        if refused:
            raise refused
        return _asked(_drill(application, Kind(kind), reason, user, due_at, idempotency_key))


def against(application: Application, kind: Kind) -> Refused | None:
    """What keeps a drill from starting now, as far as the panel knows without asking AWS."""
    running = active_drill(application)
    if running:
        return _running(running)
    snapshot, memory = snapshots.latest(application), decode(Memory, application.memory)
    people, now = automatic.situation(application), timezone.now().timestamp()
    stale = max(STALE_FLOOR, 3 * settings.PANEL_OBSERVE_SECONDS)
    return preconditions.against(kind, configuration(application), snapshot, memory, people, now, stale)


def active_drill(application: Application) -> Drill | None:
    return Drill.objects.filter(application=application, state__in=Drill.ACTIVE).first()


def replayed(user: User | None, idempotency_key: str) -> Drill | None:
    """The drill that this requester's key led to before."""
    if not idempotency_key:
        return None
    return Drill.objects.filter(requested_by=user, idempotency_key=idempotency_key).first()


def _same_request(earlier: Drill, application: Application, kind: str, reason: str) -> Drill:
    if (earlier.application_id, earlier.kind, earlier.reason) != (application.pk, kind, reason):
        said = f"This key has already led to {earlier}, by another request; give each request a key of its own."
        raise Invalid("idempotency_key", said)
    return earlier


def _drill(
    application: Application, kind: Kind, reason: str, user: User | None, due_at: datetime | None, key: str = ""
) -> Drill:
    drills = configuration(application).drills
    return Drill(
        application=application,
        kind=kind,
        due_at=due_at,
        requested_by=user,
        reason=reason,
        idempotency_key=key,
        target_seconds=drills.target_seconds,
        stay_seconds=0 if kind is Kind.REHEARSAL else drills.stay_seconds,
    )


def _asked(drill: Drill) -> Drill:
    """Raises Refused where another one was faster."""
    try:
        with transaction.atomic():
            drill.save()
            _record(Action.DRILL_START, drill, reason=drill.reason, actor=_actor(drill))
    except IntegrityError:
        earlier = replayed(drill.requested_by, drill.idempotency_key)
        if earlier is not None:
            return _same_request(earlier, drill.application, drill.kind, drill.reason)
        running = active_drill(drill.application)
        if running is None:
            raise
        raise _running(running) from None
    wake(drill)
    return drill


def _running(drill: Drill) -> Refused:
    return Refused("single_writer", f"{drill} is under way.", "Wait until it ends, or abort it.")


def abort_drill(drill: Drill, *, reason: str, user: User) -> None:
    """Ask for traffic to be brought home now. Raises Refused where the drill has ended, Invalid without a reason."""
    require_reason(reason, whoever="whoever reads this drill later")
    said = f"{ABORTED} {user.get_username()}: {reason}"
    with transaction.atomic():
        asked = Drill.objects.filter(pk=drill.pk, state__in=Drill.ACTIVE, abort_requested="")
        if not asked.update(abort_requested=said):
            again = Drill.objects.filter(pk=drill.pk, state__in=Drill.ACTIVE).exists()
            reason = f"{drill} is being aborted already." if again else f"{drill} has ended already."
            raise Refused("ended", reason, "There is nothing to abort.")
        _record(Action.DRILL_ABORT, drill, reason=reason, actor=user.get_username())
    wake(drill)


def wake(drill: Drill) -> None:
    dispatch.wake(ADVANCE_TASK, drill.pk)
    hint(drill.application)


# ---- what came of it: called within a transaction that has the drill's row ----


def end(drill: Drill, outcome: str, told: str, rule: str = "") -> None:
    drill.state, drill.outcome, drill.told, drill.rule = Drill.State.ENDED, outcome, told, rule
    drill.finished_at = timezone.now()
    drill.save()
    _tell(drill)
    _ended(drill, Outcome.DONE, {"outcome": outcome, **({"rule": rule} if rule else {})})


def not_started(drill: Drill, rule: str, reason: str, remedy: str) -> None:
    drill.state, drill.rule, drill.told, drill.remedy = Drill.State.NOT_STARTED, rule, reason, remedy
    drill.finished_at = timezone.now()
    drill.save()
    goal = preconditions.GOALS[Kind(drill.kind)]
    record_refusal(drill.application, goal, rule, f"{drill}: {reason}", remedy, counts=True)
    _ended(drill, Outcome.REFUSED, {"rule": rule})


def skip(application: Application, kind: Kind, due_at: datetime, refused: Refused, reason: str) -> None:
    """Record that one was due and was not started."""
    drill = _drill(application, kind, reason, None, due_at)
    not_started(drill, refused.rule, refused.reason, refused.remedy)


def _ended(drill: Drill, outcome: Outcome, after: dict[str, Any]) -> None:
    log.info("drill_ended", drill=drill.pk, application=drill.application.slug, state=drill.state, **after)
    _record(Action.DRILL_END, drill, reason=drill.told, actor=PANEL, outcome=outcome, after=after)
    hint(drill.application)


def _tell(drill: Drill) -> None:
    """One that was not started is told as the refusal that it is."""
    failed = drill.rehearses and drill.outcome in (Drill.Outcome.FAILED, Drill.Outcome.NOT_ENOUGH_CAPACITY)
    measured = (
        f" Users would have been served by ECS after {drill.recovery:.0f} s." if drill.recovery is not None else ""
    )
    tell(
        "rehearsal.failed" if failed else "drill.result",
        drill.application,
        subject=f"{drill} {drill.get_outcome_display()}",
        what=f"{drill.told}{measured}".strip() or f"{drill} is over.",
        by=_actor(drill),
        why=drill.reason,
        row=drill.pk,
        key=f"drill:{drill.pk}:ended",
    )


def _actor(drill: Drill) -> str:
    return drill.requested_by.get_username() if drill.requested_by else PANEL


def _record(
    action: Action,
    drill: Drill,
    *,
    reason: str,
    actor: str,
    outcome: Outcome = Outcome.DONE,
    after: dict[str, Any] | None = None,
) -> None:
    slug = drill.application.slug
    audit.record(action, application=slug, subject=str(drill), reason=reason, actor=actor, outcome=outcome, after=after)
