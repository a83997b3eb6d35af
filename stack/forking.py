"""Parts forked from a process that has loaded what they share: quick to start, and in memory once.

That process is `multiprocessing`'s fork server. It ends with us, and they with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None)
_context = multiprocessing.get_context("forkserver")


def end_with_our_parent() -> None:
    """Should that be killed outright, the kernel asks us to end, and we end our own children."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Forked:
    """As much of `asyncio.subprocess.Process` as a part needs."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self._ended = asyncio.get_running_loop().create_future()
        self.pid = process.pid or 0
        asyncio.get_running_loop().add_reader(process.sentinel, self._end)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._ended.set_result(self._process.exitcode)


def fork(name: str, preloaded: str, argv: tuple[str, ...], env: Mapping[str, str], log: Path) -> Forked:
    """Run `argv`, which is `python -m MODULE ARGUMENT…`, in a process forked from one that has imported `preloaded`.

    The first call decides what is preloaded, and under which environment. Raises OSError or EOFError.
    """
    _context.set_forkserver_preload([preloaded])
    with _environment({"PYTHONUNBUFFERED": "1", **env}):
        forkserver.ensure_running()
    # As a daemon it is ended, and not waited for, should we end by an error.
    process = _context.Process(target=_become, args=(name, argv[2:], dict(env), str(log)), daemon=True)
    process.start()
    return Forked(process)


@contextlib.contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _become(name: str, arguments: tuple[str, ...], env: Mapping[str, str], log: str) -> None:
    os.setsid()
    if sys.platform == "linux":
        end_with_our_parent()
        _libc.prctl(_PR_SET_NAME, name.encode())  # for `top`: they all have the command line that they were forked from
    output, nothing = os.open(log, os.O_WRONLY | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(env)
    sys.argv[1:] = arguments[1:]
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
