"""The audit trail: who did what, when, from where and why, and who was turned away.

`record` is its only writer. Call it inside the transaction of what it records, and last in it: from then on nobody else
can record anything until that transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from panel.audit.origin import COMMAND_LINE, PANEL, acting, deny
from panel.audit.words import Action, Outcome

__all__ = ["COMMAND_LINE", "PANEL", "Action", "Outcome", "acting", "deny", "record"]


def record(
    action: Action,
    *,
    outcome: Outcome = Outcome.DONE,
    application: str = "",
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    actor: str = "",
) -> None:
    """Add one entry. `application` is a slug, `subject` what it was done to, `before` and `after` what changed.

    Actor, address and request id are the request's; `actor` names another, and without either it was the panel itself.
    """
    from panel.audit import chain  # noqa: PLC0415 - Django imports this package before its models may be

    chain.append(
        action=action,
        outcome=outcome,
        application=application,
        subject=subject,
        before=before or {},
        after=after or {},
        reason=reason,
        actor=actor,
    )
