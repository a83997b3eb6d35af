"""The controller's own figures over the lab's HTTP endpoint, in real time: its calls, and how fast it writes."""

from __future__ import annotations

import json
import tempfile
import time
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.configuration import SLUG, application, environment
from bench.figures import Figure
from bench.quiet import Quiet
from bench.simulate.play import QUICK
from failover import aws
from failover.aws.adapter import Adapter
from failover.controller import step
from failover.leases import Unshared
from failover.model import (
    Action,
    Goal,
    Kind,
    Part,
    Position,
    Progress,
    Request,
    SetDesiredCount,
    SetSplit,
    Snapshot,
    Split,
)
from failover.ports import Call, MaySend, always
from lab.load import percentile
from lab.process import LabProcess, start_lab
from tests.failover.aws.account import Account
from tests.failover.aws.watch import fleet_of

WORLD = Path(__file__).parent / "worlds" / "quick.toml"
FAILOVERS = 20
WHOLE_FAILOVERS = 3  # the others end once their weights are read back
MOST_CALLS = 40  # beside two a second of waiting
CALLS_A_SECOND = 2
MOST_SECONDS = 1.5
IDLE_APPLICATIONS, IDLE_BALANCERS, IDLE_SWEEPS = 100, 4, 130
MOST_IDLE_CALLS = 0.25
REST_SECONDS = 30.0
LOOK_SECONDS = 0.1

POLICY = replace(QUICK, failover_count=2, settle_seconds=2)


class RestlessLabError(Exception):
    """The lab did not come to rest between two failovers; the message is a sentence."""


@dataclass
class Timed:
    """Implements `failover.ports.Aws`. ``shifts`` are the seconds from an observation to the return of the weight
    write that it led to: what the reading took is part of it.
    """

    adapter: Adapter
    shifts: list[float] = field(default_factory=list)
    _observed: float = 0.0

    def observe(self, parts: Collection[Part] = tuple(Part)) -> Snapshot:
        self._observed = time.monotonic()
        return self.adapter.observe(parts)

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        call = self.adapter.write(action, may_send)
        if isinstance(action, SetSplit):
            self.shifts.append(time.monotonic() - self._observed)
        return call


def measure(failovers: int = FAILOVERS) -> list[Figure]:
    """Calls and waiting of whole failovers, seconds to the weight write, calls of a fleet at rest."""
    with _lab() as lab, environment(lab):
        found = application(lab, POLICY)
        timed = Timed(aws.connect(found))
        every = [_failover(lab, timed, to_the_end=number < WHOLE_FAILOVERS) for number in range(failovers)]
        whole = every[:WHOLE_FAILOVERS]
    beyond = [calls - CALLS_A_SECOND * waited for calls, waited in whole]
    return [
        Figure("failovers", len(every), better=""),
        Figure("AWS calls of a whole failover, at most", max(calls for calls, _ in whole)),
        Figure("seconds of waiting in it, at most", round(max(waited for _, waited in whole), 1), "s", better=""),
        Figure("calls beyond two a second of waiting, at most", round(max(beyond), 1), most=MOST_CALLS),
        Figure("from the deciding observation to the return of the write, median", _spread(timed.shifts, 50), "s"),
        Figure("… 95th percentile", _spread(timed.shifts, 95), "s", most=MOST_SECONDS),
        Figure("calls an idle application and sweep", _idle_calls(), most=MOST_IDLE_CALLS),
    ]


@contextmanager
def _lab() -> Iterator[LabProcess]:
    with tempfile.TemporaryDirectory() as directory, start_lab(WORLD, Path(directory), port=0) as lab:
        yield lab


def _failover(lab: LabProcess, timed: Timed, *, to_the_end: bool) -> tuple[int, float]:
    """One failover, and back to rest. Answers with its AWS calls and its seconds of waiting."""
    before, waited, progress = _calls(lab), 0.0, Progress()
    while True:
        outcome = step(
            timed.adapter.application,
            Request(Goal.FAILOVER),
            progress,
            aws=timed,
            journal=Quiet(),
            lease=Unshared(),
            clock=time.time,
        )
        progress = outcome.progress
        ends = outcome.decision.kind not in (Kind.ACT, Kind.WAIT)
        if ends or (progress.phase == "settle" and not to_the_end):
            break
        waited += outcome.decision.wait
        time.sleep(outcome.decision.wait)
    calls = _calls(lab) - before
    if outcome.snapshot.position is not Position.ECS:
        raise RestlessLabError(f"A failover ended elsewhere: {outcome.decision.headline}: {outcome.decision.detail}")
    _rest(lab, timed.adapter)
    return calls, waited


def _rest(lab: LabProcess, adapter: Adapter) -> None:
    """Everything as it was: weights on Lambda, no task, no target."""
    route = adapter.application.routes[0].arn
    adapter.write(SetSplit(route, Split(100, 0), before=Split(0, 100)))
    time.sleep(1.0)  # until every node knows
    adapter.write(SetDesiredCount(0))
    deadline = time.monotonic() + REST_SECONDS
    while not _rests(_state(lab)):
        if time.monotonic() > deadline:
            raise RestlessLabError(f"Tasks or targets are left {REST_SECONDS:.0f} s after the failover.")
        time.sleep(LOOK_SECONDS)


def _rests(state: dict[str, Any]) -> bool:
    tasks, targets = state["service"]["tasks"], state["target_groups"]["ecs"]["targets"]
    return not targets and all(task["status"] == "STOPPED" for task in tasks)


def _idle_calls() -> float:
    """As tests/failover/aws/test_fleet_calls.py counts them, on average over 11 minutes of sweeps."""
    watch = fleet_of(Account(), IDLE_APPLICATIONS, IDLE_BALANCERS)
    watch.sweep(IDLE_SWEEPS)  # whatever is read once, is read
    counts: list[int] = watch.calls(IDLE_SWEEPS)
    return round(sum(counts) / len(counts) / IDLE_APPLICATIONS, 3)


def _spread(seconds: list[float], percent: float) -> float:
    return round(percentile(seconds, percent), 3)


def _calls(lab: LabProcess) -> int:
    return int(_ask(lab, "calls")["total"])


def _state(lab: LabProcess) -> dict[str, Any]:
    application: dict[str, Any] = _ask(lab, "state")["applications"][SLUG]
    return application


def _ask(lab: LabProcess, what: str) -> Any:
    with urllib.request.urlopen(f"{lab.endpoint}/_lab/{what}", timeout=5) as answer:  # noqa: S310 - loopback
        return json.load(answer)
