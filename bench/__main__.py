"""``python -m bench [NAME…]`` runs the benchmarks; ``python -m bench compare`` says what got worse since the last run
that the repository stores, and ``python -m bench claims`` writes the README's table of claims (``--check`` says whether
it is up to date).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench import (
    claims,
    cold,
    command_line,
    controller,
    event,
    fleet,
    history,
    hundred,
    idle,
    lab_capacity,
    machine,
    report,
    screen,
    service,
    sweep,
    versus,
    virtual_time,
    webhook,
)
from bench.figures import Figure, table

COMPARE, CLAIMS = "compare", "claims"


@dataclass(frozen=True)
class Benchmark:
    title: str
    measure: Callable[[], list[Figure]]


# CPU time first, while nothing of ours runs beside it.
BENCHMARKS: Mapping[str, Benchmark] = {
    "virtual-time": Benchmark("Virtual hours of one application a minute of CPU", virtual_time.measure),
    "cold": Benchmark("The API's Lambda package, loaded by a fresh interpreter", cold.measure),
    "service": Benchmark("The API in both of its runtimes", service.measure),
    "command-line": Benchmark("Break glass, from the shell to its first answer", command_line.measure),
    "idle": Benchmark("The whole panel while nothing happens", idle.measure),
    "event": Benchmark("From an alarm's event to the weights", event.measure),
    "controller": Benchmark("The controller's calls and speed, over HTTP", controller.measure),
    "sweep": Benchmark("One look at 1,000 applications in 20 accounts", sweep.measure),
    "hundred": Benchmark("A hundred failovers at once beside a single one, in virtual time", hundred.measure),
    "versus": Benchmark("A naive controller and ours, the same surge", versus.measure),
    "prewarm": Benchmark("Ours in a load that grows, without and with a prewarm alarm", versus.measure_prewarm),
    "webhook": Benchmark("The webhook under 600 events a second", webhook.measure),
    "fleet": Benchmark("The fleet's page with 1,000 applications", fleet.measure),
    "api": Benchmark("The panel's API with 1,000 applications", fleet.measure_api),
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
    """1 when a figure of the last run is worse than in the newest stored one, or gone; 2 without a stored one."""
    before = history.newest(history.DIRECTORY)
    if before is None or not report.FILE.exists():
        _print(f"Nothing to compare: `python -m bench` writes {report.FILE}, and {history.DIRECTORY} keeps older ones.")
        return 2
    old, new = history.load(before), history.load(report.FILE)
    found = history.compared(old, new)
    if not found.alike:
        _print(f"{before.name} was measured on another machine ({old.machine_named}) than the last run "
               f"({new.machine_named}): only counts and ratios are compared, no seconds, rates or memory.")  # fmt: skip
    if found.new:
        _print(f"New since {before.name}: {'; '.join(found.new)}.")
    percent = f"{history.TOLERATED_PERCENT:.0f} %"
    nothing = f"Of {found.figures} figures none is more than {percent} worse than in {before.name}, and none is gone."
    _print("\n".join([*found.worse, *found.gone]) or nothing)
    return int(bool(found.worse or found.gone))


def claim(*, check: bool) -> int:
    """1 when a claim does not hold, has no figure, or is not what the README shows."""
    try:
        problems = list(claims.check(claims.PLACES)) if check else claims.write(claims.PLACES)
    except claims.ClaimError as problem:
        problems = [str(problem)]
    _print("\n".join(problems) or f"Every claim holds, and {claims.PLACES.readme} shows its figure.")
    return int(bool(problems))


def main(given: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for a limit or claim that does not hold or what got worse, 2 for nothing to compare."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*BENCHMARKS, COMPARE, CLAIMS]))
    parser.add_argument("--note", default="", help="kept beside the figures, such as that the machine was shared")
    parser.add_argument("--check", action="store_true", help="with claims: change nothing, say what is not up to date")
    arguments = parser.parse_args(given)
    if arguments.check and arguments.names != [CLAIMS]:
        parser.error("--check belongs to `python -m bench claims`.")
    if arguments.names == [CLAIMS]:
        return claim(check=arguments.check)
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
