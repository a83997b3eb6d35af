"""What it takes to look at 1,000 applications in 20 accounts once, beside looking at each application by itself.

The panel's own task on PostgreSQL, in a process with as many threads as the panel's observing worker has; AWS is in
memory, in the same process, and answers after 50 ms.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import django
from django.db import connection

from bench.figures import Figure
from bench.postgresql import start_postgresql
from panel import collecting, queues

if TYPE_CHECKING:
    from bench.sweep_world import StandIn

ACCOUNTS, EACH, BALANCERS = 20, 50, 2
SWEEPS = 4
EVERY_SECONDS = 5.0
MOST_CALLS, MOST_SECONDS, MOST_IDLE_CALLS = 250, 15.0, 0.25
ALONE = 20  # applications of an account for each thread, looked at one by one: all of them would take minutes
IDLE_SWEEPS = 130  # eleven minutes of them: longer than what is read most rarely, each ten minutes


@dataclass(frozen=True)
class Look:
    """At everything once."""

    calls: int
    seconds: float
    cpu: float
    queries: int


def measure() -> list[Figure]:
    """In processes of their own, whose Django belongs to a database that nobody else uses."""
    with start_postgresql() as server:
        env = {**os.environ, "DATABASE_URL": server.url, "PANEL_SECRET_KEY": secrets.token_hex(32)}
        argv = (sys.executable, "-m", "bench.sweep")
        told = subprocess.run(argv, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    found = json.loads(told.splitlines()[-1])
    together = [Look(**each) for each in found["together"]]
    return _figures(together[0], together[1:], Look(**found["alone"]), found["few"])


def _figures(first: Look, later: Sequence[Look], alone: Look, few: int) -> list[Figure]:
    count = ACCOUNTS * EACH
    ours, naive = f"{ACCOUNTS} accounts of {EACH} together", f"each of {count:,} by itself"
    factor = count / few
    dearest = max(each.calls for each in later)
    slowest = max(each.seconds for each in later)
    return [
        Figure("AWS calls of a sweep, at most", dearest, of=ours, most=MOST_CALLS),
        Figure("AWS calls of a sweep, at most", round(alone.calls * factor), of=naive),
        Figure("… calls of the first, when nothing is known", first.calls, of=ours),
        Figure("seconds of a sweep, at most", round(slowest, 1), "s", of=ours, most=MOST_SECONDS),
        Figure("seconds of a sweep, at most", round(alone.seconds * factor, 1), "s", of=naive),
        Figure("… seconds of the first, when nothing is known", round(first.seconds, 1), "s", of=ours),
        Figure("seconds of CPU of a sweep, at most", round(max(each.cpu for each in later), 1), "s", of=ours),
        Figure("seconds of CPU of a sweep, at most", round(alone.cpu * factor, 1), "s", of=naive),
        Figure("queries an application, at most", round(max(each.queries for each in later) / count, 1), of=ours),
        Figure("queries an application, at most", round(alone.queries / (few), 1), of=naive),
        Figure("AWS calls an application and sweep, 11 minutes", idle_calls(EACH), of=ours, most=MOST_IDLE_CALLS),
    ]


def idle_calls(count: int, balancers: int = BALANCERS) -> float:
    """As tests/failover/aws/test_fleet_calls.py counts them, in virtual time."""
    from tests.failover.aws.account import Account  # noqa: PLC0415 - a process of `main` needs its settings first
    from tests.failover.aws.watch import fleet_of  # noqa: PLC0415

    watch = fleet_of(Account(), count, balancers)
    watch.sweep(IDLE_SWEEPS)  # whatever is read once, is read
    counts: list[int] = watch.calls(IDLE_SWEEPS)
    return round(sum(counts) / len(counts) / count, 3)


# ---- what `measure` starts ----


def main() -> None:
    """Prints every look as JSON on the last line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
    import panel.celery  # noqa: PLC0415 - settings come from the environment that `measure` made

    django.setup()
    panel.celery.app.loader.import_default_modules()
    logging.disable(logging.CRITICAL)  # no broker runs here, and each hint would say so
    from bench.sweep_world import StandIn, fill  # noqa: PLC0415 - needs the set-up above

    accounts = fill(ACCOUNTS, EACH, BALANCERS)
    collecting.leave_out_what_is_loaded()  # as a worker does
    worker = Worker(StandIn(EACH, BALANCERS))
    together = []
    for _ in range(SWEEPS):
        together.append(worker.looked(worker.sweep, [rows[:1] for rows in accounts]))
        time.sleep(max(0.0, EVERY_SECONDS - together[-1].seconds))
    few = [rows[:ALONE] for rows in accounts[: worker.threads]]
    worker.looked(worker.alone, few)  # whatever is read once, is read
    alone = worker.looked(worker.alone, few)
    told = {"together": [asdict(each) for each in together], "alone": asdict(alone), "few": worker.threads * ALONE}
    print(json.dumps(told))  # noqa: T201 - read by `measure`


class Worker:
    """The observing worker's threads, without a broker before them."""

    def __init__(self, aws: StandIn) -> None:
        self.aws, self.threads, self._queries = aws, queues.WORKERS[queues.OBSERVE][1], 0
        self._pool = ThreadPoolExecutor(self.threads)

    def looked(self, work: Callable[[list[int]], None], accounts: Sequence[list[int]]) -> Look:
        """Have every account's work done, as fast as the threads come to it."""
        asked, queries, began, busy = self.aws.asked(), self._queries, time.monotonic(), time.process_time()
        list(self._pool.map(partial(self._counted, work), accounts))
        seconds, cpu = time.monotonic() - began, time.process_time() - busy
        return Look(self.aws.asked() - asked, seconds, cpu, self._queries - queries)

    def sweep(self, rows: list[int]) -> None:
        from panel.fleet import tasks  # noqa: PLC0415 - as in `main`

        tasks.sweep(rows[0])

    def alone(self, rows: list[int]) -> None:
        """As an event has one application looked at."""
        from panel.fleet.models import Application  # noqa: PLC0415
        from panel.fleet.observation import observe  # noqa: PLC0415
        from panel.operations import automatic  # noqa: PLC0415

        for application in Application.objects.filter(pk__in=rows):
            snapshot = observe(application)
            if snapshot is not None:
                automatic.consider(application, snapshot, counts=False)

    def _counted(self, work: Callable[[list[int]], None], rows: list[int]) -> None:
        def count(execute: Callable[..., Any], *given: Any) -> Any:
            self._queries += 1
            return execute(*given)

        with connection.execute_wrapper(count):
            work(rows)


if __name__ == "__main__":
    main()
