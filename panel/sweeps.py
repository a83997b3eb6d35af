"""One look every two seconds at each table in which something may wait: whatever a lost wake-up left behind.

One task for all of them, since its message costs more than such a look. What only rests on others that are under way,
such as probes, is asked for here too, so that nothing is asked for while nothing is.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error

from panel import dispatch
from panel.celery import app
from panel.drills import tasks as drills
from panel.ingest import tasks as ingest
from panel.notify import tasks as notify
from panel.operations import tasks as operations
from panel.operations.models import Operation
from panel.probing.rounds import SLOT_SECONDS

log = structlog.get_logger(__name__)


def ask_for_probes() -> None:
    if Operation.objects.filter(status__in=Operation.ACTIVE).exists():
        dispatch.tick("probing.round", expires=SLOT_SECONDS)


SWEEPS: tuple[Callable[[], None], ...] = (
    operations.sweep,
    ingest.sweep,
    ask_for_probes,
    drills.go_on,
    notify.sweep,
)


@app.task(name="panel.sweep")  # type: ignore[untyped-decorator]  # celery has no types
def sweep() -> None:
    """One that fails leaves the others their turn; without a database there is none."""
    for look in SWEEPS:
        try:
            look()
        except (Error, SoftTimeLimitExceeded):
            raise
        except Exception:
            log.exception("sweep_failed", sweep=look.__name__)
