"""What people are told of operations, holds and refusals. Each is called in the transaction that it tells of.

`panel.notify` keeps it there and delivers it later; who is told of what is decided there too.
"""

from __future__ import annotations

from failover.model import Decision
from failover.verdict import Refused
from panel.fleet.models import Application
from panel.notify.outbox import tell
from panel.operations.models import Hold, Operation, Refusal

# Refusals that end by themselves: nobody need do anything.
WAITS = {"dwell", "cooldown", "single_writer"}
KINDS = {"alarm_no_data": "no_data", **dict.fromkeys(WAITS, "refused.waits")}
TOLD_AS_HOLD = "foreign_change"  # by the hold that follows from it
PAGED = "people.paged"
MADE_WAY = "real_alarm"  # the rule that only a rehearsal ends by: nothing has failed


def started(operation: Operation) -> None:
    what = "ECS tasks are started; weights stay." if operation.prepares else _weights(operation)
    _tell(f"{operation.goal}.started", operation, what, operation.reason, "started")


def ended(operation: Operation, status: str, decision: Decision) -> None:
    """By the panel's hand, whoever asked for it. Where no pool is known to be healthy, people are paged too."""
    paged = (PAGED,) if decision.rule == "towards_health" else ()
    if status == Operation.Status.CANCELLED:
        _tell("operation.cancelled", operation, decision.sentences, operation.cancel_requested, "ended")
        return
    if decision.rule == MADE_WAY:
        _tell("rehearsal.made_way", operation, decision.sentences, operation.reason, "ended")
        return
    outcome = "done" if status == Operation.Status.SUCCEEDED else "failed"
    _tell(f"{operation.goal}.{outcome}", operation, decision.sentences, operation.reason, "ended", also=paged)


def superseded(operation: Operation, *, by: str, reason: str) -> None:
    _tell("operation.superseded", operation, f"In its place: {_ended(reason)}", "", "ended", by=by)


def placed(hold: Hold) -> None:
    until = f"until {hold.expires_at:%Y-%m-%d %H:%M} UTC"
    if hold.rule == TOLD_AS_HOLD:
        tell("drift", hold.application, what=hold.reason, by=hold.owner, also=(PAGED,))
        return
    tell("hold.placed", hold.application, subject=_whom(hold), what=until, by=hold.owner, why=hold.reason,
         key=f"hold:{hold.pk}:placed")  # fmt: skip


def released(hold: Hold, by: str) -> None:
    """By somebody, or by Hold.TIME."""
    what = "has run out" if by == Hold.TIME else "was released"
    who = "" if by == Hold.TIME else by
    tell("hold.released", hold.application, subject=f"the hold of {_whom(hold)}", what=what, by=who,
         key=f"hold:{hold.pk}:released")  # fmt: skip


def kill_switch(*, on: bool, by: str, reason: str) -> None:
    tell(f"kill_switch.{'on' if on else 'off'}", by=by, why=reason)


def refused(refusal: Refusal) -> None:
    if refusal.rule == TOLD_AS_HOLD:
        return
    kind, subject = KINDS.get(refusal.rule, "refused"), f"{refusal.goal} ({refusal.rule})"
    tell(kind, refusal.application, subject=subject, what=refusal.reason, next=refusal.remedy)


def paged(application: Application, refused: Refused | None, reason: str) -> None:
    """`refused`: automation can do nothing about it. A foreign change is told by the hold that it leads to."""
    if refused is not None and refused.rule == TOLD_AS_HOLD:
        return
    subject = f"{refused.goal} ({refused.rule})" if refused else "guard"
    tell(PAGED, application, subject=subject, what=reason, next=refused.remedy if refused else "")


def _tell(
    kind: str,
    operation: Operation,
    what: str,
    why: str,
    moment: str,
    *,
    by: str = "",
    also: tuple[str, ...] = (),
) -> None:
    """`moment`: an operation starts once and ends once."""
    asked_by = operation.requested_by.get_username() if operation.requested_by else operation.trigger
    tell(kind, operation.application, subject=str(operation), what=what, why=why, by=by or asked_by, row=operation.pk,
         key=f"operation:{operation.pk}:{moment}", also=also)  # fmt: skip


def _weights(operation: Operation) -> str:
    return f"Lambda {operation.weight_lambda}, ECS {operation.weight_ecs}." if operation.weight_ecs is not None else ""


def _ended(text: str) -> str:
    return text if text.rstrip().endswith((".", "!", "?", "…")) else f"{text.rstrip()}."


def _whom(hold: Hold) -> str:
    return hold.application.slug if hold.application else "every application"
