"""How long break glass takes from the shell to its first answer, beside boto3 that asks the same services once."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.configuration import toml
from bench.controller import WORLD
from bench.figures import Figure
from bench.simulate.play import QUICK
from lab.process import start_lab
from stack.laboratory import laboratory

ROUNDS = 10
MOST_TIMES_BOTO3 = 1.5
OURS, SAME, ONE = "python -m failover status", "boto3: a client and a call for each service", "boto3: one of each"
ASKED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("cloudwatch", "describe_alarms", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("ecs", "list_clusters", {}),
    ("lambda", "get_account_settings", {}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}),
)
PROGRAM = "import boto3\nfor service, call, given in {!r}: getattr(boto3.client(service), call)(**given)"


def measure(rounds: int = ROUNDS) -> list[Figure]:
    """Each in a fresh interpreter, alternately, against a lab whose every answer comes at once."""
    with tempfile.TemporaryDirectory() as name, start_lab(WORLD, Path(name) / "lab", port=0) as lab:
        file = Path(name) / "checkout.toml"
        file.write_text(toml(lab, QUICK, lease=False), encoding="utf-8")
        commands = {
            OURS: (sys.executable, "-m", "failover", "-c", str(file), "status"),
            SAME: (sys.executable, "-c", PROGRAM.format(ASKED)),
            ONE: (sys.executable, "-c", PROGRAM.format(ASKED[:1])),
        }
        aws = laboratory(lab.description).aws_environment()
        taken: dict[str, list[tuple[float, float]]] = {each: [] for each in commands}
        for number in range(rounds + 1):
            for each, command in commands.items():
                once = _run(command, aws)
                if number:  # the first one alone reads the disk
                    taken[each].append(once)
    return _figures(taken)


def _run(command: tuple[str, ...], aws: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of CPU, and seconds by the clock."""
    before, began = _children(), time.perf_counter()
    subprocess.run(command, env={**os.environ, **aws}, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    return _children() - before, time.perf_counter() - began


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _figures(taken: dict[str, list[tuple[float, float]]]) -> list[Figure]:
    cpu = {name: min(cpu for cpu, _ in each) for name, each in taken.items()}
    clock = {name: statistics.median(clock for _, clock in each) for name, each in taken.items()}
    times_boto3 = round(cpu[OURS] / cpu[SAME], 2)
    return [
        Figure("times boto3 with the same services, CPU", times_boto3, of=OURS, most=MOST_TIMES_BOTO3),
        *(Figure("CPU", round(each, 2), "s", of=name, better=_better(name)) for name, each in cpu.items()),
        *(
            Figure("to the answer, median", round(each, 2), "s", of=name, better=_better(name))
            for name, each in clock.items()
        ),
    ]


def _better(name: str) -> str:
    return "lower" if name == OURS else ""
