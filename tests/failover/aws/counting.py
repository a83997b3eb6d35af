"""A server that stands in for AWS where the lab can't: it counts what arrives and answers as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

Answer = tuple[int, str] | None  # None: the connection closes without an answer


@dataclass
class Counted:
    """One request: the operation's name, its form fields (Query protocol) and the access key that signed it."""

    operation: str
    form: dict[str, str]
    key: str


@dataclass
class Server:
    url: str
    answer: Callable[[Counted], Answer]
    requests: list[Counted] = field(default_factory=list)

    def count(self, operation: str) -> int:
        return sum(1 for each in self.requests if each.operation == operation)


@contextmanager
def serving(answer: Callable[[Counted], Answer]) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            target = self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
            key = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
            request = Counted(target or form.get("Action", ""), form, key)
            server.requests.append(request)
            self._answer(server.answer(request))

        def _answer(self, answer: Answer) -> None:
            if answer is None:
                self.close_connection = True
                return
            status, text = answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_port}", answer)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)
