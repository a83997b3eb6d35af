"""Retiring an application: it is not looked at, shown or started any more; what it did stays, and it can come back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from panel import audit
from panel.audit import Action
from panel.drills.models import Drill
from panel.fleet.applications import configuration, disown, own
from panel.fleet.models import Application
from panel.operations.models import Operation


class NotNow(Exception):  # noqa: N818 - an answer, not an error
    """It can't be retired as things are. The message is a sentence."""


def retire(application: Application, reason: str) -> None:
    """Its alarms, routes, target groups and service are free for another application. Raises NotNow."""
    with transaction.atomic():
        row = Application.every.select_for_update().get(pk=application.pk)
        active = row.operations.filter(status__in=Operation.ACTIVE).first()
        if active is not None:
            raise NotNow(f"{active} of {row.slug} is {active.status}: cancel it, or wait until it has ended.")
        drill = row.drills.filter(state__in=Drill.ACTIVE).first()
        if drill is not None:  # between its operations none is active, and traffic may be on ECS
            raise NotNow(f"{drill} of {row.slug} is under way: abort it, or wait until it has ended.")
        if row.retired_at is not None:
            return
        row.retired_at = timezone.now()
        row.save(update_fields=["retired_at", "updated_at"])
        disown(row)
        audit.record(Action.APPLICATION_RETIRE, application=row.slug, reason=reason)


def restore(application: Application) -> None:
    """Raises ImportRefused where another application owns one of its resources by now."""
    with transaction.atomic():
        row = Application.every.select_for_update().get(pk=application.pk)
        if row.retired_at is None:
            return
        row.retired_at = None
        row.save(update_fields=["retired_at", "updated_at"])
        own(row, configuration(row), row.slug)
        audit.record(Action.APPLICATION_RESTORE, application=row.slug)
