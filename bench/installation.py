"""The panel as `make run` starts it: every part of an installation, under the supervisor that belongs to it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.runtime.children import bound_to_parent
from stack.loopback import answers
from stack.panel import manage
from stack.part import Check
from stack.ports import free_ports
from stack.product import FOREIGN_PREFIXES

READY_SECONDS = 120.0
END_SECONDS = 60.0


@dataclass(frozen=True)
class Installation:
    """``pid`` is the process that all others descend from; ``key`` is a webhook key."""

    pid: int
    port: int
    key: str = field(repr=False)


@contextmanager
def installation(directory: Path, env: Mapping[str, str], applications: Sequence[Path]) -> Iterator[Installation]:
    """Web, live, workers, beat and a broker on a SQLite file in the directory, with these applications imported.

    ``env`` says where AWS is, and whatever else the panel is to be set to. Raises TimeoutError.
    """
    [port] = free_ports(1)
    var = directory / "var"
    var.mkdir()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_PREFIXES)},
        "DATABASE_URL": f"sqlite:///{var / 'panel.sqlite3'}",
        "PANEL_SECRET_KEY": secrets.token_hex(32),
        "PANEL_OUTBOUND_ALLOW": "127.0.0.0/8",
        "PORT": str(port),
        **env,
    }
    log = directory / "run.log"
    _step(env, log, "migrate", "--no-input")
    _step(env, log, "import_application", *map(str, applications))
    key = _step(env, log, "create_webhook_key", "benchmark").strip()
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            (sys.executable, "-m", "stack", "run", "--var", str(var)),
            env=env,
            stdout=output,
            stderr=output,
            preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing else ends it when we are killed
        )
    try:
        _await(process, port, log)
        yield Installation(process.pid, port, key)
    finally:
        process.terminate()
        process.wait(END_SECONDS)


def _step(env: Mapping[str, str], log: Path, *arguments: str) -> str:
    with log.open("ab") as output:
        return subprocess.run(  # noqa: S603 - our own
            manage(*arguments), env=env, check=True, stdout=subprocess.PIPE, stderr=output, text=True
        ).stdout


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline, ready = time.monotonic() + READY_SECONDS, answers(f"http://127.0.0.1:{port}/readyz")
    while not asyncio.run(_asked(ready)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"The panel was not ready within {READY_SECONDS:g} s: {log.read_text()[-1000:]}")
        time.sleep(0.5)


async def _asked(ready: Check) -> bool:
    return await ready()
