"""What the lab itself can carry: its own losses at load, and while weights flip.

A request fails only where AWS would lose it as well: when Lambda's concurrency is in use, it is throttled. The lab
counts its throttles, so what was lost beyond them is the lab's own loss.
"""

import asyncio
import json
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.figures import Figure
from lab.load import Load, Record, percentile
from lab.process import LabProcess, start_lab

WORLD = """
node_delays_seconds = [0.5, 3.0]

[applications.checkout.function]
reserved_concurrency = 8
warm_environments = 8

[applications.checkout.task]
desired_count = 3
provisioning_seconds = 0
pending_seconds = 0
health_check_interval_seconds = 1
"""
QUICK = (("/bang", 1.0), ("/pong", 1.0), ("/env", 1.0))
FLIP_SECONDS = 2.0


@dataclass(frozen=True)
class Phase:
    """``flips`` weight changes, evenly spread over the time."""

    name: str
    weights: tuple[int, int]
    rate: float
    seconds: float
    flips: int = 0


PHASES = (
    Phase("200 a second, ECS", (0, 1), 200, 60),
    Phase("60 a second, Lambda", (1, 0), 60, 60),
    Phase("60 a second, 20 flips", (1, 0), 60, 20 * FLIP_SECONDS, flips=20),
)


def measure() -> list[Figure]:
    """Each phase beside the others."""
    return [figure for row in _measured(PHASES) for figure in _figures(row)]


def _figures(row: dict[str, Any]) -> Iterator[Figure]:
    phase = row["phase"]
    yield Figure("requests", row["requests"], of=phase, better="")
    yield Figure("answered", row["per_second"], "/s", of=phase, better="higher")
    yield Figure("throttled", row["throttled"], of=phase, better="")
    yield Figure("lost beyond those", row["lost"], of=phase, most=0)
    yield Figure("answer time, median", row["p50_ms"], "ms", of=phase)
    yield Figure("answer time, 99th percentile", row["p99_ms"], "ms", of=phase)


def _measured(phases: tuple[Phase, ...]) -> list[dict[str, Any]]:
    """One row for each phase: requests, losses by status, rate, latency in milliseconds."""
    with tempfile.TemporaryDirectory() as directory:
        world = Path(directory) / "world.toml"
        world.write_text(WORLD, encoding="utf-8")
        with start_lab(world, Path(directory) / "state", port=0) as lab:
            return list(_rows(lab, phases))


def _rows(lab: LabProcess, phases: tuple[Phase, ...]) -> Iterator[dict[str, Any]]:
    application = lab.description["applications"]["checkout"]
    _await_healthy(lab, application)
    for phase in phases:
        before = _throttles(lab)
        records = asyncio.run(_play(lab, application, phase))
        yield _row(phase, records, _throttles(lab) - before)


async def _play(lab: LabProcess, application: dict[str, Any], phase: Phase) -> list[Record]:
    _set_weights(lab, application, phase.weights)
    await asyncio.sleep(3.5)  # until both nodes know
    load = Load(application["urls"], rate=phase.rate, mix=QUICK)
    load.start()
    for flip in range(phase.flips):
        await asyncio.sleep(phase.seconds / phase.flips)
        await asyncio.to_thread(_set_weights, lab, application, [(0, 1), (1, 1), (1, 0)][flip % 3])
    if not phase.flips:
        await asyncio.sleep(phase.seconds)
    await load.stop()
    return load.records


def _row(phase: Phase, records: list[Record], throttled: int) -> dict[str, Any]:
    failed = Counter(f"{record.status or record.error} {record.pool}" for record in records if not record.ok)
    times = [(record.ended - record.started) * 1000 for record in records]
    spread = max(record.started for record in records) - min(record.started for record in records)
    return {
        "phase": phase.name,
        "requests": len(records),
        "per_second": round(len(records) / spread, 1),
        "failed": dict(failed),
        "throttled": throttled,
        "lost": failed.total() - throttled,
        "pools": dict(Counter(record.pool for record in records)),
        "p50_ms": round(percentile(times, 50), 1),
        "p99_ms": round(percentile(times, 99), 1),
    }


def _throttles(lab: LabProcess) -> int:
    with urllib.request.urlopen(f"{lab.endpoint}/_lab/state", timeout=5) as answer:  # noqa: S310 - loopback
        return int(json.load(answer)["applications"]["checkout"]["function"]["throttles"])


def _client(lab: LabProcess, service: str) -> Any:
    config = Config(retries={"total_max_attempts": 4, "mode": "standard"})
    session: Any = boto3.Session("lab", "lab", region_name=lab.description["region"])
    return session.client(service, endpoint_url=lab.endpoint, config=config)


def _set_weights(lab: LabProcess, application: dict[str, Any], weights: tuple[int, int]) -> None:
    groups = [application["lambda_target_group_arn"], application["ecs_target_group_arn"]]
    targets = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(groups, weights, strict=True)]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}
    _client(lab, "elbv2").modify_listener(ListenerArn=application["listener_arn"], DefaultActions=[action])


def _await_healthy(lab: LabProcess, application: dict[str, Any]) -> None:
    elbv2 = _client(lab, "elbv2")
    waiter = elbv2.get_waiter("target_in_service")
    waiter.wait(TargetGroupArn=application["ecs_target_group_arn"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
