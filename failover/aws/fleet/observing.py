"""Every application of one account, region and role observed together.

What it costs, per sweep of idle applications that share load balancers and a cluster: an alarm call per 100 alarms, a
route call per 100 routes, a service call per 20 applications, a bounds call per 50, a metrics call per 50 and metric
period, and a share of the chores. An application that does something costs up to five calls more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from failover.aws.clients import Readers
from failover.aws.fleet import parts, pools
from failover.aws.fleet.batch import Asker
from failover.aws.fleet.chores import Chores
from failover.aws.fleet.pace import Pace
from failover.aws.fleet.sweep import Sweep
from failover.model import Application, Reading, Snapshot
from failover.ports import Clock

BUDGET_SECONDS = 10.0  # of a sweep; what was not read by then is read in the next one


class Fleet:
    """Keep it as long as the clients: it remembers what batches AWS takes and what failed. Threads take turns."""

    def __init__(self, readers: Readers, pace: Pace, clock: Clock = time.time) -> None:
        pace.attach(readers)
        self.pace = pace
        self._readers = readers
        self._clock = clock
        self._asker = Asker(clock)
        self._tried: dict[str, float] = {}
        self._turn = threading.Lock()

    def observe(
        self,
        applications: Sequence[Application],
        known: Mapping[str, Snapshot] | None = None,
        busy: Collection[str] = (),
    ) -> dict[str, Snapshot]:
        """A snapshot of each by slug; a part that it was not time or turn for is not read.

        All are of the clients' account, region and role. `known` are the newest snapshots, `busy` the slugs of those
        that an operation runs for. Raises nothing of AWS's: what fails is unknown, with its problem.
        """
        sweep = Sweep(applications, self._readers, self._asker, self.pace, self._clock, known or {}, busy)
        with self._turn:
            began = self._clock()
            self.pace.begin()
            self._asker.until = began + BUDGET_SECONDS
            found = self._parts(sweep)
        return {
            each.slug: Snapshot(began, **{part: readings.get(each.slug, Reading()) for part, readings in found.items()})
            for each in applications
        }

    def _parts(self, sweep: Sweep) -> dict[str, Mapping[str, Any]]:
        """In order of what an operator needs most; readings by slug, by the snapshot's field."""
        (alarms, prewarm), managed = parts.alarms(sweep), parts.managed_routes(sweep)
        services = pools.read_services(sweep)
        targets = pools.targets(sweep, managed, services)
        bounds, metrics = parts.bounds(sweep), parts.metrics(sweep)
        chores = Chores(sweep, self._tried)
        chores.run()
        return {
            "alarms": alarms,
            "prewarm": prewarm,
            "routes": {**managed, **chores.routes},
            "service": services,
            "targets": targets,
            "scaling": bounds,
            "metrics": metrics,
            "limits": chores.limits,
            "versions": chores.versions,
        }
