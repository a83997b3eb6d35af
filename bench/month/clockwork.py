"""The panel's workers and beat in one thread and in virtual time, beside a lab in the same time.

Tasks are the panel's own, called in-process. What beat asks for every few seconds comes less often here, since a month
has a million of those; wake-ups come when they are due, as always.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from lab.virtual import VirtualLab
from panel import dispatch, live_hints
from panel.celery import app
from panel.drills.models import Drill
from panel.fleet import heartbeats
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.notify.models import Delivery
from panel.operations.models import Operation
from panel.watch import tally

STEP_SECONDS = 15.0  # of the lab, after which wake-ups that it led to are looked for
BUSY_SECONDS = 30.0  # between two runs of what beat asks for, while something is under way
QUIET_SECONDS = 900.0  # and while nothing is: as long as samples may come late
SCHEDULES = "drills.sweep"
IN_TIME_SECONDS = 120.0  # what a schedule asks for is started no later than five minutes after its time
LOOKING = "fleet.observe_all"
LOOKING_SECONDS = 120.0  # a step reads for itself what it needs


class Clockwork:
    """Takes the dispatcher's place. ``run`` lets time pass, and does everything that gets due in it.

    While it is ``attentive`` it looks as often as when something is under way: a drill wants to know how things stand.
    """

    def __init__(self, lab: VirtualLab) -> None:
        self.lab = lab
        self.failures: Counter[str] = Counter()
        self.ran: Counter[str] = Counter()
        self._waiting: list[tuple[float, int, str, tuple[int | str, ...]]] = []
        self._pending: set[tuple[str, tuple[int | str, ...]]] = set()
        self._order = itertools.count()
        self._ticks = {each["task"]: each["schedule"] for each in app.conf.beat_schedule.values()}
        self._ticked = dict.fromkeys(self._ticks, lab.now)
        self._busy = self.attentive = False
        setattr(dispatch, "_dispatcher", self)  # noqa: B010 - one that waits in virtual time
        setattr(live_hints, "publish", _nobody_watches)  # noqa: B010 - there is no browser

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def put(self, wakeup: dispatch.Wakeup, _trail: Mapping[str, str]) -> None:
        """As the dispatcher takes it. Equal wake-ups that are due at once are one."""
        key = (wakeup.task, wakeup.arguments)
        if wakeup.seconds == 0:
            if key in self._pending:
                return
            self._pending.add(key)
        heapq.heappush(self._waiting, (self.lab.now + wakeup.seconds, next(self._order), wakeup.task, wakeup.arguments))

    def run(self, seconds: float) -> None:
        until = self.lab.now + seconds
        while self.lab.now < until:
            due = self._waiting[0][0] if self._waiting else until
            step = max(0.1, min(due - self.lab.now, STEP_SECONDS, until - self.lab.now))
            self.lab.run(step)
            self._work()

    def _work(self) -> None:
        did = False
        while self._waiting and self._waiting[0][0] <= self.lab.now:
            _, _, task, arguments = heapq.heappop(self._waiting)
            self._pending.discard((task, arguments))
            self._do(task, *arguments)
            did = True
        for task, schedule in self._ticks.items():
            if self.lab.now - self._ticked[task] >= max(float(schedule), self._between(task)):
                self._ticked[task] = self.lab.now
                self._do(task)
                did = True
        if did:
            self._busy = _something_is_under_way()

    def _between(self, task: str) -> float:
        if not (self._busy or self.attentive):
            return IN_TIME_SECONDS if task == SCHEDULES else QUIET_SECONDS
        return LOOKING_SECONDS if task == LOOKING else BUSY_SECONDS

    def show_signs_of_life(self) -> None:
        """What the workers and beat do between their tasks."""
        tally.flush()
        for name in (*heartbeats.QUEUES, heartbeats.BEAT):
            heartbeats.show(name)

    def _do(self, task: str, *arguments: int | str) -> None:
        self.ran[task] += 1
        try:
            app.tasks[task](*arguments)
        except Exception as problem:  # noqa: BLE001 - a worker survives it too; it is told in the report
            self.failures[f"{task}: {type(problem).__name__}: {problem}"[:200]] += 1


def backlog(hour_ago: datetime) -> dict[str, int]:
    """What has waited since then: events, deliveries, and operations and drills that should have gone on or ended."""
    return {
        "events that wait": Event.objects.filter(status=Event.Status.STORED, received_at__lt=hour_ago).count(),
        "deliveries that wait": Delivery.objects.filter(
            status=Delivery.Status.WAITING, next_try_at__lt=hour_ago
        ).count(),
        "operations overdue": Operation.objects.filter(
            Q(next_step_at__lt=hour_ago) | Q(next_step_at=None), status__in=Operation.ACTIVE
        ).count(),
        "drills overdue": Drill.objects.filter(state__in=Drill.ACTIVE, created_at__lt=hour_ago).count(),
    }


def _something_is_under_way() -> bool:
    under_way = Operation.objects.filter(application=OuterRef("pk"), status__in=Operation.ACTIVE)
    return (
        Application.objects.filter(Exists(under_way)).exists()
        or Drill.objects.filter(state__in=Drill.ACTIVE).exists()
        or Event.objects.filter(status=Event.Status.STORED).exists()
        or Delivery.objects.filter(status=Delivery.Status.WAITING).exists()
    )


def _nobody_watches(_slug: str) -> None:
    """A hint that no live update takes."""
