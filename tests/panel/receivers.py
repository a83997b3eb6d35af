"""A real HTTP server on loopback that answers as a test wants it to, and remembers what it was told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are the next answers' statuses, the last one for ever; a text in their place is where to redirect to.

    0: it is silent until the test is over. -1: a byte now and then, for ever.
    """

    url: str = ""
    answers: list[int | str] = field(default_factory=lambda: [204])
    heard: list[Heard] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def next_answer(self) -> int | str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        receiver.heard.append(Heard(self.command, self.path, dict(self.headers), body))
        answer = receiver.next_answer()
        if answer == 0:
            receiver.over.wait(30)
        elif answer == -1:
            self._drip()
        else:
            self._answer(answer)

    do_GET = do_POST  # noqa: N815 - the standard library's name

    def _answer(self, answer: int | str) -> None:
        self.send_response(302 if isinstance(answer, str) else answer)
        if isinstance(answer, str):
            self.send_header("Location", answer)
        self.end_headers()
        if answer == 200:
            self.wfile.write(b"x" * 200_000)

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.receiver.over.wait(0.05):
            self.wfile.write(b"x")

    def handle(self) -> None:
        with suppress(OSError):  # whoever asked has gone
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing is worth a line here."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with _Server(receiver) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown()


def nobody() -> str:
    """An address on loopback that refuses connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
