"""Starts a lab as a process of its own and waits until it is ready."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.runtime.children import ROOT, bound_to_parent

READY_SECONDS = 60.0
END_SECONDS = 10.0


class LabDidNotStartError(Exception):
    """The lab ended, or did not get ready in time; the message carries what it printed."""


@dataclass(frozen=True)
class LabProcess:
    """A running lab: ``description`` is the content of lab.json."""

    process: subprocess.Popen[str]
    state_dir: Path
    description: dict[str, Any]

    @property
    def endpoint(self) -> str:
        return str(self.description["endpoint"])


@contextmanager
def start_lab(
    world: Path | None, state_dir: Path, port: int | None = None, options: Sequence[str] = ()
) -> Iterator[LabProcess]:
    """A lab for the duration of a ``with`` block; None is the demonstration's world, ``options`` are more arguments.

    It is ended by SIGTERM, and killed if that takes more than ten seconds; it also ends when the thread that called
    this does. Raises LabDidNotStartError.
    """
    arguments = ["--state-dir", str(state_dir.resolve()), *options]
    arguments += ["--world", str(world.resolve())] if world else []
    arguments += ["--port", str(port)] if port is not None else []
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / "lab.json").unlink(missing_ok=True)
    with (state_dir / "output.log").open("w+") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "lab", *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            text=True,
            preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing else ends it when we are killed
        )
        try:
            yield LabProcess(process, state_dir, _await_ready(process, state_dir))
        finally:
            _end(process)


def _await_ready(process: subprocess.Popen[str], state_dir: Path) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            description: dict[str, Any] = json.loads((state_dir / "lab.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            time.sleep(0.05)
        else:
            return description
    printed = (state_dir / "output.log").read_text(encoding="utf-8").strip()
    raise LabDidNotStartError(f"The lab did not start: {printed or 'it printed nothing.'}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
