"""``python -m bench [NAME…]`` runs the benchmarks; ``python -m bench compare`` says what got worse since the last run
that the repository stores.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench import (
    cold,
    controller,
    fleet,
    history,
    hundred,
    lab_capacity,
    machine,
    report,
    screen,
    sweep,
    versus,
    virtual_time,
    webhook,
)
from bench.figures import Figure, table

COMPARE = "compare"


@dataclass(frozen=True)
class Benchmark:
    title: str
    measure: Callable[[], list[Figure]]


# CPU time first, while nothing of ours runs beside it.
BENCHMARKS: Mapping[str, Benchmark] = {
    "virtual-time": Benchmark("Virtual hours of one application a minute of CPU", virtual_time.measure),
    "cold": Benchmark("The API's Lambda package, loaded by a fresh interpreter", cold.measure),
    "controller": Benchmark("The controller's calls and speed, over HTTP", controller.measure),
    "sweep": Benchmark("One look at 1,000 applications in 20 accounts", sweep.measure),
    "hundred": Benchmark("A hundred failovers at once beside a single one, in virtual time", hundred.measure),
    "versus": Benchmark("A naive controller and ours, the same surge", versus.measure),
    "prewarm": Benchmark("Ours in a load that grows, without and with a prewarm alarm", versus.measure_prewarm),
    "webhook": Benchmark("The webhook under 600 events a second", webhook.measure),
    "fleet": Benchmark("The fleet's page with 1,000 applications", fleet.measure),
    "screen": Benchmark("From a change in AWS to the changed page, 200 others watching", screen.measure),
    "lab-capacity": Benchmark("What the lab itself loses", lab_capacity.measure),
}


def run(names: Sequence[str], note: str) -> int:
    """Every named benchmark, or all; 1 when a limit does not hold."""
    found, results = machine.described(), {}
    _print(", ".join(f"{key} {value}" for key, value in found.items()) + "\n")
    for name in names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        results[name] = benchmark.measure()
        _print(table(f"{name}: {benchmark.title}", results[name]))
        report.write(results, found, time.time(), note)
    broken = [f"{name}: {figure.of} {figure.name}" for name in results for figure in results[name] if not figure.holds]
    _print("\n".join(["These limits do not hold:", *broken]) if broken else f"Every limit holds. Report: {report.FILE}")
    return int(bool(broken))


def compare() -> int:
    """1 when a figure of the last run is worse than in the newest stored one, 2 when there is nothing to compare."""
    before = history.newest(history.DIRECTORY)
    if before is None or not report.FILE.exists():
        _print(f"Nothing to compare: `python -m bench` writes {report.FILE}, and {history.DIRECTORY} keeps older ones.")
        return 2
    sentences = list(history.worse(history.load(before), history.load(report.FILE)))
    percent = f"{history.TOLERATED_PERCENT:.0f} %"
    _print("\n".join(sentences) or f"Nothing is more than {percent} worse than in {before.name}.")
    return int(bool(sentences))


def main(given: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for a limit that does not hold or a figure that got worse, 2 for nothing to compare."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*BENCHMARKS, COMPARE]))
    parser.add_argument("--note", default="", help="kept beside the figures, such as that the machine was shared")
    arguments = parser.parse_args(given)
    if arguments.names == [COMPARE]:
        return compare()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
    return run(arguments.names, arguments.note)


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this command's output


if __name__ == "__main__":
    sys.exit(main())
