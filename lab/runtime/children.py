"""Child processes that never outlive the lab, not even when the lab is killed."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "PYTHONDONTWRITEBYTECODE")
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


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
        return subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=bound_to_parent(signal.SIGKILL),  # noqa: PLW1509 - the lab has one thread
        )


def end(processes: list[subprocess.Popen[bytes]], patience: float) -> None:
    """SIGTERM to all, then SIGKILL to those left after ``patience`` seconds in all."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            patience = 0.0
    for process in processes:
        process.kill()
        process.wait()
