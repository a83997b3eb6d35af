"""The panel as it runs: a web server, workers and beat as processes of their own, on one database and one broker."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from lab.runtime.children import bound_to_parent
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.operations.models import Operation
from stack.panel import web_server
from tests.panel.engine.shared_aws import SharedAws
from tests.panel.web.servers import Broker, free_port

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
AGAIN_SECONDS = 0.5  # EventBridge waits longer before it sends again
SECRET_KEY = "for-tests-only-" * 4


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass
class Engine:
    """`directory` holds the fake AWS, the logs of the parts and what they noted."""

    directory: Path
    broker: Broker
    aws: SharedAws
    secret: str
    port: int = field(default_factory=free_port)
    parts: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, application: Application, directory: Path, secret: str) -> Engine:
        return cls(directory, Broker(directory), SharedAws(configuration(application), directory), secret)

    # ---- its parts ----

    def start_web(self) -> None:
        self._start("web", web_server("panel.wsgi:application", "127.0.0.1", self.port))
        self.until(lambda: self.ask("GET", "/healthz").status == 200, "the web server to answer")

    def start_workers(self, workers: int, threads: int, **variables: str) -> None:
        """So many workers with so many threads each, ready to take tasks; one that is killed is started anew."""
        for number in range(workers):
            options = ("--concurrency", str(threads), "--without-gossip", "--without-mingle", "-n", f"{number}@%h")
            argv = (sys.executable, "-m", "tests.panel.engine.keeper", "worker", *options, "--loglevel", "INFO")
            self._start(f"worker-{number}", argv, **variables)
        logs = [self.directory / f"worker-{number}.log" for number in range(workers)]
        self.until(lambda: all(" ready." in log.read_text() for log in logs), "the workers to be ready")

    def start_beat(self) -> None:
        argv = (sys.executable, "-m", "celery", "-A", "tests.panel.engine.worker", "beat", "--loglevel", "INFO")
        self._start("beat", argv)

    def end(self) -> None:
        for part in reversed(self.parts):
            part.terminate()
        for part in self.parts:
            try:
                part.wait(20)
            except subprocess.TimeoutExpired:
                part.kill()
                part.wait()
        self.broker.stop()

    def _start(self, name: str, argv: Sequence[str], **variables: str) -> None:
        environment = {
            "PANEL_SECRET_KEY": SECRET_KEY,
            "PANEL_OBSERVE_SECONDS": "1",
            "DATABASE_URL": database_url(),
            "REDIS_URL": f"redis://127.0.0.1:{self.broker.port}/0",
            "ENGINE_DIRECTORY": str(self.directory),
            **variables,
        }
        with (self.directory / f"{name}.log").open("wb") as log:
            self.parts.append(
                subprocess.Popen(
                    argv, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log,
                    preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing else ends it when we are killed
                )
            )  # fmt: skip

    # ---- what is sent to it ----

    def ask(self, method: str, path: str, body: bytes = b"", *, patience: float = 5, **headers: str) -> Answer:
        """One request on a connection of its own; status 0 where no answer came in time."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            client.request(method, path, body, headers)
            answer = client.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            client.close()

    def deliver(self, event: dict[str, Any]) -> list[int]:
        """Send it as EventBridge does: again while there is no answer, or one of those that ask for it."""
        statuses: list[int] = []
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            headers = {"Content-Type": "application/json", "X-Api-Key": self.secret}
            statuses.append(self.ask("POST", "/webhooks/eventbridge", json.dumps(event).encode(), **headers).status)
            if 200 <= statuses[-1] < 300:
                return statuses
            assert statuses[-1] in (0, 429) or statuses[-1] >= 500, f"the event is lost: {statuses}"
            time.sleep(AGAIN_SECONDS)
        raise AssertionError(f"never taken: {Counter(statuses)}\n{self.said()}")

    def flow(self, events: Iterable[dict[str, Any]], a_second: float) -> Flow:
        """Have events delivered, so many a second, until the flow is stopped."""
        return Flow(self, events, a_second)

    # ---- what came of it ----

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}\n{self.said()}"
            time.sleep(0.05)

    def until_processed(self) -> None:
        self.until(lambda: not Event.objects.filter(status="stored").exists(), "every event to be processed")

    def until_ended(self) -> Operation:
        ended = Operation.objects.exclude(status__in=Operation.ACTIVE)
        self.until(ended.exists, "an operation to end")
        return ended.get()

    def processed(self) -> Counter[str]:
        """How often the processing of each event was committed."""
        file = self.directory / "processed"
        return Counter(file.read_text().split() if file.exists() else ())

    def said(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.directory.glob("*.log"))


class Flow:
    """Deliveries at a steady rate from a thread of their own."""

    def __init__(self, engine: Engine, events: Iterable[dict[str, Any]], a_second: float) -> None:
        self._pool = ThreadPoolExecutor(32)
        self._stopped = threading.Event()
        self.sent: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._send, args=(engine, iter(events), 1 / a_second))
        self._thread.start()

    def _send(self, engine: Engine, events: Iterable[dict[str, Any]], pause: float) -> None:
        for event in events:
            if self._stopped.wait(pause):
                return
            self.sent[event["id"]] = self._pool.submit(engine.deliver, event)

    def stop(self) -> dict[str, list[int]]:
        """The statuses that each event was answered with, when all were taken."""
        self._stopped.set()
        self._thread.join()
        taken = {event_id: future.result(PATIENCE) for event_id, future in self.sent.items()}
        self._pool.shutdown()
        return taken


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


def numbered(make: Callable[..., dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return (make(id=f"event-{number}") for number in itertools.count())
