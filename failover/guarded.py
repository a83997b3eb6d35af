"""A GET for a machine whose network is not known: it connects only to addresses that a public name may have.

A name is resolved once and the connection made to that very address, so that it can't mean another one a moment later.
Link-local addresses are refused, and with them the metadata services of cloud machines, which hand out credentials.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from failover.probing import MOST_BODY, Answer, ForbiddenError

Address = IPv4Address | IPv6Address

# Link-local addresses are told by Python. Amazon's own in IPv6 (instance metadata, task credentials) are unique local.
METADATA = (ip_network("fd00:ec2::/32"), ip_network("169.254.0.0/16"))
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


def refusal(address: Address) -> str:
    """Why nothing may be sent to this address, or ""."""
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if address.is_link_local or any(address in network for network in METADATA if network.version == address.version):
        return f"{address} is link-local: such addresses belong to metadata services, and are never probed"
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return f"{address} is no address of a load balancer"
    return ""


def _connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    """Connected to an address that was looked at. Raises ForbiddenError, OSError."""
    secure = parts.scheme == "https"
    try:
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    except ValueError as problem:
        raise ForbiddenError(f"The probe URL has no usable port: {problem}.") from None
    family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    why_not = refusal(ip_address(str(where[0]).partition("%")[0]))
    if why_not:
        raise ForbiddenError(f"The probe URL leads to {why_not}. Set application.probe_url to the API's own address.")
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
