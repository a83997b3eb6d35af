"""What the whole panel costs while nothing happens: processor and memory of everything that `make run` starts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import processes
from bench.figures import Figure
from bench.installation import installation
from lab.process import start_lab
from stack.applications import write_applications
from stack.laboratory import laboratory

WARM_UP_SECONDS = 20.0
SECONDS = 60.0
LOOKS = 6  # at memory, of which the greatest counts
MOST_PERCENT, MOST_MEGABYTES = 3.0, 450.0
FILE = Path("build/bench/idle.txt")


def measure(warm_up: float = WARM_UP_SECONDS, seconds: float = SECONDS) -> list[Figure]:
    """The panel watches the demonstration's three applications, all calm, in a lab that is not counted.

    Who takes what is in `build/bench/idle.txt`.
    """
    with tempfile.TemporaryDirectory() as directory, start_lab(None, Path(directory) / "lab", port=0) as lab:
        found = laboratory(lab.description)
        files = write_applications(found, Path(directory) / "applications")
        with installation(Path(directory), found.aws_environment(), files) as panel:
            time.sleep(warm_up)
            return _figures(*_looked(panel.pid, seconds), len(found.applications))


def _looked(root: int, seconds: float) -> tuple[list[list[processes.Usage]], float]:
    """Looks at even distances, and the seconds from the first to the last."""
    began = time.monotonic()
    looks = [processes.tree(root)]
    for _ in range(LOOKS):
        time.sleep(seconds / LOOKS)
        looks.append(processes.tree(root))
    return looks, time.monotonic() - began


def _figures(looks: Sequence[list[processes.Usage]], seconds: float, applications: int) -> list[Figure]:
    first, last = looks[0], looks[-1]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(processes.table(first, last, seconds), encoding="utf-8")
    percent = 100 * processes.spent(first, last) / seconds
    megabytes = max(sum(each.megabytes for each in look) for look in looks)
    return [
        Figure("applications watched", applications, better=""),
        Figure("processes", len(last)),
        Figure("processor, of one core", round(percent, 2), "%", most=MOST_PERCENT),
        Figure("memory, shared pages counted once", round(megabytes, 1), "MB", most=MOST_MEGABYTES),
    ]
