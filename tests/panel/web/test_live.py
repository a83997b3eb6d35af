"""The live updates as a browser meets them: a real server, a real Redis, a real session."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from panel.accounts import members
from panel.accounts.models import default_team
from tests.panel.web import examples
from tests.panel.web.servers import PATIENCE, Broker, live_updates, wait_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def port(broker: Broker, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with live_updates(broker, monkeypatch) as port:
        yield port


@pytest.fixture
def session(operator: User) -> str:
    client = Client()
    client.force_login(operator)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Stream:
    """An open stream, read line by line."""

    def __init__(self, port: int, session: str = "", path: str = "/live/", **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"} if session else {}
        self._connection.request("GET", path, headers={**headers, **cookie})
        self.response = self._connection.getresponse()

    def next(self) -> str:
        """The next hint's or ping's first line; empty when the stream has ended."""
        while True:
            line = self.response.readline().decode()
            if not line or line.startswith(("event:", ": ")):
                return line.strip()

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@pytest.fixture
def watch(port: int, session: str) -> Iterator[Any]:
    """Open a stream that is read up to its first ping."""
    streams: list[Stream] = []

    def opened(path: str = "/live/") -> Stream:
        stream = Stream(port, session, path)
        assert stream.response.status == 200
        assert stream.next() == ": ping"
        streams.append(stream)
        return stream

    yield opened
    for stream in streams:
        stream.close()


def test_without_a_login_there_is_no_stream(port: int) -> None:
    assert Stream(port).response.status == 401
    assert Stream(port, session="forged").response.status == 401


def test_an_account_that_was_switched_off_gets_no_stream(port: int, session: str, operator: User) -> None:
    operator.is_active = False
    operator.save()

    assert Stream(port, session).response.status == 401


def test_a_hint_reaches_every_viewer_through_one_subscription(broker: Broker, watch: Any) -> None:
    viewers = [watch() for _ in range(3)]

    assert broker.hint("checkout") == 1, "viewers share one subscription"
    assert [viewer.next() for viewer in viewers] == ["event: hint"] * 3


def test_another_teams_application_is_not_there(port: int, session: str, operator: User) -> None:
    operator.is_superuser = False
    operator.save()
    examples.application("checkout")
    assert Stream(port, session, "/live/?application=checkout").response.status == 404
    members.set_role(operator, default_team(), "viewer")
    assert Stream(port, session, "/live/?application=checkout").response.status == 200


def test_an_applications_page_hears_only_of_its_own(broker: Broker, watch: Any) -> None:
    for slug in ("checkout", "search"):
        examples.application(slug)
    checkout, search = watch("/live/?application=checkout"), watch("/live/?application=search")

    broker.hint("search")
    assert search.next() == "event: hint"
    broker.hint("checkout")
    assert checkout.next() == "event: hint"

    checkout.response.fp.raw._sock.settimeout(0.6)
    with pytest.raises(TimeoutError):
        checkout.next()


def test_a_flood_becomes_a_few_hints(broker: Broker, watch: Any) -> None:
    examples.application("checkout")
    viewer = watch("/live/?application=checkout")

    for _ in range(200):
        broker.hint("checkout")

    viewer.response.fp.raw._sock.settimeout(1.0)
    seen = 0
    with suppress(TimeoutError):
        while viewer.next() == "event: hint":
            seen += 1
    assert 1 <= seen <= 20, f"200 hints became {seen}"


def test_a_page_of_another_host_is_turned_away(port: int, session: str) -> None:
    assert Stream(port, session, Origin="http://evil.example").response.status == 403


def test_the_panels_page_on_another_port_may_read(port: int, session: str) -> None:
    stream = Stream(port, session, Origin="http://127.0.0.1:8000")

    assert stream.response.status == 200
    assert stream.response.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8000"
    assert stream.response.headers["Access-Control-Allow-Credentials"] == "true"
    stream.close()


def test_without_redis_it_says_so_and_pages_poll(broker: Broker, port: int, session: str) -> None:
    broker.stop()

    assert Stream(port, session).response.status == 503


def test_when_redis_goes_away_streams_end_and_find_it_when_it_is_back(
    broker: Broker, port: int, session: str, watch: Any
) -> None:
    viewer = watch()

    broker.stop()
    assert viewer.next() == "", "the stream must end, so that the page polls faster"
    broker.start()

    wait_for(lambda: Stream(port, session).response.status == 200, "the subscription to come back")
    again = watch()
    broker.hint("checkout")
    assert again.next() == "event: hint"
