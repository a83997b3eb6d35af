"""Finding the processes of a test, however far down they were started."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Family:
    """Every process that has `mark` in its environment, which children inherit."""

    mark: dict[str, str]

    def pids(self) -> list[int]:
        [(name, value)] = self.mark.items()
        marked = f"{name}={value}".encode()
        return [
            int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and marked in environ_of(each)
        ]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """Whatever still runs at the end of the test is killed, and the test fails."""
    processes = Family({"STACK_TEST": str(tmp_path)})
    yield processes
    left = processes.pids()
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, f"processes {left} outlived the test"


def environ_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def until(condition: Callable[[], object], otherwise: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
