"""Telling people: a row beside what happened, in the same transaction. Delivering is for others (`delivering`).

Nothing here waits for anybody, and nothing that was committed goes untold: what a wake-up does not reach, the sweep
finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import ParamSpec
from uuid import uuid4

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from panel import dispatch
from panel.fleet.models import Application
from panel.notify import wording
from panel.notify.kinds import TEST, Kind, kinds
from panel.notify.models import Delivery, Notice, Target

DELIVER_TASK = "notify.deliver"
Given = ParamSpec("Given")

log = structlog.get_logger(__name__)


def never_in_the_way(telling: Callable[Given, None]) -> Callable[Given, None]:
    """What is wrong with telling must not undo what it tells of: an operation starts and ends without it, too."""

    @wraps(telling)
    def told(*given: Given.args, **named: Given.kwargs) -> None:
        try:
            with transaction.atomic():
                telling(*given, **named)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            log.exception("not_told", kind=given[0] if given else "")

    return told


@never_in_the_way
def tell(  # noqa: PLR0913 - what there may be to tell, by keyword
    kind: str,
    application: Application | None = None,
    *,
    subject: str = "",
    what: str = "",
    next: str = "",  # noqa: A002 - the word that receivers read
    by: str = "",
    why: str = "",
    row: int | None = None,
    key: str = "",
    also: tuple[str, ...] = (),
) -> None:
    """Have everybody told who wants `kind`, or one of the kinds `also`; each once.

    `subject` is what it happened to, `what` a sentence about it, `by` and `why` who did it and their reason, `row` the
    id of the page that it links to, `key` what makes it the same thing when it is told again. Call it in the
    transaction of what it tells of, before that is recorded in the audit trail.
    """
    found = kinds()[kind]
    targets = _targets(application, found, (kind, *also))
    if not targets or (key and Notice.objects.filter(key=key).exists()):
        return
    now = timezone.now()
    due_at = _due_at(found, application, subject, now)
    if due_at > now and _counted(found, application, subject, now, what):
        return
    notice = Notice(
        key=key or uuid4().hex, kind=kind, application=application.slug if application else "", subject=subject[:120],
        by=by[:150], why=why, happened_at=now, last_at=now, due_at=due_at,
        traffic=wording.traffic(application) if application else "",
        **wording.words(found, application, subject, what, next, row),
    )  # fmt: skip
    try:
        with transaction.atomic():
            notice.save()
    except IntegrityError:  # somebody else told the same thing meanwhile
        return
    _address(notice, targets, due_at)


def tell_one(target: Target, by: str) -> Delivery:
    """A test: for this target alone, at once, whatever it wants and however it failed before."""
    now, found = timezone.now(), kinds()[TEST]
    with transaction.atomic():
        notice = Notice.objects.create(
            key=uuid4().hex, kind=TEST, subject=target.name, by=by, happened_at=now, last_at=now, due_at=now,
            **wording.words(found, None, target.name, "", "", None),
        )  # fmt: skip
        Target.objects.filter(pk=target.pk).update(rests_until=None)
        _address(notice, [target], now)
        return notice.deliveries.get()


def _targets(application: Application | None, kind: Kind, wanted: Iterable[str]) -> list[Target]:
    """Those of the application's team and of every team; of what concerns all applications, everybody's."""
    found: QuerySet[Target] = Target.objects.all()
    if kind.panel:
        found = found.filter(team=None)
    elif application is not None:
        found = found.filter(Q(team=application.team_id) | Q(team=None))
    names = set(wanted)
    return [target for target in found if not names.isdisjoint(target.kinds)]


def _same(kind: Kind, application: Application | None, subject: str) -> QuerySet[Notice]:
    slug = application.slug if application else ""
    return Notice.objects.filter(kind=kind.name, application=slug, subject=subject[:120])


def _due_at(kind: Kind, application: Application | None, subject: str, now: datetime) -> datetime:
    """Now, or when the window ends in which the same was told already."""
    if not kind.again:
        return now
    last = _same(kind, application, subject).filter(due_at__gt=now - kind.again).order_by("-due_at").first()
    if last is None:
        return now
    return last.due_at if last.due_at > now else last.due_at + kind.again


def _counted(kind: Kind, application: Application | None, subject: str, now: datetime, what: str) -> bool:
    """Whether a notice waits for the end of that window already; then this is counted there."""
    waiting = _same(kind, application, subject).filter(due_at__gt=now).order_by("-due_at").first()
    if waiting is None:
        return False
    sentence = wording.sentence(kind, subject, what)
    return bool(Notice.objects.filter(pk=waiting.pk).update(count=F("count") + 1, last_at=now, what=sentence))


def _address(notice: Notice, targets: Iterable[Target], due_at: datetime) -> None:
    Delivery.objects.bulk_create(
        Delivery(notice=notice, target=each, target_name=each.name, team_id=each.team_id, next_try_at=due_at)
        for each in targets
    )
    if due_at <= notice.happened_at:
        for each in targets:
            dispatch.wake(DELIVER_TASK, each.pk)
