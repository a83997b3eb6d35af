"""A round: for a few seconds the probe URL of every operation under way is asked, and what it answered is stored.

A round has a slot of the clock. Whoever stores the slot's row first probes in it: of two workers one does.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from failover import probing
from failover.model import Application, Probed, Reading
from failover.probing import Answer, ForbiddenError, Tick
from panel import live_hints, outbound
from panel.fleet.applications import parsed
from panel.operations.models import Operation
from panel.probing.models import Burst

SLOT_SECONDS = 5
# That a probe may take, whatever the policy says: a round is over before the next but one begins, so that however long
# an API takes, probes hold two of their worker's threads and leave the others to what people are to be told.
MOST_SECONDS = SLOT_SECONDS - probing.GRACE_SECONDS - 0.5
MOST_AT_ONCE = 20  # operations: in an outage of a whole region each probe waits for its time-out
EVIDENCE = timedelta(minutes=15)
KEPT = timedelta(days=90)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Turn:
    """An operation's probes in one slot."""

    burst: Burst
    application: Application

    def send(self) -> list[Tick]:
        policy, application = self.application.policy, self.application
        seconds = min(policy.probe_timeout_seconds, MOST_SECONDS)
        count = max(1, round(SLOT_SECONDS * policy.probe_per_second))
        return probing.burst(
            count,
            SLOT_SECONDS / count,
            seconds,
            lambda: probing.probe(application.probe_url, application.probe_header, seconds, get),
        )


def play(now: datetime) -> int:
    """Probe in the slot that `now` lies in, and answer for how many operations."""
    at = datetime.fromtimestamp(now.timestamp() // SLOT_SECONDS * SLOT_SECONDS, UTC)
    turns = [turn for operation in _under_way() if (turn := _claimed(operation, at))]
    if not turns:
        return 0
    with ThreadPoolExecutor(len(turns)) as pool:
        for turn, ticks in zip(turns, pool.map(_Turn.send, turns), strict=True):
            _keep(turn.burst, ticks)
    return len(turns)


def _under_way() -> list[tuple[Operation, Application]]:
    """The newest operations that move weights and whose application has something to ask."""
    active = Operation.objects.filter(status__in=Operation.ACTIVE).select_related("application")
    read = [(each, parsed(each.document, each.application.slug)) for each in active if not each.prepares]
    found = [(each, about) for each, about in read if about.probe_url and about.policy.probe_per_second]
    if len(found) > MOST_AT_ONCE:
        log.warning("operations_not_probed", number=len(found) - MOST_AT_ONCE)
    return found[:MOST_AT_ONCE]


def _claimed(found: tuple[Operation, Application], at: datetime) -> _Turn | None:
    operation, application = found
    try:
        with transaction.atomic():
            return _Turn(Burst.objects.create(operation=operation, at=at), application)
    except IntegrityError:  # another worker has this slot, or the operation was deleted
        return None


def _keep(burst: Burst, ticks: list[Tick]) -> None:
    began = burst.at.timestamp()
    burst.problem = next((tick.error for tick in ticks if not tick.sent), "")
    burst.ticks = [
        [round(1000 * (tick.at - began)), tick.pool, tick.outcome, tick.status, tick.milliseconds, tick.error]
        for tick in ticks
        if tick.sent
    ]
    Burst.objects.filter(pk=burst.pk).update(ticks=burst.ticks, problem=burst.problem)
    live_hints.publish(burst.operation.application.slug)


def get(url: str, seconds: float) -> Answer:
    """failover.probing.Get, by the panel's guarded way out."""
    try:
        answer = outbound.request("GET", url, seconds=seconds, most_bytes=probing.MOST_BODY)
    except outbound.Refused as refused:
        raise ForbiddenError(str(refused)) from None
    except outbound.Failed as failed:
        raise OSError(str(failed)) from None
    return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)


def ticks_of(burst: Burst) -> list[Tick]:
    began = burst.at.timestamp()
    return [Tick(began + after / 1000, *rest) for after, *rest in burst.ticks]


def evidence(operation: Operation, now: Callable[[], datetime] = timezone.now) -> Reading[tuple[Probed, ...]]:
    """What the operation's probes say, as the controller takes it (`failover.ports.Probe`)."""
    bursts = list(Burst.objects.filter(operation=operation, at__gt=now() - EVIDENCE))
    problem = bursts[-1].problem if bursts else ""
    answered = [burst for burst in bursts if burst.ticks]
    if problem or not answered:
        return Reading(problem=problem or "nothing was probed yet")
    found = [each for burst in answered for each in probing.counted(burst.at.timestamp(), ticks_of(burst))]
    return Reading.of(tuple(found), answered[-1].at.timestamp())


def forget(now: datetime) -> None:
    Burst.objects.filter(at__lt=now - KEPT).delete()
