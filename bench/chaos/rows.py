"""What a cell reads in the panel's database, past the panel: rows as they are, whoever wrote them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

CONNECT_SECONDS = 2


@dataclass(frozen=True)
class UnderWay:
    """The operation that is under way, and how far it is."""

    operation: int
    goal: str
    phase: str


class Rows:
    """One connection, made anew where it was lost. A database that is away has no rows."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def under_way(self) -> UnderWay | None:
        found = self.ask(
            "SELECT id, goal, progress->>'phase' AS phase FROM operations_operation"
            " WHERE status IN ('queued', 'running', 'waiting') ORDER BY id DESC LIMIT 1"
        )
        return UnderWay(found[0]["id"], found[0]["goal"], found[0]["phase"] or "start") if found else None

    def unfinished(self) -> int:
        """Operations under way, and events that wait; not 0 where the database can't say."""
        found = self.ask(
            "SELECT (SELECT count(*) FROM operations_operation WHERE status IN ('queued', 'running', 'waiting'))"
            " + (SELECT count(*) FROM ingest_event WHERE status = 'stored') AS many"
        )
        return int(found[0]["many"]) if found else 1

    def events(self) -> dict[str, str]:
        return {each["event_id"]: each["status"] for each in self.ask("SELECT event_id, status FROM ingest_event")}

    def audit(self) -> list[tuple[str, str]]:
        found = self.ask("SELECT action, subject FROM audit_entry ORDER BY id")
        return [(each["action"], each["subject"]) for each in found]

    def ask(self, query: str) -> list[dict[str, Any]]:
        with self._lock:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = psycopg.connect(
                        self._url, autocommit=True, connect_timeout=CONNECT_SECONDS, row_factory=dict_row
                    )
                return self._connection.execute(query).fetchall()
            except psycopg.Error:
                if self._connection is not None:
                    self._connection.close()
                return []

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
