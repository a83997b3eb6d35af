"""Who was turned away, counted: nobody can fill the disk, or keep the database busy, by asking again and again.

A request only counts in memory. At most once a second each process adds what it counted to the rows of `Tally`, of
which there are few whatever is sent. A new row becomes an entry at once; then the sweep makes an entry a minute of what
was added, until a minute goes by in which nothing was.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import structlog
from django.db import Error, transaction
from django.utils import timezone

from panel import audit
from panel.audit import plain
from panel.audit.models import Tally
from panel.audit.origin import Origin, coming_from, current
from panel.audit.words import Action, Outcome

WRITE_EVERY = timedelta(seconds=1)
WINDOW = timedelta(minutes=1)
MOST_AT_ONCE = 30  # different denials; what goes beyond is counted together, from `MANY`
MANY = "many addresses"
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Denial:
    """What equal denials have in common."""

    action: str
    actor: str
    address: str
    subject: str


@dataclass(frozen=True)
class Noted:
    """How often since it was last written, and the first one's words."""

    count: int
    reason: str
    request_id: str


class Pending:
    """What this process counted and has not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[Denial, Noted] = {}
        self._written_at: datetime | None = None

    def add(self, denial: Denial, noted: Noted) -> None:
        with self._lock:
            if denial not in self._noted and len(self._noted) >= MOST_AT_ONCE:
                denial = _crowd(denial)
            known = self._noted.get(denial)
            self._noted[denial] = replace(known, count=known.count + noted.count) if known else noted

    def take(self, now: datetime, *, due: timedelta = WRITE_EVERY) -> dict[Denial, Noted]:
        """Everything, if the last time was long enough ago; else nothing."""
        with self._lock:
            if not self._noted or (self._written_at and now - self._written_at < due):
                return {}
            taken, self._noted, self._written_at = self._noted, {}, now
            return taken


pending = Pending()


def note(action: Action, *, subject: str = "", reason: str = "") -> None:
    """Count one denial of the present request. It is written soon after, never here."""
    origin = current()
    denial = Denial(action.value, plain.text(origin.actor, 150), _network(origin.address), plain.text(subject, 300))
    pending.add(denial, Noted(1, plain.text(reason), origin.logged_as))


def _network(address: str) -> str:
    """An IPv6 client has a whole /64 to choose addresses from: that is one address here."""
    if ":" not in address:
        return address
    return str(ip_network((ip_address(address), 64), strict=False))


def _crowd(denial: Denial) -> Denial:
    return Denial(denial.action, "", MANY, "")


def write_due(now: datetime | None = None) -> None:
    """Write what was counted, at most once a second. Never raises: a request that was denied stays denied."""
    now = now or timezone.now()
    for denial, noted in pending.take(now).items():
        try:
            _write(denial, noted, now)
        except Error:
            pending.add(denial, noted)
            log.warning("denials_not_written", action=denial.action, count=noted.count, exc_info=True)


def _write(denial: Denial, noted: Noted, now: datetime) -> None:
    with transaction.atomic():
        row, new = _row(denial, noted, now)
        if new:
            _record(row, noted.count, noted.request_id)
            return
        row.count += noted.count
        row.save(update_fields=["count"])


def _row(denial: Denial, noted: Noted, now: datetime) -> tuple[Tally, bool]:
    """The row that counts this denial, locked: the sweep may be about to take it away."""
    rows = Tally.objects.select_for_update()
    known = rows.filter(**vars(denial)).first()
    if known is not None:
        return known, False
    if Tally.objects.count() >= MOST_AT_ONCE:
        denial = _crowd(denial)
    return rows.get_or_create(**vars(denial), defaults={"reason": noted.reason, "opened_at": now})


def close_windows(now: datetime) -> None:
    """Make an entry of every row that counted for a minute, and forget the ones that counted nothing."""
    for pk in Tally.objects.filter(opened_at__lte=now - WINDOW).values_list("pk", flat=True):
        with transaction.atomic():
            row = Tally.objects.select_for_update().filter(pk=pk, opened_at__lte=now - WINDOW).first()
            if row is not None:
                _close(row, now)


def _close(row: Tally, now: datetime) -> None:
    if row.count == 0:
        row.delete()
        return
    counted, since = row.count, row.opened_at
    row.count, row.opened_at = 0, now
    row.save(update_fields=["count", "opened_at"])
    _record(row, counted, "", since)


def _record(row: Tally, count: int, request_id: str, since: datetime | None = None) -> None:
    told = {"count": count} | ({"since": since.isoformat(timespec="seconds")} if since else {})
    with coming_from(Origin(named=row.actor, address=row.address, request_id=request_id)):
        audit.record(
            Action(row.action),
            outcome=Outcome.DENIED,
            subject=row.subject,
            reason=row.reason,
            after=told if told != {"count": 1} else {},
        )
