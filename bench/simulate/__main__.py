"""``python -m bench.simulate``: random histories against the rules; a failing one tells its seed and its journal."""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.simulate.histories import History, play

REPORT = Path(__file__).parents[2] / "build" / "simulate.json"
REPORT_EVERY = 500
MOST_SHOWN = 3


def main() -> int:
    """Returns the exit status: 0 when no rule was broken, 1 when one was, 2 for wrong usage."""
    arguments = _parse()
    if arguments.seed is not None:
        history = play(arguments.seed)
        _say(describe(history))
        return int(bool(history.breaches))
    began, broken, counted = time.monotonic(), [], {"histories": 0, "operations": 0, "writes": 0}
    for history in _played(arguments.first, arguments.histories, arguments.jobs):
        counted["histories"] += 1
        counted["operations"] += history.operations
        counted["writes"] += history.writes
        if history.breaches:
            broken.append(history)
            _say(describe(history) if len(broken) <= MOST_SHOWN else _headline(history))
        if counted["histories"] % REPORT_EVERY == 0:
            _say(f"{counted['histories']:>6} histories, {len(broken)} with a broken rule")
    seconds = round(time.monotonic() - began, 1)
    _report(counted, broken, seconds)
    _say(
        f"{counted['histories']} histories in {seconds:g} s: {counted['operations']} operations, {counted['writes']} "
        f"writes, {len(broken)} histories with a broken rule."
    )
    return int(bool(broken))


def _played(first: int, histories: int, jobs: int) -> Iterator[History]:
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(play, range(first, first + histories), chunksize=4)


def describe(history: History) -> str:
    """What was broken, and the journal of how it came to that."""
    return "\n".join([_headline(history), *history.journal, _headline(history)])


def _headline(history: History) -> str:
    told = [f"  {breach.rule}: {breach.sentence}" for breach in history.breaches] or ["  no rule was broken"]
    return "\n".join([f"History {history.seed} (python -m bench.simulate --seed {history.seed}):", *told])


def _report(counted: dict[str, int], broken: list[History], seconds: float) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    breaches = {str(each.seed): sorted({breach.rule for breach in each.breaches}) for each in broken}
    REPORT.write_text(json.dumps({**counted, "seconds": seconds, "broken": breaches}, indent=2) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("histories", nargs="?", type=int, default=10_000, help="how many (default 10,000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first history's seed")
    parser.add_argument("--seed", type=int, help="this history alone, with its journal")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes (default: all cores)")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this command's output


if __name__ == "__main__":
    sys.exit(main())
