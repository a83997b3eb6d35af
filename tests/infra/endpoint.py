"""A virtual lab behind a loopback port: what the product's own boto3 clients, roles and all, talk to."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qsl, urlsplit

from lab import api
from lab.calls import Calls
from lab.permissions import PERMISSIONS
from lab.wire.dispatch import Endpoint
from lab.wire.messages import Request


class Port:
    """`url` answers AWS's calls. Calls are counted by IAM's names in `asked`."""

    def __init__(self, lab, url):
        self.url = url
        self._endpoint = Endpoint(Calls(lab.cloud), api.answered(), lab.faults)
        self._lab = lab
        self._one_at_a_time = Lock()

    @property
    def asked(self):
        """The actions that were asked for, as IAM names them, and what their answers showed beside."""
        called = [PERMISSIONS[tuple(name.split(":"))] for name in self._endpoint.log.by_action]
        return {each.action for each in called} | {each.for_tags for each in called if each.for_tags}

    def forget(self):
        self._endpoint.log.by_action.clear()

    def answer(self, request):
        with self._one_at_a_time:
            return self._endpoint.answer(request, self._lab.now)


@contextmanager
def serve(lab):
    """Ends with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self):
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = port.answer(Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body)).reply
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the standard library's names

        def log_message(self, *_arguments):
            """The lab keeps its own log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port = Port(lab, f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
