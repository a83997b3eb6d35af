"""Events sent as EventBridge sends them: again while there is no answer, or one that asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.chaos.judge import TAKEN, Sent
from bench.deliveries import alarm_change

A_SECOND = 2.0
ATTEMPT_SECONDS = 5.0
AGAIN_SECONDS = 1.0
TWICE_EVERY = 4  # each fourth event comes a second time
STRANGE_EVERY = 10  # each tenth is about an alarm that no application here has


@dataclass
class Senders:
    """`about` is account, region and alarm of the events. Start with `flow`, and `finish` before looking at `sent`."""

    port: int
    key: str
    about: dict[str, str]
    statuses: dict[str, list[int]] = field(default_factory=dict)
    _deliveries: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def sent(self) -> list[Sent]:
        return [Sent(event_id, tuple(statuses)) for event_id, statuses in self.statuses.items()]

    async def flow(self) -> None:
        """Send until cancelled."""
        for event, times in self._events():
            for _ in range(times):
                self._deliveries.add(asyncio.create_task(self._deliver(event)))
            await asyncio.sleep(1 / A_SECOND)

    async def finish(self, patience: float) -> None:
        """Wait until each was taken, but no longer than that."""
        if self._deliveries:
            await asyncio.wait(self._deliveries, timeout=patience)
        for each in self._deliveries:
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each

    def _events(self) -> Iterator[tuple[dict[str, Any], int]]:
        number = 0
        while True:
            number += 1
            alarm = "nobody-listens" if number % STRANGE_EVERY == 0 else self.about["alarm"]
            event = alarm_change(f"chaos-{number}", self.about["account"], self.about["region"], alarm)
            yield event, 1 + (number % TWICE_EVERY == 0)

    async def _deliver(self, event: dict[str, Any]) -> None:
        statuses = self.statuses.setdefault(event["id"], [])
        while True:
            status = await asyncio.to_thread(self._attempt, json.dumps(event))
            statuses.append(status)
            if status in TAKEN or (400 <= status < 500 and status != 429):
                return
            await asyncio.sleep(AGAIN_SECONDS)

    def _attempt(self, body: str) -> int:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ATTEMPT_SECONDS)
        try:
            client.request(
                "POST", "/webhooks/eventbridge", body, {"Content-Type": "application/json", "X-Api-Key": self.key}
            )
            return client.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            client.close()
