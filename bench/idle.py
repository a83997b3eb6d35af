"""What the whole panel costs while nothing happens: processor and memory of everything that `make run` starts."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import processes
from bench.figures import Figure
from lab.process import start_lab
from lab.runtime.children import bound_to_parent
from stack.applications import write_applications
from stack.laboratory import laboratory
from stack.loopback import answers
from stack.panel import manage
from stack.part import Check
from stack.ports import free_ports

WARM_UP_SECONDS = 20.0
SECONDS = 60.0
LOOKS = 6  # at memory, of which the greatest counts
READY_SECONDS = 120.0
END_SECONDS = 60.0
MOST_PERCENT, MOST_MEGABYTES = 3.0, 450.0
FILE = Path("build/bench/idle.txt")


def measure(warm_up: float = WARM_UP_SECONDS, seconds: float = SECONDS) -> list[Figure]:
    """The panel watches the demonstration's three applications, all calm, in a lab that is not counted.

    Who takes what is in `build/bench/idle.txt`.
    """
    with tempfile.TemporaryDirectory() as directory, start_lab(None, Path(directory) / "lab", port=0) as lab:
        found = laboratory(lab.description)
        with _panel(Path(directory), found.aws_environment(), write_applications(found, Path(directory))) as root:
            time.sleep(warm_up)
            return _figures(*_looked(root, seconds), len(found.applications))


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


@contextmanager
def _panel(directory: Path, aws: Mapping[str, str], applications: list[Path]) -> Iterator[int]:
    """`make run` with these applications; the process that all others descend from."""
    [port] = free_ports(1)
    var = directory / "var"
    var.mkdir()
    env = {
        **os.environ,
        **aws,
        "DATABASE_URL": f"sqlite:///{var / 'panel.sqlite3'}",
        "PANEL_SECRET_KEY": secrets.token_hex(32),
        "PANEL_OUTBOUND_ALLOW": "127.0.0.0/8",
        "PORT": str(port),
    }
    with (directory / "run.log").open("wb") as log:
        for step in (manage("migrate", "--no-input"), manage("import_application", *map(str, applications))):
            subprocess.run(step, env=env, check=True, stdout=log, stderr=log)  # noqa: S603 - our own
        process = subprocess.Popen(  # noqa: S603 - our own module
            (sys.executable, "-m", "stack", "run", "--var", str(var)),
            env=env,
            stdout=log,
            stderr=log,
            preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing else ends it when we are killed
        )
    try:
        _await(process, port, directory / "run.log")
        yield process.pid
    finally:
        process.terminate()
        process.wait(END_SECONDS)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline, ready = time.monotonic() + READY_SECONDS, answers(f"http://127.0.0.1:{port}/readyz")
    while not asyncio.run(_asked(ready)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"The panel was not ready within {READY_SECONDS:g} s: {log.read_text()[-1000:]}")
        time.sleep(0.5)


async def _asked(ready: Check) -> bool:
    return await ready()
