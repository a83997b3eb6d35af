"""A hundred failovers at once, five in each of twenty accounts, in virtual time: how long each takes beside a single.

The controller, the lab's model and its token buckets are the real ones. What stands between them is modelled here: the
stepping worker's threads, which take what is due in turn; one interpreter a process, so that what a step computes waits
for what others compute; the bound on an account's steps; and sweeps that read each account as fast as they may.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.quiet import Quiet
from bench.simulate.clients import clients
from bench.simulate.play import application_of
from failover.aws.adapter import Adapter
from failover.controller import step
from failover.leases import Unshared
from failover.model import Application, Goal, Kind, Policy, Progress, Request
from lab import worldfile
from lab.virtual import VirtualLab
from lab.worldfile import WorldTable
from panel import queues

WORLD = Path(__file__).parent / "worlds" / "quick.toml"
ACCOUNTS, EACH = 20, 5
LATENCY_SECONDS = 0.05  # of a call
CPU_SECONDS = 0.03  # of a step: its calls through boto3 and its queries; bench.sweep measures as much of a look
OBSERVE_SECONDS = 0.5
# What `failover.aws.fleet.pace` lets the sweeps of an account take in that time.
OBSERVED = (
    ("cloudwatch", "DescribeAlarms", 1),
    ("elbv2", "DescribeRules", 1),
    ("ecs", "DescribeServices", 2),
    ("application-autoscaling", "DescribeScalableTargets", 1),
)
LONGEST_SECONDS = 900.0
MOST_TIMES = 1.3
# A task runs half a minute after it was asked for, as Fargate's do at best, and is healthy after two checks.
PROVISIONING_SECONDS, PENDING_SECONDS, HEALTH_SECONDS = 10.0, 20.0, 5.0
POLICY = Policy(failover_count=2, min_healthy=2, metric_period_seconds=5)


@dataclass(frozen=True)
class Workers:
    """`threads` in each of so many `processes`; of one account at most `at_once` are stepped at the same time."""

    processes: int = 1
    threads: int = queues.WORKERS[queues.STEPS][1]
    at_once: int = queues.STEPS_AT_ONCE_OF_AN_ACCOUNT


# What docs/scale.md advises for a hundred operations at once; `Workers()` is what the panel starts by itself.
ENOUGH = Workers(processes=2)


class Throttled:
    """Implements `bench.simulate.clients.Watch`: counts calls, and those that AWS did not take."""

    def __init__(self) -> None:
        self.calls = self.refused_calls = 0

    def before(self, operation: str, given: dict[str, Any]) -> None:  # noqa: ARG002 - only how many
        self.calls += 1

    def after(self, operation: str, given: dict[str, Any], output: dict[str, Any]) -> None: ...

    def refused(self, operation: str) -> None:  # noqa: ARG002 - only how many
        self.refused_calls += 1


class Account:
    """A lab of its own, whose clock is moved on to whenever somebody looks."""

    def __init__(self, count: int, number: int) -> None:
        self.lab = VirtualLab(_world(count), seed=number)
        self.began = self.lab.now
        self.watch = Throttled()
        self.held = 0
        self.emptiest = 1.0
        for slug in self.lab.cloud.applications:
            self.lab.flow(slug, 5.0)

    def clock(self) -> float:
        return self.lab.now

    def at(self, now: float) -> None:
        """Moves its clock to so many seconds after the beginning."""
        behind = self.began + now - self.lab.now
        if behind > 0:
            self.lab.run(behind)

    def observe(self) -> None:
        """The sweeps take their share of what the account allows."""
        for service, operation, calls in OBSERVED:
            for _ in range(calls):
                self._admitted(service, operation)

    def look(self) -> None:
        """How full is the emptiest of its buckets?"""
        levels = self.lab.cloud.throttling.levels(self.lab.cloud.account, self.lab.cloud.region, self.lab.now)
        self.emptiest = min(self.emptiest, *(level / limit.capacity for limit, level in levels.items()))

    def _admitted(self, service: str, operation: str) -> None:
        cloud = self.lab.cloud
        if not cloud.throttling.admits(cloud.account, cloud.region, service, operation, self.lab.now):
            self.watch.refused_calls += 1


@dataclass
class Pursuit:
    """One failover; `ended` is None until it did, and `kind` says how."""

    account: Account
    application: Application
    adapter: Adapter
    progress: Progress = field(default_factory=Progress)
    due: float = 0.0
    ended: float | None = None
    kind: Kind | None = None
    headline: str = ""


@dataclass
class Played:
    accounts: list[Account]
    pursuits: list[Pursuit]
    waited: float = 0.0
    steps: int = 0

    @property
    def seconds(self) -> list[float]:
        return [LONGEST_SECONDS if each.ended is None else each.ended for each in self.pursuits]

    @property
    def done(self) -> int:
        return sum(each.kind is Kind.DONE for each in self.pursuits)

    @property
    def throttled(self) -> int:
        return sum(each.watch.refused_calls for each in self.accounts)

    @property
    def calls(self) -> int:
        return sum(each.watch.calls for each in self.accounts)


def play(accounts: int, each: int, workers: Workers) -> Played:
    """So many failovers, all asked for in the same moment, until the last has ended."""
    places = [Account(each, number) for number in range(accounts)]
    played = Played(places, [pursuit for place in places for pursuit in _pursuits(place)])
    _Worker(workers, played).run()
    return played


def _pursuits(account: Account) -> Iterator[Pursuit]:
    for slug in account.lab.cloud.applications:
        application = application_of(account.lab, slug, POLICY)
        lab = account.lab
        adapter = Adapter(application, clients(lab, application.region, account.watch), account.clock)
        yield Pursuit(account, application, adapter)


class _Worker:
    """The stepping worker: a queue, and threads that take from it."""

    def __init__(self, workers: Workers, played: Played) -> None:
        self._workers, self._played = workers, played
        self._queue: deque[Pursuit] = deque()
        self._agenda: list[tuple[float, int, str, Any]] = []
        self._order = itertools.count()
        self._free = workers.processes * workers.threads
        self._computed = [0.0] * workers.processes  # until when each interpreter is busy

    def run(self) -> None:
        for pursuit in self._played.pursuits:
            self._at(0.0, "due", pursuit)
        self._at(0.0, "observe")
        while self._agenda and any(each.ended is None for each in self._played.pursuits):
            now, _, what, about = heapq.heappop(self._agenda)
            if now > LONGEST_SECONDS:
                return
            getattr(self, f"_{what}")(now, about)
            while self._free and self._queue:
                self._take(now, self._queue.popleft())

    def _at(self, when: float, what: str, about: Any = None) -> None:
        heapq.heappush(self._agenda, (when, next(self._order), what, about))

    def _due(self, now: float, pursuit: Pursuit) -> None:
        pursuit.due = now
        self._queue.append(pursuit)

    def _again(self, _: float, pursuit: Pursuit) -> None:
        self._queue.append(pursuit)

    def _observe(self, now: float, _: Any) -> None:
        for account in self._played.accounts:
            account.at(now)
            account.observe()
            account.look()
        self._at(now + OBSERVE_SECONDS, "observe")

    def _take(self, now: float, pursuit: Pursuit) -> None:
        account = pursuit.account
        if account.held >= self._workers.at_once:
            self._at(now + queues.CROWDED_SECONDS, "again", pursuit)
            return
        self._played.waited += now - pursuit.due
        self._played.steps += 1
        self._free -= 1
        account.held += 1
        account.at(now)
        before = account.watch.calls
        outcome = step(
            pursuit.application, Request(Goal.FAILOVER), pursuit.progress,
            aws=pursuit.adapter, journal=Quiet(), lease=Unshared(), clock=account.clock,
        )  # fmt: skip
        account.look()
        pursuit.progress, pursuit.headline = outcome.progress, outcome.decision.headline
        ends = self._ends(now, account.watch.calls - before)
        self._at(ends, "stepped", (pursuit, outcome.decision.kind, outcome.decision.wait))

    def _ends(self, now: float, calls: int) -> float:
        """When a step ends that begins now: its calls take their time, and its interpreter computes for one at once."""
        process = min(range(len(self._computed)), key=lambda each: self._computed[each])
        self._computed[process] = max(self._computed[process], now) + CPU_SECONDS
        return max(now + calls * LATENCY_SECONDS + CPU_SECONDS, self._computed[process])

    def _stepped(self, now: float, about: tuple[Pursuit, Kind, float]) -> None:
        pursuit, kind, wait = about
        self._free += 1
        pursuit.account.held -= 1
        if kind in (Kind.ACT, Kind.WAIT):
            self._at(now + wait, "due", pursuit)
        else:
            pursuit.ended, pursuit.kind = now, kind


def _world(count: int) -> WorldTable:
    table = worldfile.load(WORLD)
    [like] = table.applications.values()
    task = replace(
        like.task,
        provisioning_seconds=PROVISIONING_SECONDS,
        pending_seconds=PENDING_SECONDS,
        health_check_interval_seconds=HEALTH_SECONDS,
    )
    applications = {
        f"api-{number}": replace(
            like,
            name=f"API {number}",
            task=task,
            alarms=tuple(replace(alarm, name=f"api-{number}-{place}") for place, alarm in enumerate(like.alarms)),
        )
        for number in range(count)
    }
    return replace(table, applications=applications)


def measure() -> list[Figure]:
    """A single failover, and a hundred at once."""
    single = play(1, 1, Workers())
    [alone] = single.seconds
    figures = [Figure("seconds of a failover, the longest", round(alone, 1), "s", of="a single one")]
    for workers in (Workers(), ENOUGH):
        figures += _figures(play(ACCOUNTS, EACH, workers), alone, workers)
    return figures


def _figures(played: Played, alone: float, workers: Workers) -> Iterator[Figure]:
    of = f"100, {workers.processes} x {workers.threads} threads"
    times = max(played.seconds) / alone
    yield Figure("seconds of a failover, the longest", round(max(played.seconds), 1), "s", of=of)
    yield Figure("times a single one, at most", round(times, 2), of=of, most=MOST_TIMES)
    yield Figure("failovers that succeeded", played.done, of=of, better="higher", least=ACCOUNTS * EACH)
    yield Figure("calls that AWS throttled", played.throttled, of=of, most=0)
    yield Figure("left in the emptiest bucket", _emptiest(played), "%", of=of, better="higher")
    yield Figure("AWS calls a failover", round(played.calls / len(played.pursuits), 1), of=of)
    yield Figure("seconds that a step waits for a thread", round(played.waited / played.steps, 2), "s", of=of)


def _emptiest(played: Played) -> float:
    return round(100 * min(each.emptiest for each in played.accounts))
