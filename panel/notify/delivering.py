"""Delivering what the outbox holds: one target at a time, tried again with growing delays, and never a flood.

A delivery is claimed before it is sent and recorded after it. Whoever dies in between leaves it claimed for a minute;
then it is sent once more, with the same id: it may come twice, and is never lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from panel import dispatch
from panel.notify import sending, wording
from panel.notify.kinds import TEST
from panel.notify.models import Delivery, Notice, Target
from panel.notify.outbox import DELIVER_TASK

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# After a first, second, … try that failed; then it is given up, eight hours after it happened.
DELAYS = (15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
CLAIM = MINUTE  # longer than a delivery can take
MOST, WINDOW = 10, 5 * MINUTE  # messages to one target; beyond it what waits becomes one a minute
LONGEST_REST = 5 * MINUTE
ENOUGH_SECONDS = 4.0  # after which no other delivery is begun: with one that times out a task stays below 10 s
MOST_AT_ONCE = 1000  # notices in a summary
KEPT = timedelta(days=90)
Clock = Callable[[], datetime]
log = structlog.get_logger(__name__)


def deliver(target_id: int, clock: Clock = timezone.now) -> None:
    """Deliver what is due to a target, unless somebody else does, or it failed just now."""
    target = _claim(target_id, clock())
    if target is None:
        return
    began = time.monotonic()
    try:
        while time.monotonic() - began < ENOUGH_SECONDS and _next(target, clock):
            pass
    finally:
        Target.objects.filter(pk=target_id).update(delivering_until=None)


def due_targets(now: datetime) -> list[int]:
    """Whom something waits for that is due."""
    waiting = _waiting(now).filter(_free(now, "target__")).order_by().values_list("target_id", flat=True)
    return [pk for pk in waiting.distinct() if pk is not None]


def forget_old(now: datetime) -> None:
    """What was told is kept for 90 days. What still waits is younger."""
    Notice.objects.filter(last_at__lt=now - KEPT).delete()


def _waiting(now: datetime) -> Any:
    return Delivery.objects.filter(status=Delivery.Status.WAITING, next_try_at__lte=now)


def _free(now: datetime, prefix: str = "") -> Q:
    unclaimed = Q(**{f"{prefix}delivering_until": None}) | Q(**{f"{prefix}delivering_until__lt": now})
    rested = Q(**{f"{prefix}rests_until": None}) | Q(**{f"{prefix}rests_until__lte": now})
    return unclaimed & rested


def _claim(target_id: int, now: datetime) -> Target | None:
    if not Target.objects.filter(_free(now), pk=target_id).update(delivering_until=now + CLAIM):
        return None
    return Target.objects.filter(pk=target_id).first()


def _next(target: Target, clock: Clock) -> bool:
    """Send the next message. False: nothing is due, it may have no more for now, or it failed."""
    now = clock()
    due = list(_waiting(now).filter(target=target).select_related("notice").order_by("pk")[:MOST_AT_ONCE])
    tests = [each for each in due if each.notice.kind == TEST]
    if not due:
        return False
    if tests or len(due) <= MOST - _sent_lately(target, now):
        return _attempt(target, (tests or due)[:1], clock)
    if target.summarised_at is not None and target.summarised_at > now - MINUTE:
        return False
    Target.objects.filter(pk=target.pk).update(summarised_at=now)
    target.summarised_at = now
    return _attempt(target, due, clock)


def _sent_lately(target: Target, now: datetime) -> int:
    """How many messages; what went in a summary was sent at one and the same time."""
    sent = Delivery.objects.filter(target=target, sent_at__gt=now - WINDOW)
    return sent.order_by().values("sent_at").distinct().count()


def _attempt(target: Target, deliveries: Sequence[Delivery], clock: Clock) -> bool:
    ours = Delivery.objects.filter(pk__in=[each.pk for each in deliveries], status=Delivery.Status.WAITING)
    ours.update(tries=F("tries") + 1, next_try_at=clock() + CLAIM)
    problem = sending.send(target, _message(deliveries))
    if problem:
        _failed(target, deliveries, problem, clock())
    else:
        _delivered(target, deliveries, clock())
    return not problem


def _message(deliveries: Sequence[Delivery]) -> wording.Message:
    first = deliveries[0]
    if len(deliveries) == 1:
        return wording.single(first.notice, str(first.message_id))
    name = ",".join(str(each.message_id) for each in deliveries)
    return wording.summary([each.notice for each in deliveries], str(uuid5(NAMESPACE_URL, name)))


def _delivered(target: Target, deliveries: Sequence[Delivery], now: datetime) -> None:
    with transaction.atomic():
        Delivery.objects.filter(pk__in=[each.pk for each in deliveries]).update(
            status=Delivery.Status.DELIVERED, sent_at=now, error="", in_summary=len(deliveries) > 1
        )
        Target.objects.filter(pk=target.pk).update(failures=0, rests_until=None)
    target.failures = 0


def _failed(target: Target, deliveries: Sequence[Delivery], problem: str, now: datetime) -> None:
    rest = min(15 * SECOND * 2 ** min(target.failures, 8), LONGEST_REST)
    with transaction.atomic():
        Target.objects.filter(pk=target.pk).update(failures=F("failures") + 1, rests_until=now + rest)
        for each in deliveries:
            _put_off(each, problem, now)
    log.warning("notification_failed", target=target.name, problem=problem, count=len(deliveries))
    dispatch.wake(DELIVER_TASK, target.pk, rest.total_seconds())


def _put_off(delivery: Delivery, problem: str, now: datetime) -> None:
    """A test is tried once: whoever pressed the button looks at the answer."""
    over = delivery.tries >= len(DELAYS) or delivery.notice.kind == TEST
    Delivery.objects.filter(pk=delivery.pk).update(
        error=problem,
        status=Delivery.Status.GAVE_UP if over else Delivery.Status.WAITING,
        next_try_at=now if over else now + DELAYS[delivery.tries],
    )
    if over:
        name, tries = delivery.target_name, delivery.tries + 1
        log.error("notification_given_up", target=name, title=delivery.notice.title, tries=tries, problem=problem)
