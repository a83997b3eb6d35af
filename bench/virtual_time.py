"""How much virtual time a minute of CPU buys: what random histories by the thousand are paid with.

CPU time is measured and not the clock, and the least of several rounds counts, since a machine that does something else
as well can only make a round dearer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from bench.figures import Figure
from bench.simulate.play import DEMO, MIX
from lab import worldfile
from lab.virtual import VirtualLab

SLUG = "checkout"
ROUNDS = 24
ROUND_SECONDS = 900.0
WARM_UP_SECONDS = 60.0
LEAST_CALM_HOURS = 1000.0
# Name, requests a second, share of those that take five seconds: as the demonstration has them.
LOADS = (("idle", 0.0, 0.0), ("calm", 52.0, 0.01), ("surge", 150.0, 0.024))


def measure(rounds: int = ROUNDS) -> list[Figure]:
    """Virtual hours of one application a minute of CPU, by load."""
    return list(_figures(rounds))


def _figures(rounds: int) -> Iterator[Figure]:
    for name, rate, slow in LOADS:
        lab = _lab(rate, slow)
        seconds = min(_cpu_seconds(lab) for _ in range(rounds))
        hours = ROUND_SECONDS / 3600 / (seconds / 60)
        least = LEAST_CALM_HOURS if name == "calm" else None
        yield Figure(f"{name} ({rate:g} requests a second)", round(hours), "h", better="higher", least=least)


def _lab(rate: float, slow: float) -> VirtualLab:
    """The demonstration's world with one of its applications."""
    table = worldfile.load(DEMO)
    lab = VirtualLab(replace(table, applications={SLUG: table.applications[SLUG]}))
    if rate:
        quick = [(path, share * (1 - slow) / len(MIX)) for path, share in MIX]
        lab.flow(SLUG, rate, [*quick, ("/sleep", slow)])
    lab.run(WARM_UP_SECONDS)
    return lab


def _cpu_seconds(lab: VirtualLab) -> float:
    began = time.process_time()
    lab.run(ROUND_SECONDS)
    return time.process_time() - began
