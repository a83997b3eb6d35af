"""Operations and their journals as plain values, for scripts and reports. Times are ISO 8601, in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from panel.operations import timing
from panel.operations.models import JournalEntry, Operation


def export(slug: str = "") -> list[dict[str, Any]]:
    """Every operation, or one application's, newest first."""
    operations = Operation.objects.select_related("application", "requested_by").prefetch_related("journal")
    return [exported(operation) for operation in (operations.filter(application__slug=slug) if slug else operations)]


def exported(operation: Operation) -> dict[str, Any]:
    """One operation with its journal."""
    return {
        "id": operation.pk,
        "application": operation.application.slug,
        "goal": operation.goal,
        "status": operation.status,
        "trigger": operation.trigger,
        "requested_by": operation.requested_by.get_username() if operation.requested_by else "",
        "reason": operation.reason,
        "created_at": _iso(operation.created_at),
        "started_at": _iso(operation.started_at),
        "finished_at": _iso(operation.finished_at),
        "error": operation.error,
        "rule": operation.rule,
        "seconds": timing.parts(operation),
        "journal": [_entry(entry) for entry in operation.journal.all()],
    }


def _entry(entry: JournalEntry) -> dict[str, Any]:
    return {"at": _iso(entry.at), "kind": entry.kind, "message": entry.message, "detail": entry.detail}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
