"""ECS containers as processes of the sample API, each on a loopback address of its own."""

import logging
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.runtime import children
from lab.tasks import EXITING_IMAGE, PORT

LAST_HOST = 250
_log = logging.getLogger(__name__)
# A lab holds a name for its network as long as it lives, so that two labs never share one.
NETWORKS = [(x, y) for x in range(64, 128) for y in range(1, 255)]


class NoNetworkError(Exception):
    """No loopback network is free; the message says what is in the way."""


class LoopbackNetwork:
    """Addresses 127.X.Y.1 to 250 of a network that no other lab on this machine uses (Linux binds all of 127/8)."""

    def __init__(self, seed: int) -> None:
        self._guard, self._prefix = _claim(seed)
        self._used: set[int] = set()
        self._last = 0

    def take(self) -> str | None:
        """None when all are in use."""
        for _ in range(LAST_HOST):
            self._last = self._last % LAST_HOST + 1
            if self._last not in self._used:
                self._used.add(self._last)
                return f"{self._prefix}.{self._last}"
        return None

    def give_back(self, address: str) -> None:
        self._used.discard(int(address.rpartition(".")[2]))

    def close(self) -> None:
        self._guard.close()


def _claim(seed: int) -> tuple[socket.socket, str]:
    for offset in range(len(NETWORKS)):
        x, y = NETWORKS[(seed + offset) % len(NETWORKS)]
        guard = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            guard.bind(f"\0lab-network-127.{x}.{y}")  # abstract: it leaves no file and dies with the process
        except OSError:
            guard.close()
            continue
        _check_port(f"127.{x}.{y}.{LAST_HOST + 1}")
        return guard, f"127.{x}.{y}"
    raise NoNetworkError("Every loopback network is in use by another lab.")


def _check_port(address: str) -> None:
    """A program that listens on port 8080 of all addresses leaves none to the tasks."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, PORT))
        except OSError as error:
            raise NoNetworkError(
                f"Port {PORT} of {address} cannot be used ({error.strerror}): stop what listens on port {PORT}."
            ) from error


class ContainerProcesses:
    """Runs each task's container as a process: the sample API, or what ends at once for EXITING_IMAGE."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, task_id: str, address: str, image: str, environment: Mapping[str, str]) -> None:
        module = "lab.runtime.broken_container" if image == EXITING_IMAGE else "api_service"
        variables = {**environment, "HOST": address, "PORT": str(PORT)}
        log = self._logs / f"task-{task_id[:8]}.log"
        try:
            self._processes[task_id] = children.start(module, [], variables, log)
        except OSError:
            _log.exception("The container of task %s cannot be started", task_id)

    def exit_status(self, task_id: str) -> int | None:
        """Of a container that this machine has no room for: 1."""
        process = self._processes.get(task_id)
        return process.poll() if process else 1

    def terminate(self, task_id: str) -> None:
        if process := self._processes.get(task_id):
            process.terminate()

    def kill(self, task_id: str) -> None:
        if process := self._processes.get(task_id):
            process.kill()

    def pid(self, task_id: str) -> int | None:
        process = self._processes.get(task_id)
        return process.pid if process and process.poll() is None else None

    def close(self) -> None:
        children.end(list(self._processes.values()), patience=1.0)
