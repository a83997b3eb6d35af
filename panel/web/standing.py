"""Everything the panel knows of one application at one moment: what presenters and templates are made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F, Max, Q, QuerySet

from failover import cautions, codec, drift, parity
from failover.model import Alarm, AlarmState, Memory, Position, Snapshot
from panel.fleet import snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations.models import Acknowledgement, Hold, Operation, Refusal

REFUSAL_CURRENT = timedelta(minutes=15)
STALE_FLOOR = 30.0  # seconds


@dataclass(frozen=True)
class Standing:
    """One application now (epoch seconds): its snapshot, what runs, what ran last, who holds it, what was refused.

    `failures` are those of each goal's newest operations that failed; a person last looked at `acknowledged_at`. A
    snapshot older than `stale_after` seconds is shown, but nothing about it counts as fine.
    """

    application: Application
    snapshot: Snapshot | None
    now: float
    active: Operation | None = None
    last: Operation | None = None
    hold: Hold | None = None
    refusals: tuple[Refusal, ...] = ()
    failures: tuple[Operation, ...] = ()
    acknowledged_at: datetime | None = None
    stale_after: float = STALE_FLOOR

    @property
    def read_at(self) -> float | None:
        """When the oldest part that matters was read: an operation reads some parts more often than others."""
        if self.snapshot is None:
            return None
        parts = (self.snapshot.alarms, self.snapshot.routes, self.snapshot.service, self.snapshot.targets)
        return min((part.at for part in parts if part.value is not None), default=self.snapshot.at)

    @property
    def stale(self) -> bool:
        return self.read_at is None or self.now - self.read_at > self.stale_after

    @property
    def position(self) -> Position:
        return self.snapshot.position if self.snapshot else Position.UNKNOWN

    @property
    def alarms(self) -> tuple[Alarm, ...] | None:
        """None: not read, which is not OK."""
        return self.snapshot.alarms.value if self.snapshot else None

    @property
    def alarming(self) -> tuple[Alarm, ...]:
        return tuple(alarm for alarm in self.alarms or () if alarm.state is AlarmState.ALARM)

    @property
    def failed(self) -> Operation | None:
        """The last operation, if it failed and nobody has looked at it yet."""
        last = self.last
        return last if last and last.status == Operation.Status.FAILED and self._unseen(last) else None

    @property
    def unacknowledged(self) -> Operation | None:
        """The latest failure that nobody has looked at, whatever went well since."""
        unseen = (each for each in self.failures if self._unseen(each))
        return max(unseen, key=lambda each: each.finished_at or each.created_at, default=None)

    def _unseen(self, failed: Operation) -> bool:
        known = self.acknowledged_at
        return known is None or failed.finished_at is None or known < failed.finished_at

    @property
    def drift(self) -> tuple[str, ...]:
        """Where AWS is not as it was left; nothing is said of what was read too long ago."""
        if self.snapshot is None or self.stale:
            return ()
        memory = codec.decode(Memory, self.application.memory)
        return drift.found(configuration(self.application), self.snapshot, memory, active=self.active is not None)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What may fail once it is needed; nothing is said of what was read too long ago."""
        if self.snapshot is None or self.stale:
            return ()
        return cautions.found(configuration(self.application), self.snapshot, self.now)

    @property
    def parity(self) -> str:
        """What is known of the code behind both pools, where it is no caution."""
        if self.snapshot is None or self.stale:
            return ""
        found = parity.judged(self.snapshot)
        return found.sentence if found.same is not False else ""

    def refusal(self, *goals: str) -> Refusal | None:
        """The newest refusal of one of these goals that is younger than the last operation."""
        since = self.last.finished_at if self.last else None
        fits = (r for r in self.refusals if r.goal in goals and (since is None or r.last_at >= since))
        return max(fits, key=lambda refusal: refusal.last_at, default=None)


def stale_after() -> float:
    return max(STALE_FLOOR, 3 * float(settings.PANEL_OBSERVE_SECONDS))


def standing_of(application: Application, now: datetime) -> Standing:
    """One application's standing, with its whole snapshot."""
    return standings([application], now)[0]


def standings(applications: list[Application], now: datetime) -> list[Standing]:
    """As `standing_of` of each, with as many queries as for one."""
    around = Surroundings.of([row.pk for row in applications], now)
    return [around.standing(row, _stored(row)) for row in applications]


def completed(outlined: Iterable[Standing]) -> list[Standing]:
    """The same with their whole snapshots and documents, in one query."""
    outlined = list(outlined)
    ids = [standing.application.pk for standing in outlined]
    rows = Application.objects.select_related("stored_snapshot").in_bulk(ids)
    full = ((standing, rows.get(standing.application.pk)) for standing in outlined)
    return [replace(standing, application=row, snapshot=_stored(row)) for standing, row in full if row]


def outlines(applications: QuerySet[Application], now: datetime) -> list[Standing]:
    """Each one's standing from its alarms and routes alone: enough to sort by, without the metrics."""
    rows = list(
        applications.annotate(
            read_at=F("stored_snapshot__body__at"),
            read_alarms=F("stored_snapshot__body__alarms"),
            read_routes=F("stored_snapshot__body__routes"),
        ).defer("document", "memory"),
    )
    around = Surroundings.of([row.pk for row in rows], now)
    return [around.standing(row, _outline(row)) for row in rows]


def _stored(row: Application) -> Snapshot | None:
    stored = getattr(row, "stored_snapshot", None)
    return snapshots.read(stored.body, row.slug) if stored else None


def _outline(row: Application) -> Snapshot | None:
    parts = {"at": row.read_at, "alarms": row.read_alarms, "routes": row.read_routes}  # type: ignore[attr-defined]  # annotated
    if parts["at"] is None:
        return None
    return snapshots.read({name: part for name, part in parts.items() if part is not None}, row.slug)


@dataclass(frozen=True)
class Surroundings:
    """Operations, holds and refusals by application, read once for all of them."""

    now: datetime
    active: dict[int, Operation]
    last: dict[int, Operation]
    holds: dict[int | None, Hold]
    refusals: dict[int, list[Refusal]]
    failures: dict[int, list[Operation]]
    acknowledged: dict[int, datetime]

    @classmethod
    def of(cls, ids: list[int], now: datetime) -> Surroundings:
        active = Operation.objects.filter(application__in=ids, status__in=Operation.ACTIVE)
        finished = Operation.objects.exclude(status__in=Operation.ACTIVE).filter(application__in=ids)
        newest = finished.order_by().values("application", "goal").annotate(newest=Max("pk")).values("newest")
        ended = Operation.objects.filter(pk__in=newest).order_by("pk").defer("document")
        holds = Hold.objects.filter(Q(application__in=ids) | Q(application=None))
        refusals = defaultdict(list)
        for refusal in Refusal.objects.filter(application__in=ids, last_at__gte=now - REFUSAL_CURRENT):
            refusals[refusal.application_id].append(refusal)
        last, failures = dict[int, Operation](), defaultdict(list)
        for row in ended:
            last[row.application_id] = row
            if row.status == Operation.Status.FAILED:
                failures[row.application_id].append(row)
        known = Acknowledgement.objects.filter(operation__application__in=ids).order_by()
        return cls(
            now=now,
            active={row.application_id: row for row in active.select_related("application", "requested_by")},
            last=last,
            holds={row.application_id: row for row in holds.filter(released_at=None, expires_at__gt=now)},
            refusals=refusals,
            failures=failures,
            acknowledged=dict(known.values_list("operation__application").annotate(at_=Max("at"))),
        )

    def standing(self, application: Application, snapshot: Snapshot | None) -> Standing:
        return Standing(
            application=application,
            snapshot=snapshot,
            now=self.now.timestamp(),
            active=self.active.get(application.pk),
            last=self.last.get(application.pk),
            hold=self.holds.get(application.pk) or self.holds.get(None),
            refusals=tuple(self.refusals.get(application.pk, ())),
            failures=tuple(self.failures.get(application.pk, ())),
            acknowledged_at=self.acknowledged.get(application.pk),
            stale_after=stale_after(),
        )


def now() -> datetime:
    return datetime.now(UTC)
