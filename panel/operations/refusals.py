"""Why a trigger started nothing, kept so that people find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from panel.fleet.models import Application
from panel.operations import told
from panel.operations.answers import Refused
from panel.operations.models import Refusal

QUIET = timedelta(minutes=1)  # a refusal unseen for this long is a new trigger when it is seen again


def record_refusal(application: Application, goal: str, rule: str, reason: str, remedy: str, *, counts: bool) -> None:
    """Keep why a trigger started nothing: one row per application, goal and rule.

    `counts` tells a trigger of its own (an event, a person) from a poll that meets the same refusal again: a poll
    counts only when the refusal had gone unseen for a minute.
    """
    now = timezone.now()
    with transaction.atomic():
        refusal, created = Refusal.objects.get_or_create(
            application=application,
            goal=goal,
            rule=rule,
            defaults={"reason": reason, "remedy": remedy, "first_at": now, "last_at": now},
        )
        more = 1 if counts or refusal.last_at < now - QUIET else 0
        if not created:
            refusal.reason, refusal.remedy = reason, remedy
            Refusal.objects.filter(pk=refusal.pk).update(
                reason=reason, remedy=remedy, last_at=now, count=F("count") + more
            )
        if created or more:
            told.refused(refusal)


@contextmanager
def recording_refusals(application: Application, goal: str) -> Iterator[None]:
    """Keep what is refused inside. It stands outside of the transaction that the refusal rolls back."""
    try:
        yield
    except Refused as refused:
        record_refusal(application, goal, refused.rule, refused.reason, refused.remedy, counts=True)
        raise
