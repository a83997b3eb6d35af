"""``python -m bench.chaos`` plays every scenario with every fault; options choose some, and a seed plays one again.

Each cell is the whole product over the lab, on processes of its own. What it left is in
``build/chaos/SCENARIO-FAULT/``, every sentence in ``build/chaos.json``. The exit status is 0 only without a bad cell.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import machine
from bench.chaos.faults import FAULTS, MOMENTS
from bench.chaos.matrix import Verdict, play

BUILD = Path("build")
CELL_SECONDS = 85  # on two cores that do nothing else


def run(cells: Sequence[tuple[str, str]], seed: int) -> int:
    """Play the cells one after the other; 0, or 1 where one went badly."""
    found, verdicts = machine.described(), list[Verdict]()
    minutes = len(cells) * CELL_SECONDS / 60
    _say(f"{len(cells)} cells, seed {seed}: about {minutes:.0f} minutes on a machine that does nothing else.")
    for number, (scenario, fault) in enumerate(cells, start=1):
        _say(f"[{number:2}/{len(cells)}] {time.strftime('%H:%M:%S')}  {scenario} with {fault} … ", end="")
        verdict = play(scenario, fault, seed, (BUILD / "chaos" / f"{scenario}-{fault}").resolve())
        verdicts.append(verdict)
        _say(f"{verdict.seconds:4.0f} s  {verdict.ended if verdict.well else 'BAD'}")
        for sentence in verdict.bad:
            _say(f"        {sentence}")
        report = {"machine": found, "seed": seed, "cells": [each.described() for each in verdicts]}
        (BUILD / "chaos.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _say("\n" + table(verdicts))
    bad = [each for each in verdicts if not each.well]
    for each in bad:
        _say(f"make chaos CELL={each.scenario}/{each.fault} SEED={seed}   plays it again")
    _say(f"{len(bad) or 'No'} bad cell{'' if len(bad) == 1 else 's'}. Report: {BUILD / 'chaos.json'}")
    return int(bool(bad))


def table(verdicts: Sequence[Verdict]) -> str:
    """A row for each scenario, a column for each fault: ok, stop (safely), or BAD."""
    columns = list(dict.fromkeys(each.fault for each in verdicts))
    rows = [["", *(FAULTS[name].title for name in columns)]]
    by_cell = {(each.scenario, each.fault): each for each in verdicts}
    rows += [
        [scenario, *(_word(by_cell.get((scenario, fault))) for fault in columns)]
        for scenario in dict.fromkeys(each.scenario for each in verdicts)
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", "ok: the end that the scenario asks for; stop: stopped safely, and said why"])


def _word(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    if not verdict.well:
        return "BAD"
    return "stop" if verdict.ended.startswith("safe stop") else "ok"


def main(given: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for a bad cell, 2 for usage."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__, epilog=_legend(),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--scenario", action="append", choices=MOMENTS, help="only this one; several are allowed")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only this one; several are allowed")
    parser.add_argument("--cell", action="append", type=_cell, metavar="SCENARIO/FAULT", help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="chooses each cell's moment and times (default 1)")
    arguments = parser.parse_args(given)
    if arguments.cell and (arguments.scenario or arguments.fault):
        parser.error("--cell names both: leave out --scenario and --fault.")
    scenarios, faults = arguments.scenario or list(MOMENTS), arguments.fault or list(FAULTS)
    cells = arguments.cell or [(scenario, fault) for scenario in scenarios for fault in faults]
    BUILD.mkdir(exist_ok=True)
    return run(cells, arguments.seed)


def _cell(text: str) -> tuple[str, str]:
    scenario, _, fault = text.partition("/")
    if scenario not in MOMENTS or fault not in FAULTS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no cell: give one of {', '.join(MOMENTS)}, then /, then one of {', '.join(FAULTS)}"
        )
    return scenario, fault


def _legend() -> str:
    return "\n".join(
        ["faults, during an operation:", *(f"  {each.name:<18} {each.meaning}" for each in FAULTS.values())]
    )


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)  # noqa: T201 - this command's output


if __name__ == "__main__":
    sys.exit(main())
