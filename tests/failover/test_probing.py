"""Probes by a real HTTP server: who answered, how, and how long it took; and where a command line never connects to."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from failover import probing
from failover.guarded import guarded_get
from failover.probing import Answer, ForbiddenError, InCycle, Tick
from tests.failover.world import application, replace

Respond = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """A server on loopback that answers each request so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            respond(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/env?x=1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def probe(url: str, seconds: float = 2.0) -> Tick:
    return probing.probe(url, "X-Pool", seconds, guarded_get)


@pytest.mark.parametrize(
    ("respond", "expected"),
    [
        (answering(X_Pool="Lambda"), ("ok", 200, "lambda")),
        (answering(X_Pool="ecs"), ("ok", 200, "ecs")),
        (answering(body=b'{"message": "lambda"}'), ("ok", 200, "lambda")),
        (answering(body=b'{"message": "server"}'), ("ok", 200, "ecs")),
        (answering(), ("ok", 200, "")),
        (answering(body=b"[" * 5000), ("ok", 200, "")),
        (answering(X_Pool="elsewhere"), ("ok", 200, "")),
        (answering(404, X_Pool="ecs"), ("ok", 404, "ecs")),
        (answering(500, X_Pool="ecs"), ("failed", 500, "ecs")),
        (answering(502), ("failed", 502, "")),
        (answering(302, Location="http://127.0.0.1:1/"), ("ok", 302, "")),
    ],
)
def test_a_probe_says_how_it_was_answered_and_by_whom(respond: Respond, expected: tuple[str, int, str]) -> None:
    with serving(respond) as url:
        tick = probe(url)
    assert (tick.outcome, tick.status, tick.pool) == expected
    assert tick.failed == (expected[0] != "ok")


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    tick = probe(f"http://127.0.0.1:{port}/")
    assert (tick.outcome, tick.error, tick.failed) == ("unreachable", "ConnectionRefusedError", True)


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.05):
            handler.wfile.write(b"X-More: 1\r\n")

    with serving(drip) as url:
        tick = probe(url, 0.4)
        over.set()
    assert tick.outcome == "timeout"


def test_a_body_without_end_is_read_no_further_than_it_is_looked_at() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("X-Pool", "ecs")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    with serving(endless) as url:
        assert probe(url).outcome == "ok"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://169.254.170.2/v2/credentials",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://2852039166/",  # 169.254.169.254 as one number
    ],
)
def test_metadata_and_the_like_are_never_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connected"))
    tick = probe(url)
    assert (tick.outcome, tick.sent, tick.failed) == ("forbidden", False, False)


def test_a_name_that_leads_to_metadata_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ForbiddenError, match=r"169\.254\.169\.254, a cloud's metadata.*Set application\.probe_url"):
        guarded_get("http://innocent.example/", 1)


def test_a_burst_keeps_its_pace_whatever_becomes_of_its_probes() -> None:
    stuck = threading.Event()
    numbers = iter(range(4))

    def send() -> Tick:
        if next(numbers) == 1:
            stuck.wait(20)
        return Tick(time.time(), "ecs", "ok", 200, 1)

    ticks = probing.burst(4, 0.01, 0.05, send)
    stuck.set()
    assert [tick.outcome for tick in ticks] == ["ok", "timeout", "ok", "ok"]
    assert probing.counted(7.0, ticks) == (
        probing.Probed(7.0, "", 1, 1),
        probing.Probed(7.0, "ecs", 3, 0),
    )


# ---- without the panel ----


def test_in_a_cycle_a_handful_is_sent_and_what_was_learnt_before_is_kept() -> None:
    app = replace(application(probe_per_second=20), probe_url="http://api.example/env")
    asked = []

    def get(url: str, seconds: float) -> Answer:
        asked.append((url, seconds))
        return Answer(200, {"x-pool": "lambda"})

    probe_in_cycle = InCycle(app, get, lambda: 1000.0)
    probe_in_cycle()
    reading = probe_in_cycle()
    assert reading.value is not None
    assert sum(each.sent for each in reading.value) == len(asked) == 2 * probing.IN_CYCLE
    assert {each.pool for each in reading.value} == {"lambda"}
    assert reading.at == 1000.0


def test_without_an_address_or_where_it_must_not_be_asked_nothing_is_known() -> None:
    def forbidden(*_: object) -> Answer:
        raise ForbiddenError("not there")

    assert "no probe_url" in InCycle(application(), forbidden)().problem
    app = replace(application(probe_per_second=20), probe_url="http://169.254.169.254/")
    assert InCycle(app, forbidden)() == probing.Reading(problem="not there")


def test_the_pool_is_told_by_the_configured_header_first() -> None:
    body = json.dumps({"message": "lambda"}).encode()
    assert probing.pool_of(Answer(200, {"x-served-by": "server"}, body), "X-Served-By") == "ecs"
    assert probing.pool_of(Answer(200, {"x-pool": "ecs"}, body), "X-Served-By") == "lambda"
