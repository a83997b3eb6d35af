"""The whole fleet in a few columns: what its list is sorted, searched and counted by, without any snapshot's body."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, QuerySet

from failover.model import AlarmState, Position
from panel.fleet.models import Application
from panel.operations.models import Acknowledgement, Operation
from panel.web.attention import Attention, judge
from panel.web.standing import Brakes, stale_after


class Outline(NamedTuple):
    """`load` is Lambda's concurrency in percent of its limit, None where unknown."""

    pk: int
    slug: str
    name: str
    mode: str
    alarm: str
    position: str
    load: float | None
    problem: str
    active: bool
    held: bool
    attention: Attention

    @property
    def alarming(self) -> bool:
        return self.alarm == AlarmState.ALARM

    @property
    def attention_needed(self) -> bool:
        return self.attention is not Attention.QUIET

    @property
    def away(self) -> bool:
        return self.position in (Position.ECS, Position.SPLIT)


def outlines(applications: QuerySet[Application], now: datetime, brakes: Brakes) -> list[Outline]:
    """Each one's, in two queries however many there are."""
    stored = ("read_at", "alarm", "position", "load", "problem")
    rows = applications.order_by("slug").values_list(
        "pk", "slug", "name", "mode", *(F(f"stored_snapshot__{name}") for name in stored)
    )
    active, failed = _active_and_failed()
    oldest = now.timestamp() - stale_after()
    found = []
    for pk, slug, name, mode, read_at, alarm, position, load, problem in rows:
        where, worst, held = position or Position.UNKNOWN.value, alarm or "", brakes.holds_back(pk)
        level = judge(
            alarm=worst,
            position=where,
            stale=read_at is None or read_at < oldest,
            active=pk in active,
            failed=pk in failed,
            held=held,
        )
        found.append(Outline(pk, slug, name, mode, worst, where, load, problem or "", pk in active, held, level))
    return found


def _active_and_failed() -> tuple[set[int], set[int]]:
    """The applications with a running operation, and those whose last one failed and nobody has looked at."""
    asked = ("application", "status")
    running = Operation.objects.filter(status__in=Operation.ACTIVE).order_by().values_list(*asked)
    active, failed = set[int](), set[int]()
    for application, status in running.union(_unseen_failures().values_list(*asked), all=True):
        (failed if status == Operation.Status.FAILED else active).add(application)
    return active, failed


def _unseen_failures() -> QuerySet[Operation]:
    """Operations that failed, were the last of their application to end, and that nobody has acknowledged since."""
    ended = Operation.objects.exclude(status__in=Operation.ACTIVE).order_by()
    later = ended.filter(application=OuterRef("application"), pk__gt=OuterRef("pk"))
    seen = Acknowledgement.objects.filter(
        operation__application=OuterRef("application"), at__gte=OuterRef("finished_at")
    ).order_by()
    failed = Operation.objects.filter(status=Operation.Status.FAILED).order_by()
    return failed.filter(~Exists(later), ~Exists(seen))


def in_order(found: Iterable[Outline], sort: str = "attention") -> list[Outline]:
    """What needs a person first, by name, or by how close Lambda is to its limit."""
    keys = {
        "name": lambda each: (each.name.casefold(), each.slug),
        "load": lambda each: (-(each.load if each.load is not None else -1.0), each.slug),
    }
    return sorted(found, key=keys.get(sort, lambda each: (each.attention, each.slug)))


def count(found: Iterable[Outline], what: str) -> int:
    return sum(bool(getattr(each, what)) for each in found)
