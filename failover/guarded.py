"""A GET for a machine whose network is not known: it connects only to addresses that a public name may have.

A name is resolved once and the connection made to that very address, so that it can't mean another one a moment later.
What is refused is what the panel refuses (`failover.addresses`), but for loopback: there a lab or a sidecar may be.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from failover import addresses
from failover.probing import MOST_BODY, Answer, ForbiddenError

HEADERS = {"User-Agent": "failover-probe", "Accept-Encoding": "identity", "Connection": "close"}


def guarded_get(url: str, seconds: float) -> Answer:
    """One request on a connection of its own, that ends after so many seconds. Redirects are answers, and not followed.

    Raises ForbiddenError before anything is sent; OSError or http.client.HTTPException where no answer came.
    """
    parts = urlsplit(url)
    began = time.monotonic()
    connection = _connection(parts, seconds)
    ended = threading.Timer(seconds, _cut, [connection])
    ended.daemon = True
    ended.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        body = answer.read(MOST_BODY)
        if time.monotonic() - began >= seconds:  # it was cut, which the library takes for the end of the answer
            raise TimeoutError
        return Answer(answer.status, headers, body)
    finally:
        ended.cancel()
        connection.close()


def _connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    """Connected to an address that was looked at. Raises ForbiddenError, OSError."""
    secure = parts.scheme == "https"
    try:
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    except ValueError as problem:
        raise ForbiddenError(f"The probe URL has no usable port: {problem}.") from None
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    ip = addresses.meant(str(where[0]))
    against = addresses.spoken_against(ip, own_machine=True)
    if against:
        raise ForbiddenError(
            f"The probe URL leads to {ip}, {against}. Set application.probe_url to the API's own address."
        )
    plain = socket.socket(family, kind, protocol)
    try:
        plain.settimeout(seconds)
        plain.connect(where)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    except BaseException:
        plain.close()
        raise
    return connection


def _cut(connection: http.client.HTTPConnection) -> None:
    """The time is up, however slowly the other side goes on."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
