"""The panel as a cell of the matrix runs it: with a clock that can be set, and every write to AWS noted as it is sent.

`celery --app bench.chaos.inside` and `gunicorn bench.chaos.inside:application` take the place of the panel's own names;
the product has no switch for any of it. CHAOS_NOTES is the file of notes, a JSON object a line; CHAOS_CLOCK the file
that holds by how many seconds the clock is wrong.

What is set is the time of day as the panel reads it in each of its processes: `time.time` and Django's `timezone.now`.
The monotonic clock goes on, as it does where NTP sets a clock; AWS and the SDK that signs keep the right time.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
from pathlib import Path
from typing import Any

from bench import clock

_clock = Path(os.environ["CHAOS_CLOCK"])


def _now() -> float:
    try:
        return clock.right_time() + float(_clock.read_text(encoding="ascii"))
    except (OSError, ValueError):  # nobody has set it wrong
        return clock.right_time()


clock.set_by(_now)

import django  # noqa: E402
from django.db import transaction  # noqa: E402

from panel.celery import app  # noqa: E402

django.setup()

from failover.aws import writing  # noqa: E402
from panel.ingest import processing  # noqa: E402
from panel.operations import journal  # noqa: E402

__all__ = ["app"]


def __getattr__(name: str) -> Any:
    """`application`, which only the web server wants: it also sets how the interpreter collects garbage."""
    if name == "application":
        return importlib.import_module("panel.wsgi").application
    raise AttributeError(name)


_held: list[journal.Lease] = []


def _note(what: str, **about: Any) -> None:
    line = json.dumps({"what": what, "at": clock.right_time(), "pid": os.getpid(), **about}) + "\n"
    # One write to a file opened for appending: lines of several processes do not mix.
    file = os.open(os.environ["CHAOS_NOTES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def _note_leases() -> None:
    """A worker process steps one operation at a time: its writes are under the lease that it claimed last."""
    claim = journal.Lease.claim

    def noted(operation_id: int) -> journal.Lease | None:
        lease = claim(operation_id)
        if lease is not None:
            _held[:] = [lease]
        return lease

    setattr(journal.Lease, "claim", noted)  # noqa: B010 - a class method takes no assignment for a type checker


def _note_writes() -> None:
    write = writing.write

    @functools.wraps(write)
    def noted(clients: Any, application: Any, action: Any, may_send: Any) -> Any:
        def may() -> bool:
            allowed = bool(may_send())
            if allowed:
                operation, version = (_held[0].operation_id, _held[0].version) if _held else (0, 0)
                _note("write", action=str(action), operation=operation, lease=version)
            return allowed

        return write(clients, application, action, may)

    writing.write = noted


def _note_processed_events() -> None:
    """A line each time that the processing of an event was committed."""
    claim = processing._claim  # noqa: SLF001 - where it is decided that an event is processed

    def noted(event: Any) -> bool:
        claimed = claim(event)
        if claimed:
            transaction.on_commit(functools.partial(_note, "processed", event=event.event_id))
        return claimed

    processing._claim = noted  # noqa: SLF001


_note_leases()
_note_writes()
_note_processed_events()
