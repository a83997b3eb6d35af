"""Everything the panel knows of one application at one moment: what presenters and templates are made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from failover import cautions, codec, drift, parity
from failover.model import Alarm, AlarmState, Memory, Position, Snapshot
from panel.fleet import snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Acknowledgement, Hold, KillSwitch, Operation, Refusal

REFUSAL_CURRENT = timedelta(minutes=15)
STALE_FLOOR = 30.0  # seconds
OF_AN_ENDED_ONE = (  # what a row says of it
    "application_id", "goal", "weight_lambda", "weight_ecs", "status", "trigger", "reason", "error", "created_at",
    "finished_at", "requested_by__username",
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """One application now (epoch seconds): its snapshot, what runs, what ran last, who holds it, what was refused.

    `failures` are those of each goal's newest operations that failed; a person last looked at `acknowledged_at`.
    `kill_switch` is None while it is off. A snapshot older than `stale_after` seconds is shown, but nothing about it
    counts as fine.
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
    kill_switch: KillSwitch | None = None
    stale_after: float = STALE_FLOOR

    @property
    def read_at(self) -> float | None:
        """When the oldest part that matters was read (epoch seconds)."""
        return snapshots.read_at(self.snapshot) if self.snapshot else None

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


@dataclass(frozen=True)
class Brakes:
    """What people hold automation back with, everywhere: holds by application (None: for all), and the kill switch."""

    holds: dict[int | None, Hold]
    kill_switch: KillSwitch | None

    @classmethod
    def now(cls, now: datetime, ids: Collection[int] | None = None) -> Brakes:
        """Those of these applications, or of all."""
        holds = Hold.objects.filter(released_at=None, expires_at__gt=now)
        if ids is not None:
            holds = holds.filter(Q(application__in=ids) | Q(application=None))
        return cls({hold.application_id: hold for hold in holds.order_by("expires_at")}, services.kill_switch())

    @property
    def for_all(self) -> Hold | None:
        return self.holds.get(None)

    def hold_of(self, application: int) -> Hold | None:
        return self.holds.get(application) or self.for_all

    def holds_back(self, application: int) -> bool:
        return application in self.holds or None in self.holds


def standing_of(application: Application, now: datetime) -> Standing:
    """One application's standing, with its whole snapshot."""
    return whole_standings([application], now)[0]


def whole_standings(applications: list[Application], now: datetime) -> list[Standing]:
    """As `standing_of` of each, with as many queries as for one."""
    ids = [row.pk for row in applications]
    around = Surroundings.of(ids, now, Brakes.now(now, ids), Operation.objects.all())
    return [around.standing(row) for row in applications]


def standings(ids: Sequence[int], now: datetime, brakes: Brakes) -> list[Standing]:
    """Those of these applications, in this order, with what a row shows of their snapshots, in four queries."""
    rows = Application.objects.select_related("stored_snapshot").defer("stored_snapshot__body").in_bulk(ids)
    around = Surroundings.of(ids, now, brakes, Operation.objects.only(*OF_AN_ENDED_ONE))
    return [around.standing(rows[pk], brief=True) for pk in ids if pk in rows]


def _stored(row: Application, *, brief: bool) -> Snapshot | None:
    stored = getattr(row, "stored_snapshot", None)
    if stored is None:
        return None
    # A row that the release before has written has no brief.
    return snapshots.read(stored.brief if brief and stored.brief is not None else stored.body, row.slug)


@dataclass(frozen=True)
class Surroundings:
    """Operations, brakes and refusals by application, read once for all of them."""

    now: datetime
    brakes: Brakes
    active: dict[int, Operation]
    last: dict[int, Operation]
    refusals: dict[int, list[Refusal]]
    failures: dict[int, list[Operation]]
    acknowledged: dict[int, datetime]

    @classmethod
    def of(cls, ids: Sequence[int], now: datetime, brakes: Brakes, ended: QuerySet[Operation]) -> Surroundings:
        """`ended` is what operations that have ended are chosen from, with the columns that are wanted of them."""
        refusals = defaultdict(list)
        for refusal in Refusal.objects.filter(application__in=ids, last_at__gte=now - REFUSAL_CURRENT):
            refusals[refusal.application_id].append(refusal)
        running = Operation.objects.filter(application__in=ids, status__in=Operation.ACTIVE)
        active = {row.application_id: row for row in running.select_related("requested_by")}
        last, acknowledged = dict[int, Operation](), dict[int, datetime]()
        failures = defaultdict(list)
        for row in _newest(ended, ids):
            last[row.application_id] = row
            if row.status == Operation.Status.FAILED:
                failures[row.application_id].append(row)
            if row.known_at:  # type: ignore[attr-defined]  # annotated
                acknowledged[row.application_id] = row.known_at  # type: ignore[attr-defined]  # annotated
        return cls(now, brakes, active, last, refusals, failures, acknowledged)

    def standing(self, application: Application, *, brief: bool = False) -> Standing:
        active, last = self.active.get(application.pk), self.last.get(application.pk)
        for operation in (active, last):
            if operation is not None:
                operation.application = application  # rather than read again for each
        return Standing(
            application=application,
            snapshot=_stored(application, brief=brief),
            now=self.now.timestamp(),
            active=active,
            last=last,
            hold=self.brakes.hold_of(application.pk),
            refusals=tuple(self.refusals.get(application.pk, ())),
            failures=tuple(self.failures.get(application.pk, ())),
            acknowledged_at=self.acknowledged.get(application.pk),
            kill_switch=self.brakes.kill_switch,
            stale_after=stale_after(),
        )


def _newest(operations: QuerySet[Operation], ids: Sequence[int]) -> QuerySet[Operation]:
    """Of each application and goal what ended last, oldest first; `known_at` is when a person last acknowledged a
    failure of the application.
    """
    ended = Operation.objects.filter(application__in=ids).exclude(status__in=Operation.ACTIVE).order_by()
    newest = ended.values("application", "goal").annotate(newest=Max("pk")).values("newest")
    known = Acknowledgement.objects.filter(operation__application=OuterRef("application")).order_by("-at")
    found = operations.filter(pk__in=newest).annotate(known_at=Subquery(known.values("at")[:1]))
    return found.select_related("requested_by").order_by("pk")


def now() -> datetime:
    return datetime.now(UTC)
