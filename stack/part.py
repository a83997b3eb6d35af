"""One part of the product as a process of its own."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from stack.forking import Forked, end_with_our_parent, fork

Check = Callable[[], Awaitable[bool]]
"""Asks once whether a part is ready; it never raises because the part isn't there yet."""


class PartError(Exception):
    """A part or a step could not do its work; the text says which, why, and its last lines."""


@dataclass(frozen=True)
class Part:
    """What to start. `env` is added to our own environment; `ready` None means ready once it was started.

    With `preloaded`, a module, it is forked from a process that has imported that (`stack.forking`).

    Times are in seconds: until it must be ready, and from SIGTERM to SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Check | None = None
    ready_seconds: float = 60
    grace_seconds: float = 10
    preloaded: str = ""


class RunningPart:
    """A started part. Its output goes straight into its log, so that it can write even when we are gone."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process | Forked, log: Path) -> None:
        self.part = part
        self._process = process
        self._log = log
        self._output = log.open("rb")
        self._unfinished_line = b""

    @classmethod
    async def start(cls, part: Part, log: Path) -> "RunningPart":
        """Start the part; the log of the last time is kept as `NAME.log.1`.

        Raises PartError when its program can't be started.
        """
        with _fresh(log) as output:
            if part.preloaded:
                return cls(part, _forked(part, log), log)
            process = await spawn(part.name, part.argv, part.env, stdout=output, stderr=asyncio.subprocess.STDOUT)
        return cls(part, process, log)

    async def wait(self) -> int:
        return await self._process.wait()

    def new_lines(self) -> list[str]:
        *lines, self._unfinished_line = (self._unfinished_line + self._output.read()).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def last_lines(self, count: int = 12) -> str:
        with self._log.open(errors="replace") as lines:
            return "".join(deque(lines, count))

    async def end(self) -> None:
        """SIGTERM to the part, which ends its own children in order; then SIGKILL to whatever its group still has."""
        if self._process.returncode is None:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self.part.grace_seconds)
        self.kill()
        await self._process.wait()
        self._output.close()

    def kill(self) -> None:
        kill_group(self._process.pid)


async def spawn(name: str, argv: tuple[str, ...], env: Mapping[str, str], **streams: Any) -> asyncio.subprocess.Process:
    """Start a process in a session of its own, so that a Ctrl-C reaches us alone and we end it in order."""
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_our_parent if sys.platform == "linux" else None,
            **streams,
        )
    except OSError as error:
        raise PartError(f"{name} can't be started: {argv[0]}: {error.strerror}.") from error


def _forked(part: Part, log: Path) -> Forked:
    try:
        return fork(part.name, part.preloaded, part.argv, part.env, log)
    except (OSError, EOFError) as error:
        raise PartError(f"{part.name} can't be started: {part.preloaded} could not be loaded.") from error


def _fresh(log: Path) -> BinaryIO:
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("wb")


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def how_it_ended(status: int) -> str:
    """`exit status 1`, or `SIGKILL` for the negative numbers by which Python tells signals."""
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
