"""Thousands of bodies and headers that are no events, at the web server as it runs: no error of ours, no half event."""

from __future__ import annotations

import json
import random
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings

from panel.ingest.models import Event
from panel.operations.models import Operation
from tests.panel.engine.harness import Engine
from tests.panel.ingest.conftest import alarm_event
from tests.panel.ingest.test_webhook import BODIES

ANSWERS = {202, 400, 401, 405, 408, 411, 413, 414, 415, 417, 431, 501, 505}
HEADERS = [
    b"Content-Type: text/plain",
    b"Content-Type: \xff\xfe",
    b"Content-Encoding: gzip",
    b"Expect: 100-continue",
    b"Host: a_b c<>",
    b"Host: evil.example\r\nHost: other.example",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-For: '; DROP TABLE ingest_event; --",
    b"X-Request-Id: " + b"x" * 4000,
    b"Cookie: sessionid=../../etc/passwd; csrftoken=",
    b"Authorization: Basic !!!",
    b"Range: bytes=999999-",
    b"Content-Length: 5",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"X_Api_Key: forged",
    b": nameless",
    b"X-Nul: \x00",
]


def mutated(chance: random.Random) -> bytes:
    """A real event of which something is broken: bytes, lengths, values or types."""
    event = alarm_event(id=f"mutated-{chance.getrandbits(64)}")
    _spoil(event, chance)
    raw = bytearray(json.dumps(event).encode())
    for _ in range(chance.choice((0, 0, 1, 3))):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw[: chance.choice((len(raw), len(raw), chance.randrange(len(raw))))])


def _spoil(table: dict[str, Any], chance: random.Random) -> None:
    key = chance.choice(list(table))
    if isinstance(table[key], dict) and chance.random() < 0.7:
        _spoil(table[key], chance)
    elif chance.random() < 0.3:
        del table[key]
    else:
        worthless = (None, [], {}, "", "\x00", "\ud800", -1, 1e308, True, "x" * 3000, {"": {"": []}}, [[[[]]]], 10**400)
        table[key] = chance.choice(worthless)


def request(secret: str, body: bytes, headers: list[bytes]) -> bytes:
    lengths = any(header.startswith((b"Content-Length", b"Transfer-Encoding")) for header in headers)
    lines = [b"POST /webhooks/eventbridge HTTP/1.1", b"X-Api-Key: " + secret.encode(), b"Connection: close", *headers]
    lines += [] if lengths else [b"Content-Length: %d" % len(body)]
    lines += [] if any(header.startswith(b"Host") for header in headers) else [b"Host: 127.0.0.1"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def status_of(engine: Engine, raw: bytes) -> int:
    with socket.create_connection(("127.0.0.1", engine.port), timeout=30) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    # A length that promises more than came leaves nobody to answer.
    return int(answer.split(b" ", 2)[1]) if answer else 0


def play(engine: Engine, count: int) -> None:
    """Half of them made up, half of them mutated, a third with a strange header."""
    engine.start_web()
    chance = random.Random(7)

    def send(body: bytes) -> None:
        of_this_body = random.Random(body)
        headers = of_this_body.sample(HEADERS, of_this_body.choice((0, 0, 1)))
        status = status_of(engine, request(engine.secret, body, headers))
        assert status in ANSWERS or (status == 0 and headers), (
            f"{status} for {body[:300]!r} with {headers}\n{engine.said()}"
        )

    @seed(7)
    @hypothesis_settings(
        max_examples=count // 2, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(body=BODIES)
    def made_up(body: bytes) -> None:
        send(body)

    made_up()
    for _ in range(count // 2):
        send(mutated(chance))
    check(engine)


def check(engine: Engine) -> None:
    assert engine.deliver(alarm_event(id="at last")) == [202]
    for event in Event.objects.prefetch_related("applications"):
        assert event.event_id
        assert event.detail_type
        assert isinstance(event.body, dict)
        assert (event.status == "stored") == event.applications.exists(), f"half stored: {event.body}"
    assert not Operation.objects.exists()
    assert "Traceback" not in engine.said()


@pytest.mark.timeout(200)
def test_five_hundred_malformed_deliveries(engine: Engine) -> None:
    play(engine, 500)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_five_thousand_malformed_deliveries(engine: Engine) -> None:
    play(engine, 5000)
