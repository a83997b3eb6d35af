"""How long the fleet's page, and the API, take with a thousand applications, beside a view that asks the database one
question and renders nothing.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figures import Figure
from lab.load import percentile

APPLICATIONS = 1000
ROUNDS = 60
MOST_MS, MOST_QUERIES, MOST_KILOBYTES = 150.0, 12, 60.0
# Name, unit and limit of each figure.
CPU, MEDIAN, SLOW = ("CPU, median", "ms", None), ("time, median", "ms", None), ("time, 95th percentile", "ms", MOST_MS)
QUERIES, SIZE = ("queries", "", MOST_QUERIES), ("compressed", "KB", MOST_KILOBYTES)


def measure() -> list[Figure]:
    """The fleet's page."""
    return _measured_apart("pages")


def measure_api() -> list[Figure]:
    """The API's calls that scripts ask again and again."""
    return _measured_apart("calls")


def _measured_apart(what: str) -> list[Figure]:
    """In a process of its own, whose Django belongs to a database that nobody else uses."""
    with tempfile.TemporaryDirectory() as directory:
        env = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{Path(directory) / 'fleet.sqlite3'}",
            "PANEL_SECRET_KEY": secrets.token_hex(32),
        }
        argv = (sys.executable, "-m", "bench.fleet", what)
        told = subprocess.run(argv, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    return list(_figures(json.loads(told.splitlines()[-1])))


def _figures(told: dict[str, dict[str, float]]) -> Iterator[Figure]:
    for of, figures in told.items():
        bare = of.startswith("a bare")
        for name, unit, most in (CPU, MEDIAN, SLOW, QUERIES, SIZE):
            better, limit = ("", None) if bare else ("lower", most)
            yield Figure(name, figures[name], unit, of=of, better=better, most=limit)


def main() -> None:
    """What is started apart: a thousand applications, and figures as JSON on the last line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
    import panel.wsgi  # noqa: F401, PLC0415 - as a server has it; settings come from the environment that was made for it

    logging.disable(logging.CRITICAL)  # no broker runs here, and each page would say so
    from bench.fleet_world import calls, fill, pages  # noqa: PLC0415 - needs the set-up above

    fill(APPLICATIONS)
    asked = {"pages": pages, "calls": calls}[sys.argv[1]]()
    print(json.dumps({name: _measured(*each) for name, each in asked.items()}))  # noqa: T201 - read by who started it


def _measured(ask: Callable[[], bytes], count: Callable[[], int]) -> dict[str, float]:
    times, busy = [], []
    body = ask()
    for _ in range(ROUNDS):
        began, worked = time.perf_counter(), time.process_time()
        body = ask()
        times.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - worked) * 1000)
    return {
        CPU[0]: round(percentile(busy, 50), 1),
        MEDIAN[0]: round(percentile(times, 50), 1),
        SLOW[0]: round(percentile(times, 95), 1),
        QUERIES[0]: count(),
        SIZE[0]: round(len(gzip.compress(body)) / 1000, 1),
    }


if __name__ == "__main__":
    main()
