"""A worker that is killed outright between any two steps of an operation: the end is the same, no write is repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from panel.fleet.models import Application
from panel.operations import services
from panel.operations.journal import LEASE, Lease
from panel.operations.models import Operation
from tests.panel.engine.boundaries import Boundaries
from tests.panel.engine.harness import Engine
from tests.panel.engine.shared_aws import Written


@dataclass
class Rehearsal:
    """Runs operations one after the other on one worker process; waiting is skipped by moving the row's times."""

    engine: Engine
    application: Application
    boundaries: Boundaries = field(init=False)

    def __post_init__(self) -> None:
        self.boundaries = Boundaries(self.engine.directory)

    def run(self, goal: str, die_at: int | None = None) -> tuple[Operation, list[Written]]:
        """The operation when it has ended, and what it wrote to AWS. With `die_at` the worker dies there, once."""
        self.boundaries.begin(die_at)
        before = len(self.engine.aws.written)
        operation = services.request_operation(self.application, goal, trigger="manual", reason="a rehearsal")
        self.engine.until(lambda: self._ended(operation), f"the end of {operation}")
        self.engine.until(self._at_rest, "the worker to be done with it")
        return operation, self.engine.aws.written[before:]

    def _ended(self, operation: Operation) -> bool:
        operation.refresh_from_db()
        if operation.status not in Operation.ACTIVE:
            return True
        now = timezone.now()
        Operation.objects.filter(pk=operation.pk, next_step_at__gt=now).update(next_step_at=now)
        if self.boundaries.died_holding_a_lease:
            self._pass_a_lease_length(operation, now)
        services.wake(operation)
        return False

    def _pass_a_lease_length(self, operation: Operation, now: datetime) -> None:
        assert Lease.claim(operation.pk) is None, "the dead worker's lease was taken before its time"
        Operation.objects.filter(pk=operation.pk).update(lease_until=now - LEASE - timedelta(seconds=1))
        self.boundaries.begin(None)

    def _at_rest(self) -> bool:
        return self.boundaries.passed[-1:] != [] and self.boundaries.passed[-1].startswith("after storing the outcome")


@pytest.fixture
def rehearsal(engine: Engine, application: Application) -> Rehearsal:
    engine.start_workers(1, 1, ENGINE_BOUNDARIES="yes")
    return Rehearsal(engine, application)


def one_of_each_kind(moments: list[str]) -> list[int]:
    """Where the last moment of each kind comes, counted from 1: before or after storing a decision, and so on."""
    return sorted({moment.split(":")[0]: place for place, moment in enumerate(moments, start=1)}.values())


def actions(written: list[Written]) -> list[str]:
    return [each.action for each in written]


def check_a_death_at(rehearsal: Rehearsal, goal: str, die_at: int, calm: list[str], moment: str) -> None:
    operation, written = rehearsal.run(goal, die_at)
    assert operation.status == "succeeded", f"killed {moment}: {operation.error}"
    assert actions(written) == calm, f"killed {moment}"
    leases = [each.lease for each in written]
    assert leases == sorted(leases), f"killed {moment}: writes of an older lease came after those of a newer one"
    assert {each.operation for each in written} <= {operation.pk}
    told = operation.journal.filter(kind="call").values_list("message", flat=True)
    assert len(told) == len(set(told)) <= len(calm)


def play(rehearsal: Rehearsal, *, every: bool) -> int:
    """Kill a worker at the moments of a failover and a failback, in turns. Answers with how many were played."""
    calm, places, moments = {}, {}, {}
    for goal in ("failover", "failback"):
        operation, written = rehearsal.run(goal)
        assert operation.status == "succeeded", operation.error
        moments[goal], calm[goal] = rehearsal.boundaries.passed, actions(written)
        passed = len(moments[goal])
        places[goal] = list(range(1, passed + 1)) if every else one_of_each_kind(moments[goal])
    for turn in range(max(map(len, places.values()))):
        for goal in ("failover", "failback"):
            die_at = places[goal][turn % len(places[goal])]
            check_a_death_at(rehearsal, goal, die_at, calm[goal], f"in a {goal}, {moments[goal][die_at - 1]}")
    return sum(map(len, places.values()))


@pytest.mark.timeout(300)
def test_killed_at_each_kind_of_moment(rehearsal: Rehearsal) -> None:
    assert play(rehearsal, every=False) == 2 * 10


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_killed_at_every_moment(rehearsal: Rehearsal) -> None:
    assert play(rehearsal, every=True) > 80
