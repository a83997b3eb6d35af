"""`/readyz` names each part that does not work, with a sentence, and keeps nobody waiting."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from panel.fleet import heartbeats
from panel.fleet.models import Application, Heartbeat
from panel.watch import readiness
from tests.conftest import SilentValkey

pytestmark = pytest.mark.django_db(transaction=True)  # the database is asked in another thread

PARTS = {"database", "migrations", "broker", "worker", "beat", "observer"}


@pytest.fixture(autouse=True)
def _nothing_open() -> Iterator[None]:
    """A question that one test left without an answer is not the next one's."""
    yield
    for probe in (readiness._rows, readiness._written):
        probe.begin().exception(30)


@pytest.fixture
def alive(valkey: str) -> None:
    """Everything showed itself just now."""
    for name in (*heartbeats.QUEUES, heartbeats.BEAT, heartbeats.OBSERVER):
        heartbeats.show(name)


def ask() -> HttpResponse:
    return Client().get("/readyz", headers={"host": "10.0.0.7"})


def problems(answer: HttpResponse) -> dict[str, str]:
    parts = answer.json()["parts"]
    assert set(parts) >= PARTS
    return {name: part.get("problem") for name, part in parts.items() if not part["ok"]}


def problem(name: str) -> str:
    """The sentence of the only part that does not work."""
    answer = ask()
    assert answer.status_code == 503
    found = problems(answer)
    assert set(found) == {name}
    assert found[name].endswith(".")
    return found[name]


def fall_silent(name: str) -> None:
    Heartbeat.objects.filter(name=name).update(at=timezone.now() - timedelta(minutes=1))


def test_it_is_ready_when_every_part_works(alive: None, application: Application) -> None:
    answer = ask()
    assert (answer.status_code, answer.json()["status"], problems(answer)) == (200, "ready", {})


@pytest.mark.parametrize("queue", heartbeats.QUEUES)
def test_a_queue_that_no_worker_serves_is_named(alive: None, queue: str) -> None:
    fall_silent(queue)
    assert f"queue {queue}" in problem("worker")


def test_a_worker_of_the_release_before_serves_every_queue(valkey: str) -> None:
    for name in ("worker", "beat", "observer"):
        heartbeats.show(name)
    assert ask().status_code == 200


def test_a_beat_that_is_silent_is_named_with_what_follows(alive: None) -> None:
    fall_silent("beat")
    assert "Beat was last seen 60 s ago" in problem("beat")
    assert ask().json()["parts"]["beat"]["age_seconds"] == pytest.approx(60, abs=30)


def test_aws_that_is_not_read_is_named_where_there_is_something_to_read(alive: None, application: Application) -> None:
    fall_silent("observer")
    assert "AWS was last read 60 s ago" in problem("observer")
    application.delete()
    assert ask().status_code == 200


def test_a_broker_that_is_gone_is_named(alive: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "does not answer" in problem("broker")


def test_a_broker_that_stays_silent_keeps_nobody_waiting(alive: None, silent_valkey: SilentValkey) -> None:
    assert "does not answer" in problem("broker")


def test_migrations_that_are_missing_are_named_with_the_command(alive: None) -> None:
    applied = MigrationRecorder.Migration.objects.filter(app="watch").get()
    applied.delete()
    try:
        answer = ask()
        found = problems(answer)["migrations"]
        assert "watch.0001_tallies first: run manage.py migrate" in found
        assert answer.status_code == 503
    finally:
        MigrationRecorder(connection).record_applied("watch", "0001_tallies")


def test_a_database_that_is_gone_is_named_without_its_address(alive: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("connection to server at db.internal failed")

    monkeypatch.setattr(readiness, "missing_migrations", fail)
    answer = ask()
    assert set(problems(answer)) == PARTS - {"broker"}
    assert "db.internal" not in answer.content.decode()


def test_a_database_that_is_locked_for_writing_is_named(alive: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's lock stands for what keeps others from writing.")
    with transaction.atomic():  # holds the lock for writing
        answer = ask()
    assert problems(answer) == {"database": "The database can be read, but did not take a write within 2.5 s."}


def test_a_database_that_refuses_a_write_is_named(alive: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise OperationalError("attempt to write a readonly database: /srv/panel.sqlite3")

    monkeypatch.setattr(heartbeats, "show", fail)
    assert problem("database") == "The database can be read but not written: the log says why."


@pytest.fixture
def silent_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Takes a question and does not answer. The list has an entry for each question."""
    asked: list[int] = []
    over = threading.Event()

    def hang() -> list[str]:
        asked.append(1)
        over.wait(60)
        return []

    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(readiness, "missing_migrations", hang)
    yield asked
    over.set()
    readiness._rows.begin().result(30)


def test_a_database_that_stays_silent_keeps_nobody_waiting_and_is_asked_once(
    alive: None, silent_database: list[int]
) -> None:
    for _ in range(3):
        assert "did not answer within" in problems(ask())["database"]
    assert len(silent_database) == 1


def test_asking_often_writes_little(alive: None) -> None:
    ask()
    first = Heartbeat.objects.get(name="web").at
    ask()
    assert Heartbeat.objects.get(name="web").at == first
    Heartbeat.objects.filter(name="web").update(at=timezone.now() - timedelta(seconds=3))
    ask()
    assert Heartbeat.objects.get(name="web").at > first
