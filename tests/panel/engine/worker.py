"""The panel's own Celery application on the shared fake AWS: `celery -A tests.panel.engine.worker worker`.

ENGINE_DIRECTORY is where the harness keeps its files. With ENGINE_BOUNDARIES set, the worker can be told to die.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import django
from django.db import transaction

from panel.celery import app

django.setup()

from panel.fleet import connections  # noqa: E402 - models need the set-up above
from panel.ingest import processing  # noqa: E402
from panel.ingest.models import Event  # noqa: E402
from panel.operations import journal, stepping  # noqa: E402
from tests.panel.engine.boundaries import Boundaries  # noqa: E402
from tests.panel.engine.shared_aws import SharedAws  # noqa: E402
from tests.panel.fake_aws import FakeFleet  # noqa: E402

__all__ = ["app"]

directory = Path(os.environ["ENGINE_DIRECTORY"])


@functools.cache
def shared_aws(application: object) -> SharedAws:
    return SharedAws(application, directory)


def take_the_place_of_aws() -> None:
    connections.connect = shared_aws
    connections.fleet = lambda application: FakeFleet(shared_aws(application))


def note_leases() -> None:
    """Writes are noted with the lease that their thread claimed last: it steps one operation at a time."""
    claim = journal.Lease.claim

    def noted(operation_id: int) -> journal.Lease | None:
        lease = claim(operation_id)
        SharedAws.held.lease = lease or SharedAws.held.lease
        return lease

    journal.Lease.claim = noted


def note_processed_events() -> None:
    """A line for every time that the processing of an event was committed."""
    claim = processing._claim

    def noted(event: Event) -> bool:
        claimed = claim(event)
        if claimed:
            transaction.on_commit(functools.partial(_note, event.event_id))
        return claimed

    processing._claim = noted


def _note(event_id: str) -> None:
    with (directory / "processed").open("a") as lines:
        lines.write(f"{event_id}\n")


def count_boundaries() -> None:
    boundaries = Boundaries(directory)
    boundaries.around(journal.RowJournal, "decided", lambda _, decision: f"storing the decision: {decision.headline}")
    boundaries.around(SharedAws, "write", lambda _, action, *__: f"writing to AWS: {action}")
    boundaries.around(journal.RowJournal, "called", lambda _, call: f"journaling the write: {call.after}")
    boundaries.around(journal.RowJournal, "read_back", lambda *_: "journaling what was read back")
    boundaries.around(stepping, "_keep", lambda _, __, outcome: f"storing the outcome: {outcome.decision.headline}")


take_the_place_of_aws()
note_leases()
note_processed_events()
if os.environ.get("ENGINE_BOUNDARIES"):
    count_boundaries()
