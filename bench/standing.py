"""Applications whose tasks stand and are healthy: a failover of one of them waits for nothing that AWS does."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.simulate.play import QUICK
from lab.process import LabProcess, start_lab

LATENCY_SECONDS = 0.05  # of each call, about what AWS takes; the lab alone answers within two milliseconds
HEALTHY_SECONDS = 90.0
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.25
SILENT_SECONDS, MOST_REST_SECONDS = 3.0, 40.0
WEIGHT_WRITE = "ModifyListener"
ALARM = "{}-throttles"

# Nothing is waited for: one observation of healthy targets is enough, all weight moves at once, and a failover ends
# soon after, without traffic that would show it. Nothing goes home.
POLICY = replace(
    QUICK, failover_count=1, min_healthy=1, standby_count=1, healthy_checks=1, settle_seconds=0,
    dwell_seconds=3600, cooldown_seconds=3600, metric_period_seconds=1,
)  # fmt: skip
WORLD = """
node_delays_seconds = [0.1, 0.3]
"""
APPLICATION = """
[applications.{slug}.function]
warm_environments = 0

[applications.{slug}.task]
desired_count = 1
provisioning_seconds = 0
pending_seconds = 0.1
health_check_interval_seconds = 5
health_check_timeout_seconds = 4

[[applications.{slug}.alarms]]
name = "{alarm}"
metric = "Throttles"
statistic = "Sum"
threshold = 1
period_seconds = 300
missing_data = "ignore"
"""


@dataclass(frozen=True)
class Moved:
    """One move of weights: seconds from the event until the write had returned, and the AWS round trips meanwhile."""

    seconds: float
    calls: int
    round_trips: float


class StuckError(Exception):
    """What was waited for did not come; the message is a sentence."""


def world(slugs: list[str]) -> str:
    """A lab's world with a standing task for each application, whose alarm changes by hand alone."""
    return WORLD + "".join(APPLICATION.format(slug=slug, alarm=ALARM.format(slug)) for slug in slugs)


@contextmanager
def standing(directory: Path, slugs: list[str]) -> Iterator[LabProcess]:
    """A lab with these applications, all of their targets healthy, whose every call takes 50 ms more."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "world.toml"
    file.write_text(world(slugs), encoding="utf-8")
    with start_lab(file, directory / "lab", port=0) as lab:
        _until(lambda: all(_healthy(lab, slug) for slug in slugs), HEALTHY_SECONDS, "every task is healthy")
        ask(lab, "PUT", "faults", {"switch": "api_latency", "application": "", "value": LATENCY_SECONDS})
        yield lab


def set_alarm(lab: LabProcess, slug: str, state: str = "ALARM") -> None:
    values = {"alarm": ALARM.format(slug), "state": state, "reason": "A benchmark"}
    ask(lab, "POST", "accidents", {"application": slug, "accident": "set_alarm_state", "with": values})


def moved(lab: LabProcess, since: float) -> Moved:
    """The first move of weights that came since then (epoch seconds), as the lab recorded it. Raises StuckError."""
    _until(lambda: find_move(ask(lab, "GET", "calls"), since) is not None, PATIENCE_SECONDS, "weights were written")
    found = find_move(ask(lab, "GET", "calls"), since)
    if found is None:
        raise StuckError("The lab has forgotten the write that it has just recorded.")
    return found


def until_silent(lab: LabProcess) -> None:
    """Until nobody has asked AWS for a while: the failover before has read its weights back and ended."""
    deadline, since, before = time.monotonic() + MOST_REST_SECONDS, time.monotonic(), -1
    while time.monotonic() < min(deadline, since + SILENT_SECONDS):
        now = int(ask(lab, "GET", "calls")["total"])
        if now != before:
            since, before = time.monotonic(), now
        time.sleep(LOOK_SECONDS)


def find_move(calls: dict[str, Any], since: float) -> Moved | None:
    """Read it out of the lab's `/_lab/calls`; None where no such write has returned yet."""
    write = next((each["at"] for each in calls["writes"] if _moves(each) and each["at"] >= since), None)
    trips = [each for each in calls["round_trips"] if since <= each["at"] <= (write or 0.0)]
    of_the_write = next((each for each in trips if each["at"] == write), None)
    if write is None or of_the_write is None:
        return None
    return Moved(
        seconds=write + of_the_write["seconds"] - since,
        calls=len(trips),
        round_trips=sum(each["seconds"] for each in trips),
    )


def ask(lab: LabProcess, method: str, what: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{lab.endpoint}/_lab/{what}", data, headers, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _moves(write: dict[str, Any]) -> bool:
    return bool(write["ok"]) and write["action"] == WEIGHT_WRITE


def _healthy(lab: LabProcess, slug: str) -> bool:
    targets = ask(lab, "GET", "state")["applications"][slug]["target_groups"]["ecs"]["targets"]
    return any(target["state"] == "healthy" for target in targets)


def _until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise StuckError(f"Within {seconds:g} s it did not come about that {what}.")
        time.sleep(LOOK_SECONDS)
