"""Child processes that never outlive the lab, not even when the lab is killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from weakref import WeakSet

ROOT = Path(__file__).resolve().parents[2]
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "PYTHONDONTWRITEBYTECODE")
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_started: WeakSet[subprocess.Popen[bytes]] = WeakSet()


def bound_to_parent(ending: signal.Signals) -> Callable[[], None]:
    """For ``preexec_fn``: the child gets ``ending`` when the thread that started it ends, however that happens."""
    parent = os.getpid()

    def bind() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, ending)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)

    return bind


def start(module: str, arguments: list[str], variables: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Runs ``python -m module`` with ``variables`` and little else of our environment; its output goes to ``log``."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=bound_to_parent(signal.SIGKILL),  # noqa: PLW1509 - the lab has one thread
        )
    _started.add(process)
    return process


def end(processes: Sequence[subprocess.Popen[bytes]], patience: float) -> None:
    """SIGTERM to all, then SIGKILL to those left after ``patience`` seconds in all."""
    deadline = time.monotonic() + patience
    for process in processes:
        process.terminate()
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def kill_all() -> None:
    """SIGKILL to the process group of every child that was started, without waiting for their end."""
    for process in list(_started):
        if process.returncode is None:  # not reaped, so the id is still its own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
