"""HTTP requests that the model asks for: health checks and event deliveries."""

import asyncio
import time
from collections.abc import Callable, Mapping

import aiohttp

from lab.ports import Answer

Done = Callable[[Answer], None]


class OutgoingHttp:
    """One connection a request, as AWS's health checkers and API destinations do. Use it inside a running loop."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        self._running: set[asyncio.Task[None]] = set()

    def get(self, url: str, headers: Mapping[str, str], timeout: float, done: Done) -> None:
        self._begin("GET", url, headers, None, timeout, done)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout: float, done: Done) -> None:
        self._begin("POST", url, headers, body, timeout, done)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await self._session.close()

    def _begin(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float, done: Done
    ) -> None:
        limit = aiohttp.ClientTimeout(total=timeout)
        task = asyncio.get_running_loop().create_task(self._send(method, url, headers, body, limit, done))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limit: aiohttp.ClientTimeout,
        done: Done,
    ) -> None:
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, timeout=limit, allow_redirects=False
            ) as response:
                await response.read()
                answer = Answer(response.status, time.time(), retry_after=_seconds(response.headers.get("Retry-After")))
        except TimeoutError:
            answer = Answer(None, time.time(), "Request timed out")
        except (aiohttp.ClientError, ValueError) as error:
            answer = Answer(None, time.time(), str(error) or type(error).__name__)
        done(answer)


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdecimal() else None
