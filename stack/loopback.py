"""HTTP to our own parts on this machine, past any proxy that the environment names."""

import asyncio
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from stack.part import Check

_TIMEOUT_SECONDS = 5


def answers(url: str) -> Check:
    """A check that passes when a GET of the URL is answered with 200."""

    async def check() -> bool:
        try:
            status, _ = await asyncio.to_thread(request, "GET", url)
        except (OSError, http.client.HTTPException):
            return False
        return status == 200

    return check


def listens(port: int) -> Check:
    """A check that passes when a connection to the loopback port is accepted."""

    async def check() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    return check


async def get_json(url: str) -> Any:
    """Raises OSError or http.client.HTTPException when there is no answer, ValueError when it is no JSON."""
    _, body = await asyncio.to_thread(request, "GET", url)
    return json.loads(body)


async def put_json(url: str, value: Any) -> None:
    """Raises OSError when the answer is not a 2xx."""
    status, body = await asyncio.to_thread(request, "PUT", url, json.dumps(value))
    if not 200 <= status < 300:
        raise OSError(f"PUT {url} was answered with {status}: {body[:200]!r}")


def request(method: str, url: str, body: str | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(method, parts.path or "/", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
