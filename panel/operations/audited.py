"""What the audit trail says of operations, holds and modes. Each is called last in the transaction that it tells of."""

from __future__ import annotations

from django.contrib.auth.models import User

from failover.model import Decision, Kind
from panel import audit
from panel.audit import PANEL, Action, Outcome
from panel.fleet.models import Application
from panel.operations.models import Hold, Operation


def operation(action: Action, operation: Operation, *, reason: str, user: User | None) -> None:
    weights = {"lambda": operation.weight_lambda, "ecs": operation.weight_ecs}
    asked = {"goal": operation.goal, "weights": weights if operation.weight_ecs is not None else None}
    asked["override"] = operation.override
    audit.record(
        action,
        application=operation.application.slug,
        subject=str(operation),
        after={name: value for name, value in asked.items() if value},
        reason=reason,
        actor=user.get_username() if user else PANEL,
    )


def ended(operation: Operation, status: str, decision: Decision) -> None:
    """An operation ends by the panel's hand, whoever asked for it."""
    audit.record(
        Action.OPERATION_END,
        outcome=Outcome.REFUSED if decision.kind is Kind.REFUSE else Outcome.DONE,
        application=operation.application.slug,
        subject=str(operation),
        after={"status": status} | ({"rule": decision.rule} if decision.rule else {}),
        reason=decision.sentences,
        actor=PANEL,
    )


def imported(operation: Operation) -> None:
    """An operation of the command line, whose record came here later."""
    slug, subject = operation.application.slug, str(operation)
    after = {"goal": operation.goal, "status": operation.status}
    audit.record(Action.OPERATION_IMPORT, application=slug, subject=subject, after=after, reason=operation.reason)


def refused(action: Action, slug: str, about: str, goal: str, *, rule: str, reason: str) -> None:
    """Somebody asked and a rule said no. Called outside of the transaction that was refused, which leaves nothing."""
    audit.record(
        action,
        outcome=Outcome.REFUSED,
        application=slug,
        subject=about,
        after={"rule": rule, **({"goal": goal} if goal else {})},
        reason=reason,
    )


def placed(hold: Hold) -> None:
    rule = {"rule": hold.rule} if hold.rule else {}
    audit.record(
        Action.HOLD_PLACE,
        application=_slug(hold),
        subject=f"hold #{hold.pk}",
        after={"until": hold.expires_at.isoformat(timespec="seconds"), **rule},
        reason=hold.reason,
        actor=hold.owner,
    )


def released(hold: Hold, by: str) -> None:
    before = {"owner": hold.owner, "until": hold.expires_at.isoformat(timespec="seconds")}
    audit.record(Action.HOLD_RELEASE, application=_slug(hold), subject=f"hold #{hold.pk}", before=before, actor=by)


def mode(application: Application, mode: str, by: str, reason: str) -> None:
    before, after = {"mode": application.mode}, {"mode": mode}
    audit.record(Action.MODE_SET, application=application.slug, before=before, after=after, reason=reason, actor=by)


def kill_switch(*, before: bool, on: bool, by: str, reason: str) -> None:
    audit.record(Action.KILL_SWITCH_SET, before={"on": before}, after={"on": on}, reason=reason, actor=by)


def acknowledged(operation: Operation, *, by: str, comment: str) -> None:
    slug = operation.application.slug
    audit.record(Action.ACKNOWLEDGE, application=slug, subject=str(operation), reason=comment, actor=by)


def _slug(hold: Hold) -> str:
    """Empty where the hold is for all."""
    return hold.application.slug if hold.application else ""
