"""Databases of their own, migrated, with real commits: what is tested here is what a database refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import load_backend

from panel import environment
from tests.panel.audit import postgresql

ROOT = Path(__file__).parents[3]


@dataclass
class Database:
    """One that exists for a single test; `url` leads other processes to it."""

    vendor: str
    url: str

    def run(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Python with the panel's settings on this database."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PANEL_")}
        variables = {"DATABASE_URL": self.url, "PANEL_SECRET_KEY": "for-tests-only-" * 4, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT, env={**clean, **variables}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip


@pytest.fixture(scope="session")
def sqlite_model(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """A migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("audit") / "model.sqlite3"
    _migrate(f"sqlite:///{path}", django_db_blocker)
    return path


@pytest.fixture(scope="session")
def postgresql_model(django_db_blocker: Any) -> Iterator[str]:
    """The address of a PostgreSQL whose database `model` is migrated."""
    with postgresql.server() as url:
        _execute(url, "CREATE DATABASE model")
        _migrate(f"{url}/model", django_db_blocker)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[Database]:
    """This test's own database, as this process's default."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_model"), tmp_path / "panel.sqlite3")
        with _as_default(f"sqlite:///{path}", django_db_blocker):
            yield Database("sqlite", f"sqlite:///{path}")
        return
    server = request.getfixturevalue("postgresql_model")
    _execute(server, "CREATE DATABASE panel TEMPLATE model")
    try:
        with _as_default(f"{server}/panel", django_db_blocker):
            yield Database("postgresql", f"{server}/panel")
    finally:
        _execute(server, "DROP DATABASE panel WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def _migrate(url: str, blocker: Any) -> None:
    with _as_default(url, blocker):
        call_command("migrate", verbosity=0)


@contextmanager
def _as_default(url: str, blocker: Any) -> Iterator[None]:
    """Within the block this thread's default connection leads to `url`."""
    database = environment.read({"DATABASE_URL": url}).database
    database["OPTIONS"].pop("pool", None)  # a pool's threads outlive the block
    settings = connections.configure_settings({"default": database})["default"]
    with blocker.unblock():
        usual = connections["default"]
        connections["default"] = load_backend(settings["ENGINE"]).DatabaseWrapper(settings)
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = usual
