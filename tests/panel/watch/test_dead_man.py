"""The dead man's switch asks its address while everything works, and only then; what it meets is told, never where."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from panel.fleet import heartbeats
from panel.fleet.models import Application, Heartbeat
from panel.watch import dead_man

pytestmark = pytest.mark.django_db(transaction=True)  # the outcome is written by another thread

SECRET = "/ping/5ecret-id"


class Monitor:
    """Whoever watches the address: counts who asks, and answers as told."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[str] = []
        self.silent = threading.Event()
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.asked.append(self.path)
                self.send_response(monitor.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not on the tests' output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}{SECRET}"


@pytest.fixture
def monitor(settings: Any) -> Iterator[Monitor]:
    found = Monitor()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    settings.PANEL_HEARTBEAT_URL = found.url
    yield found
    found.server.shutdown()
    thread.join()


@pytest.fixture
def alive(application: Application) -> None:
    for name in (*heartbeats.QUEUES, heartbeats.BEAT, heartbeats.OBSERVER):
        heartbeats.show(name)


def turn() -> None:
    """Turn the switch, and wait for what came of it."""
    thread = dead_man.turn()
    if thread is not None:
        thread.join(30)


def a_minute_passes() -> None:
    Heartbeat.objects.filter(name="heartbeat_url").update(at=timezone.now() - timedelta(seconds=61))


def test_the_address_is_asked_once_a_minute(alive: None, monitor: Monitor) -> None:
    turn()
    turn()
    assert monitor.asked == [SECRET]
    a_minute_passes()
    turn()
    assert monitor.asked == [SECRET, SECRET]


def test_without_an_address_nothing_is_asked(alive: None, settings: Any) -> None:
    settings.PANEL_HEARTBEAT_URL = ""
    assert dead_man.turn() is None


@pytest.mark.parametrize("silent", [*heartbeats.QUEUES, "beat", "observer"])
def test_while_anything_is_silent_the_address_is_not_asked(alive: None, monitor: Monitor, silent: str) -> None:
    Heartbeat.objects.filter(name=silent).update(at=timezone.now() - timedelta(minutes=5))
    turn()
    assert monitor.asked == []


def test_without_applications_nothing_has_to_be_read(alive: None, monitor: Monitor, application: Application) -> None:
    Heartbeat.objects.filter(name="observer").delete()
    application.delete()
    turn()
    assert monitor.asked == [SECRET]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_answer_but_2xx_is_told_by_readiness_and_follows_no_redirect(
    alive: None, monitor: Monitor, valkey: str, status: int
) -> None:
    monitor.status = status
    turn()
    answer = Client().get("/readyz")
    assert f"answered {status}" in answer.json()["parts"]["heartbeat_url"]["problem"]
    assert answer.status_code == 200, "somebody else's service is no reason to take the panel out of use"
    assert monitor.asked == [SECRET]


def test_a_failure_is_logged_once_and_never_the_address(
    alive: None, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    monitor.status = 500
    for _ in range(3):
        turn()
        a_minute_passes()
    monitor.status = 200
    turn()
    said = [str(record.msg) for record in caplog.records if record.name == "panel.watch.dead_man"]
    assert len(said) == 2
    assert "answered 500" in said[0]
    assert "'problem': ''" in said[1]
    assert SECRET not in caplog.text


def test_an_address_that_nobody_serves_is_told(
    alive: None, settings: Any, caplog: pytest.LogCaptureFixture, valkey: str
) -> None:
    settings.PANEL_HEARTBEAT_URL = f"http://127.0.0.1:1{SECRET}"
    turn()
    answer = Client().get("/readyz").content.decode()
    assert "could not be reached" in answer
    assert SECRET not in answer + caplog.text
