"""HTTP requests to addresses that people typed: webhooks to tell, probes to ask.

Whoever may type an address could have the panel ask what only the panel can reach: itself, or the cloud's metadata
service, which hands out the panel's credentials. So every address that a name resolves to is judged, and the request
goes to the very address that was judged: a name can't answer differently a moment later. A redirect is an answer and is
not followed; proxies of the environment, cookies and netrc are not used.

Private networks are allowed, because internal load balancers live there. Loopback, link-local and metadata addresses
are not, unless PANEL_OUTBOUND_ALLOW names their network or the host.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from failover import addresses as addressing
from failover.addresses import Address

SECONDS = 5.0
MOST_BYTES = 64 * 1024
USER_AGENT = "failover-panel"
PORTS = {"http": 80, "https": 443}


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The panel does not send there. A sentence that names host, address and setting, and no other part of the URL."""


class Failed(Exception):  # noqa: N818 - as above
    """No whole answer came. A sentence that names the host and what happened, and no other part of the URL."""


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. `body` holds its beginning, as many bytes as were asked for."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Ask once, and answer with what came back within `seconds` from connecting on. Raises Refused, Failed.

    How long resolving the name may take is for the system's resolver to say.
    """
    parts, host, port = _split(url)
    told = {"User-Agent": USER_AGENT, "Connection": "close", **(headers or {})}
    began = time.monotonic()
    try:
        places = addresses(host, port)
        began = time.monotonic()
        with _connected(places, began + seconds) as raw:
            connection = _speaking(parts.scheme, host, port, raw)
            connection.request(method, _target(parts), body, told)
            answer = connection.getresponse()
            read = answer.read(most_bytes)
            connection.close()
        if time.monotonic() - began >= seconds:
            raise TimeoutError  # it was cut, which the library takes for the end of the answer
    except (HTTPException, OSError, ValueError) as problem:
        late = time.monotonic() - began >= seconds
        raise Failed(f"{host} did not answer within {seconds:g} s." if late else _why(host, problem)) from None
    return Answer(answer.status, dict(answer.headers), read, time.monotonic() - began)


def check(url: str) -> None:
    """Raise Refused where `request` would. For forms: a name that does not resolve now may do so later."""
    _, host, port = _split(url)
    with suppress(OSError, ValueError):
        addresses(host, port)


def addresses(host: str, port: int | str | None) -> list[Any]:
    """What `socket.getaddrinfo` says of a name, if the panel may send to all of it. Raises Refused, OSError."""
    found = _resolve(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        judge(host, str(place[0]))
    return found


_resolve = socket.getaddrinfo


def judge(host: str, address: str) -> None:
    """Raise Refused where the panel does not send to this address of `host`."""
    ip = addressing.meant(address)
    against = addressing.spoken_against(ip)
    if not against or _allowed_by_setting(host, ip):
        return
    shown = f"{host} is {ip}" if host != str(ip) else host
    raise Refused(
        f"{shown}, {against}: the panel sends nothing there. "
        f"Where it must, PANEL_OUTBOUND_ALLOW has to name {ip} or a network around it."
    )


def _split(url: str) -> tuple[SplitResult, str, int]:
    """The address in parts, its host and its port. Raises Refused."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    usable = host and parts.scheme in PORTS and url.isascii() and url.isprintable() and " " not in url
    if not usable or host is None:
        raise Refused("The panel sends to addresses like https://host.example.com/path, by http or https.")
    if parts.username is not None:
        raise Refused(f"Leave name and password out of the address of {host}: they would show where addresses show.")
    return parts, host, port or PORTS[parts.scheme]


def _allowed_by_setting(host: str, ip: Address) -> bool:
    """PANEL_OUTBOUND_ALLOW as `panel.environment` judged it: networks, and names in lower case."""
    named: tuple[str, ...] = settings.PANEL_OUTBOUND_ALLOW
    return host.lower().rstrip(".") in named or any(_within(ip, each) for each in named)


def _within(ip: Address, network: str) -> bool:
    try:
        return ip in ip_network(network)
    except ValueError:  # a host's name
        return False


# ---- the way to the address that was judged ----


@contextmanager
def _connected(places: list[Any], until: float) -> Iterator[socket.socket]:
    """A connection to the first of the judged addresses that takes one. It is cut when its time is over.

    A socket's own time limit begins anew with every byte: who answers a byte a second would be listened to for ever.
    """
    raw = _first(places, until)
    cut = raw.dup()  # TLS takes over the other one's descriptor
    timer = threading.Timer(max(0.0, until - time.monotonic()), _shut, (cut,))
    timer.daemon = True
    timer.start()
    try:
        yield raw
    finally:
        timer.cancel()
        timer.join()
        cut.close()
        raw.close()


def _first(places: list[Any], until: float) -> socket.socket:
    problem: OSError = TimeoutError()
    for family, kind, protocol, _, place in places:
        left = until - time.monotonic()
        if left <= 0:
            break
        raw = socket.socket(family, kind, protocol)
        try:
            raw.settimeout(left)
            raw.connect(place)
        except OSError as failed:
            raw.close()
            problem = failed
        else:
            return raw
    raise problem


def _shut(raw: socket.socket) -> None:
    with suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)


def _speaking(scheme: str, host: str, port: int, raw: socket.socket) -> HTTPConnection:
    """HTTP over a connection that is there already, so that nothing is resolved again. Certificates name `host`."""
    connection = HTTPSConnection(host, port) if scheme == "https" else HTTPConnection(host, port)
    connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if scheme == "https" else raw
    return connection


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _why(host: str, problem: Exception) -> str:
    if isinstance(problem, (socket.gaierror, UnicodeError)):
        return f"{host} is no name that resolves: look for a typing error."
    if isinstance(problem, ConnectionRefusedError):
        return f"{host} refused the connection: nothing listens there."
    if isinstance(problem, ssl.SSLError):
        return f"{host} shows no certificate that the panel trusts."
    return f"{host} could not be asked ({type(problem).__name__})."
