"""What breaks in a cell, and at which moment of an operation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random

from bench.chaos.rows import UnderWay
from bench.chaos.stage import Stage

PHASES = ("start", "capacity", "healthy", "shift", "settle", "going_back", "bake", "drain", "scale_in", "stop", "done")
LATEST_SECONDS = 1.0


@dataclass(frozen=True)
class Moment:
    """When an operation with this goal has come to this phase, and so many seconds later."""

    goal: str
    phase: str
    after_seconds: float

    def has_come(self, now: UnderWay | None) -> bool:
        return now is not None and now.goal == self.goal and PHASES.index(now.phase) >= PHASES.index(self.phase)

    def __str__(self) -> str:
        return f"{self.after_seconds:.1f} s after {self.phase} of a {self.goal}"


# Where each scenario can be broken: moments that come in every play of it.
MOMENTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "surge": (
        ("failover", "start"), ("failover", "capacity"), ("failover", "healthy"), ("failover", "shift"),
        ("failover", "settle"), ("failback", "start"), ("failback", "shift"), ("failback", "bake"),
        ("failback", "drain"),
    ),
    "never-healthy": (("failover", "start"), ("failover", "capacity"), ("failover", "healthy")),
    "sick-lambda": (("failover", "shift"), ("failback", "start"), ("failback", "shift")),
    "dies-on-traffic": (("failover", "healthy"), ("failover", "shift")),
}  # fmt: skip


def moment_of(scenario: str, random: Random) -> Moment:
    goal, phase = random.choice(MOMENTS[scenario])
    return Moment(goal, phase, random.uniform(0, LATEST_SECONDS))


@dataclass(frozen=True)
class Fault:
    """`meaning` says precisely what is done."""

    name: str
    title: str
    meaning: str
    happen: Callable[[Stage, Random], Awaitable[None]]


async def _nothing(_stage: Stage, _random: Random) -> None:
    """The same scenario with nothing broken."""


async def _worker_killed(stage: Stage, random: Random) -> None:
    await stage.supervisor.bounce("worker-steps", random.uniform(0.5, 3), kill=True)


async def _redis_lost(stage: Stage, random: Random) -> None:
    await stage.supervisor.bounce("broker", random.uniform(3, 8), kill=True)


async def _database_restarted(stage: Stage, random: Random) -> None:
    await stage.restart_database(random.uniform(1, 5))


async def _web_restarted(stage: Stage, random: Random) -> None:
    await stage.supervisor.bounce("web", random.uniform(1, 5), kill=False)


def _switched(switch: str, value: object, least: float, most: float) -> Callable[[Stage, Random], Awaitable[None]]:
    async def happen(stage: Stage, random: Random) -> None:
        await stage.switch(switch, value)
        try:
            await asyncio.sleep(random.uniform(least, most))
        finally:
            await stage.switch(switch, None)

    return happen


def _clock(low: float, high: float, lasts: float) -> Callable[[Stage, Random], Awaitable[None]]:
    async def happen(stage: Stage, random: Random) -> None:
        stage.set_clock(random.uniform(low, high))
        await asyncio.sleep(lasts)
        stage.set_clock(0)

    return happen


WRITES = ["ecs:UpdateService", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"]

FAULTS: Mapping[str, Fault] = {
    each.name: each
    for each in (
        Fault("none", "calm", "nothing breaks", _nothing),
        Fault(
            "worker-killed", "worker -9", "the worker that steps operations and all its processes get SIGKILL and are"
            " started again 0.5 to 3 s later", _worker_killed,
        ),
        Fault(
            "redis-lost", "Redis lost", "the broker gets SIGKILL and comes back empty 3 to 8 s later", _redis_lost,
        ),
        Fault(
            "database-restarted", "database", "PostgreSQL is shut down without waiting for clients (\"fast\") and"
            " started 1 to 5 s later", _database_restarted,
        ),
        Fault(
            "web-restarted", "web", "the web server is ended with SIGTERM and started 1 to 5 s later", _web_restarted,
        ),
        Fault(
            "aws-throttled", "throttled", "for 8 to 15 s each of AWS's APIs is throttled",
            _switched("api_throttled", value=True, least=8, most=15),
        ),
        Fault(
            "aws-5xx", "AWS 5xx", "for 8 to 15 s each call of AWS is answered with 503",
            _switched("api_outage", ["all"], 8, 15),
        ),
        Fault(
            "answer-lost", "lost answer", "for 15 to 25 s writes to ECS and to the load balancer take effect and the"
            " connection closes without an answer", _switched("api_answer_lost", WRITES, 15, 25),
        ),
        Fault(
            "clock-ahead", "clock +", "the panel's time of day, in every process of it, is 2 to 10 minutes ahead for"
            " 15 s, then right again", _clock(120, 600, 15),
        ),
        Fault(
            "clock-back", "clock -", "the panel's time of day, in every process of it, is 20 to 90 s behind for 15 s,"
            " then right again", _clock(-90, -20, 15),
        ),
    )
}  # fmt: skip
