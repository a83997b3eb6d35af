"""The only deletion: the oldest entries, once they are PANEL_AUDIT_DAYS old, and never without a checkpoint."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from panel.audit import chain
from panel.audit.models import Entry
from panel.audit.origin import PANEL
from panel.audit.words import Action, Outcome

AT_LEAST = timedelta(days=1)  # what waits to be deleted, so that a day's deletions share one checkpoint
MOST_AT_ONCE = 10_000


def forget_old(now: datetime, days: int) -> int:
    """Delete what is older than so many days, and answer how many entries that were. 0 days keep everything.

    The checkpoint comes first: it is what opens the trigger's gate, for exactly the entries that it stands for.
    """
    if days == 0:
        return 0
    limit = now - timedelta(days=days)
    with transaction.atomic():
        chain.hold_the_end()
        oldest = Entry.objects.order_by("pk").first()
        if oldest is None or oldest.at >= limit - AT_LEAST:
            return 0
        entries = _beginning(limit)
        last = entries[-1]
        _leave_checkpoint(len(entries), oldest, last)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_entry WHERE id <= %s", [last.pk])
    return len(entries)


def _beginning(limit: datetime) -> list[Entry]:
    """The chain's beginning up to the first entry that stays: a clock that was set back tears no hole."""
    stays = Entry.objects.filter(at__gte=limit).order_by("pk").values_list("pk", flat=True).first()
    goes = Q() if stays is None else Q(pk__lt=stays)
    return list(Entry.objects.filter(goes).order_by("pk").only("pk", "at", "hash")[:MOST_AT_ONCE])


def _leave_checkpoint(count: int, oldest: Entry, last: Entry) -> None:
    chain.append(
        actor=PANEL,
        action=Action.AUDIT_CHECKPOINT,
        outcome=Outcome.DONE,
        application="",
        subject=f"entries #{oldest.pk} to #{last.pk}",
        before={"entries": count, "from": oldest.at.isoformat(), "to": last.at.isoformat()},
        after={"hash": last.hash},
        reason="They are older than PANEL_AUDIT_DAYS and were deleted.",
        deleted_to=last.pk,
    )
