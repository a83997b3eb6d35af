"""Events of the lab's EventBridge as Lambda gets them: received by HTTP, handed on one after the other."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handle = Callable[[dict[str, Any]], None]

POLL_SECONDS = 0.05


@contextmanager
def received(handle: Handle, schedule: dict[str, Any] | None, every: float) -> Iterator[str]:
    """The URL to send events to; a worker hands each to ``handle``, and ``schedule`` where none came for so long.

    At the end the event being handled is waited for.
    """
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(waiting))
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}),
        threading.Thread(target=_work, args=(waiting, handle, schedule, every, ended)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        ended.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        server.server_close()


def _handler(waiting: queue.Queue[dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            waiting.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base class's signature
            """Quiet."""

    return Receiver


def _work(
    waiting: queue.Queue[dict[str, Any]],
    handle: Handle,
    schedule: dict[str, Any] | None,
    every: float,
    ended: threading.Event,
) -> None:
    idle = 0.0
    while not ended.is_set():
        try:
            event: dict[str, Any] | None = waiting.get(timeout=POLL_SECONDS)
        except queue.Empty:
            idle += POLL_SECONDS
            event = schedule if idle >= every else None
        if event is not None:
            idle = 0.0
            handle(event)
