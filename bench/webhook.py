"""How many events a second the webhook stores and answers, on PostgreSQL, with the load on the same cores."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.deliveries import Delivery, Sender
from bench.figures import Figure
from bench.postgresql import Postgresql, start_postgresql
from lab.load import percentile
from lab.runtime.children import bound_to_parent
from stack.broker import broker
from stack.loopback import listens
from stack.panel import manage, panel_parts, web_server
from stack.part import Part
from stack.ports import free_ports

RATE = 600.0
SECONDS = 60.0
MOST_MS = 250.0
WARM_UP_SECONDS = 3.0
READY_SECONDS = 60.0
PATH = "/webhooks/eventbridge"
ABOUT = {"account": "123456789012", "region": "sa-east-1", "alarm": "checkout-lambda-throttles"}
ELB = "arn:aws:elasticloadbalancing:{region}:{account}".format(**ABOUT)
APPLICATION = f"""
[application]
slug = "checkout"
region = "{ABOUT["region"]}"
alarms = ["{ABOUT["alarm"]}"]

[lambda]
function_name = "checkout"
target_group_arn = "{ELB}:targetgroup/checkout-lambda/1"

[ecs]
cluster = "apis"
service = "checkout"
target_group_arn = "{ELB}:targetgroup/checkout-ecs/2"

[[routes]]
listener_arn = "{ELB}:listener/app/apis/3/4"
"""


@dataclass(frozen=True)
class Column:
    """One column of the table: where its events lie, as SQL with a pattern, and whether the promise is about it."""

    name: str
    prefix: str
    stored: str
    limited: bool = True


EVENTS = "SELECT count(*), count(DISTINCT event_id) FROM ingest_event WHERE event_id LIKE %s"
BODIES = "SELECT count(*), count(DISTINCT body::json->>'id') FROM bare_body WHERE body::json->>'id' LIKE %s"
OURS = Column("the webhook", "ours", EVENTS)
SILENT = Column("the same, broker silent", "silent", EVENTS)
BARE = Column("a bare view that inserts a row", "bare", BODIES, limited=False)


def measure(rate: float = RATE, seconds: float = SECONDS) -> list[Figure]:
    """The webhook, the same with a broker that does not answer, and a bare Django view, one after the other."""
    with tempfile.TemporaryDirectory() as directory, start_postgresql() as server:
        place = Place(Path(directory), server)
        receivers = ((OURS, place.panel()), (SILENT, place.panel(silent=True)), (BARE, place.bare()))
        figures: list[Figure] = []
        for column, receiver in receivers:
            with receiver as sender:
                asyncio.run(sender.send(f"{column.prefix} warm up", rate / 2, WARM_UP_SECONDS))
                delivered = asyncio.run(sender.send(f"{column.prefix} event", rate, seconds))
            figures += _figures(column, delivered, _stored(server, column), rate)
        return figures


@dataclass(frozen=True)
class Place:
    """Where it is measured: processes with their logs in `directory`, on one PostgreSQL."""

    directory: Path
    server: Postgresql

    @contextmanager
    def panel(self, *, silent: bool = False) -> Iterator[Sender]:
        """The panel's web part with an application that listens to the alarm, and a broker."""
        broker_port, port, live_port = free_ports(3)
        env = self._environment(port) | {"REDIS_URL": f"redis://127.0.0.1:{broker_port}/0"}
        toml = self.directory / "checkout.toml"
        toml.write_text(APPLICATION, encoding="utf-8")
        with self._running(broker(broker_port, self.directory / "broker"), {}) as valkey:
            _step(manage("migrate", "--no-input"), env)
            _step(manage("import_application", str(toml)), env)
            secret = _step(manage("create_webhook_key", secrets.token_hex(4)), env).strip()
            web = panel_parts(env, "127.0.0.1", port, live_port)[0]
            with self._running(web, env):
                if silent:
                    valkey.send_signal(signal.SIGSTOP)
                try:
                    yield self._sender(port, PATH, secret)
                finally:
                    valkey.send_signal(signal.SIGCONT)

    @contextmanager
    def bare(self) -> Iterator[Sender]:
        """`bench.bare` under the panel's own web server."""
        [port] = free_ports(1)
        env = self._environment(port)
        _step((manage()[0], "-c", "from bench import bare; bare.make_table()"), env)
        with self._running(
            Part("bare", web_server("bench.bare:application", "127.0.0.1", port), ready=listens(port)), env
        ):
            yield self._sender(port, "/", "")

    def _environment(self, port: int) -> dict[str, str]:
        return {"DATABASE_URL": self.server.url, "PANEL_SECRET_KEY": secrets.token_hex(32), "PORT": str(port)}

    @staticmethod
    def _sender(port: int, path: str, secret: str) -> Sender:
        return Sender(port, path, secret, ABOUT)

    @contextmanager
    def _running(self, part: Part, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        with (self.directory / f"{part.name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                part.argv,
                env={**os.environ, **env, **part.env},
                stdout=log,
                stderr=log,
                preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing else ends it when we are killed
            )
        try:
            _await(part, process)
            yield process
        finally:
            process.terminate()
            process.wait(READY_SECONDS)


def _await(part: Part, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while part.ready is not None and not asyncio.run(_asked(part)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"{part.name} was not ready within {READY_SECONDS:g} s.")
        time.sleep(0.1)


async def _asked(part: Part) -> bool:
    return part.ready is None or await part.ready()


def _step(argv: tuple[str, ...], env: Mapping[str, str]) -> str:
    return subprocess.run(argv, env={**os.environ, **env}, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def _stored(server: Postgresql, column: Column) -> tuple[int, int]:
    """How many rows there are of the events that were measured, and of how many different events."""
    with psycopg.connect(server.url) as connection:
        rows, events = connection.execute(column.stored, (f"{column.prefix} event%",)).fetchone() or (0, 0)
    return rows, events


def _figures(column: Column, delivered: Sequence[Delivery], stored: tuple[int, int], rate: float) -> Iterator[Figure]:
    times = [each.seconds * 1000 for each in delivered]
    rows, events = stored
    lost, refused = len(delivered) - events, sum(each.status != 202 for each in delivered)
    spread = len(delivered) / rate + max(0.0, delivered[-1].seconds)
    none = 0 if column.limited else None
    yield Figure("events", len(delivered), of=column.name, better="")
    yield Figure("answered", round(len(delivered) / spread, 1), "/s", of=column.name, better="higher")
    yield Figure("answer time, median", round(percentile(times, 50), 1), "ms", of=column.name)
    most = MOST_MS if column.limited else None
    yield Figure("answer time, 99th percentile", round(percentile(times, 99), 1), "ms", of=column.name, most=most)
    yield Figure("not answered with 202 in 5 s", refused, of=column.name, most=none)
    yield Figure("lost", lost, of=column.name, most=none)
    yield Figure("stored twice", rows - events, of=column.name, most=none)
