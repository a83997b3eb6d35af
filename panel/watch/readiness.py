"""Whether everything that the panel needs works: each part by name, with a sentence where it does not.

The answer is open to anybody who can reach the panel: it names no address, no account and no error text.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TypeVar

import structlog
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from panel import broker
from panel.fleet import heartbeats
from panel.fleet.heartbeats import Beat
from panel.fleet.models import Application, Heartbeat
from panel.watch import dead_man
from panel.watch.probes import Probe

T = TypeVar("T")

PATIENCE_SECONDS = 2.5
PROOF = timedelta(seconds=2)  # a write as young as this is proof enough: being asked often costs few writes
WEB = "web"
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Part:
    """`problem` is a sentence, empty where all is well. A part that does not count keeps nobody from being ready."""

    problem: str = ""
    age_seconds: float | None = None
    counts: bool = True

    @property
    def ok(self) -> bool:
        return not self.problem


Parts = dict[str, Part]


def parts() -> Parts:
    """Ask broker and database at the same time, and wait for neither longer than PATIENCE_SECONDS."""
    until = time.monotonic() + PATIENCE_SECONDS
    pong, rows, written = _pong.begin(), _rows.begin(), _written.begin()
    found = _of_rows(rows, until)
    if found["database"].ok:
        found["database"] = Part(_not_written(written, until))
    return {"broker": _broker(pong, until), **found}


def _wait(answer: Future[T], until: float) -> T:
    return answer.result(max(0.0, until - time.monotonic()))


def _broker(pong: Future[bool], until: float) -> Part:
    try:
        answers = _wait(pong, until)
    except TimeoutError:
        answers = False
    return Part("" if answers else "The broker (Redis) does not answer: nothing that is asked for reaches a worker.")


def _of_rows(rows: Future[Parts], until: float) -> Parts:
    try:
        return _wait(rows, until)
    except TimeoutError:
        problem = f"The database did not answer within {PATIENCE_SECONDS:g} s."
    except Error as error:
        log.warning("database_not_read", problem=str(error))
        problem = "The database can't be read: the log says why."
    unknown = Part("Unknown, because the database does not answer.")
    return {"database": Part(problem)} | dict.fromkeys(("migrations", "worker", "beat", "observer"), unknown)


def _not_written(written: Future[None], until: float) -> str:
    try:
        _wait(written, until)
    except TimeoutError:
        return f"The database can be read, but did not take a write within {PATIENCE_SECONDS:g} s."
    except Error as error:
        log.warning("database_not_written", problem=str(error))
        return "The database can be read but not written: the log says why."
    return ""


def _read() -> Parts:
    missing = missing_migrations()
    if missing:
        # Without its tables nothing else can be read.
        found = Part(f"{len(missing)} migrations are not applied, {missing[0]} first: run manage.py migrate.")
        unknown = Part("Unknown, because the database's tables are not up to date.")
        return {"database": Part(), "migrations": found} | dict.fromkeys(("worker", "beat", "observer"), unknown)
    return {"database": Part(), "migrations": Part(), **_beats(heartbeats.read_all()), **_heartbeat_url()}


def _write() -> None:
    if not Heartbeat.objects.filter(name=WEB, at__gt=timezone.now() - PROOF).exists():
        heartbeats.show(WEB)


def missing_migrations() -> list[str]:
    """What this release wants and the database has not, as app.name."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{app}.{name}" for app, name in _wanted() if (app, name) not in applied]


@cache
def _wanted() -> tuple[tuple[str, str], ...]:
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    ordered = dict.fromkeys(node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf))
    return tuple(ordered)


def _beats(beats: dict[str, Beat]) -> Parts:
    queues = {queue: beats[queue] for queue in heartbeats.QUEUES}
    observer = _beat("AWS was last read", beats[heartbeats.OBSERVER], "applications may have changed")
    return {
        "worker": _worker(queues),
        "beat": _beat("Beat", beats[heartbeats.BEAT], "applications are not read and lost work is not picked up"),
        # Without applications there is nothing to read.
        "observer": observer if observer.ok or Application.objects.exists() else Part(),
    }


def _worker(queues: dict[str, Beat]) -> Part:
    ages = [beat.age_seconds for beat in queues.values()]
    age = max((each for each in ages if each is not None), default=None) if None not in ages else None
    silent = [name for name, beat in queues.items() if not beat.ok]
    if not silent:
        return Part(age_seconds=age)
    named = f"queue{'s' if len(silent) > 1 else ''} {', '.join(silent)}"
    return Part(f"No worker runs tasks of the {named}: start one, or look whether it hangs.", age)


def _beat(who: str, beat: Beat, meanwhile: str) -> Part:
    if beat.ok:
        return Part(age_seconds=beat.age_seconds)
    seen = "never" if beat.age_seconds is None else f"{beat.age_seconds:.0f} s ago"
    verb = " was last seen" if who == "Beat" else ""
    return Part(f"{who}{verb} {seen}: {meanwhile}.", beat.age_seconds)


def _heartbeat_url() -> Parts:
    """Somebody else's service is no reason to take the panel out of use."""
    found = dead_man.last()
    return {} if found is None else {"heartbeat_url": Part(found.problem, found.age_seconds, counts=False)}


_rows: Probe[Parts] = Probe(_read)
_written: Probe[None] = Probe(_write)
_pong: Probe[bool] = Probe(broker.answers)
