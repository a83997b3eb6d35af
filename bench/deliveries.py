"""EventBridge's deliveries at a steady rate, each on a connection of its own, whatever the answers do."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ATTEMPT_SECONDS = 5.0  # as long as EventBridge waits
MOST_WAITING = 5_000  # connections; a receiver that is this far behind has failed


@dataclass(frozen=True)
class Delivery:
    """One attempt. `status` is 0 where no answer came; `seconds` counts from when it was due, not when it was sent."""

    event_id: str
    status: int
    seconds: float


def alarm_change(event_id: str, account: str, region: str, alarm: str) -> dict[str, Any]:
    """An alarm's change to ALARM as CloudWatch words it."""
    now = datetime.now(UTC)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}+0000"
    reason = "Threshold Crossed: 1 datapoint [12.0] was greater than the threshold (10.0)."
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}"],
        "detail": {
            "alarmName": alarm,
            "configuration": {"metrics": [{"id": "m1", "returnData": True}]},
            "state": {"value": "ALARM", "reason": reason, "timestamp": stamp},
            "previousState": {"value": "OK", "reason": "Fine.", "timestamp": stamp},
        },
    }


class Sender:
    """Sends events of one alarm to `http://127.0.0.1:PORT/PATH` with a webhook key."""

    def __init__(self, port: int, path: str, secret: str, about: dict[str, str]) -> None:
        self._port = port
        self._path = path
        self._secret = secret
        self._about = about
        self.delivered: list[Delivery] = []

    async def send(self, prefix: str, rate: float, seconds: float) -> list[Delivery]:
        """Events `PREFIX-0`, `PREFIX-1`, …, at `rate` a second; returns when each was answered or given up."""
        began, attempts = time.monotonic(), set[asyncio.Task[Delivery]]()
        slots = asyncio.Semaphore(MOST_WAITING)
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(due - time.monotonic())
            await slots.acquire()
            attempt = asyncio.create_task(self._attempt(f"{prefix}-{number}", due))
            attempt.add_done_callback(lambda _: slots.release())
            attempts.add(attempt)
        return list(await asyncio.gather(*attempts))

    async def _attempt(self, event_id: str, due: float) -> Delivery:
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + ATTEMPT_SECONDS):
                status = await self._post(json.dumps(alarm_change(event_id, **self._about)).encode())
        except (OSError, TimeoutError, ValueError, IndexError):
            status = 0
        return Delivery(event_id, status, time.monotonic() - due)

    async def _post(self, body: bytes) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(
                f"POST {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nX-Api-Key: {self._secret}\r\n"
                "User-Agent: Amazon/EventBridge/ApiDestinations\r\nRange: bytes=0-1048575\r\n"
                "Content-Type: application/json; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            return int((await reader.read()).split(b" ", 2)[1])
        finally:
            writer.close()
