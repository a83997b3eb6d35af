"""Where an incident plays: the running product, the scenario that the lab plays, and what is told of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.load import Record
from lab.traffic import Traffic
from stack.phases import Request
from stack.product import Product
from stack.screen import Screen
from stack.supervisor import Supervisor
from stack.verdict import Records
from stack.watch import Watch

LOOK_SECONDS = 0.5
# Asking the panel starts a process; more often would be load of our own making.
_ASK_SECONDS = 2
# How long the panel may take to verify what the lab shows already.
_SETTLE_SECONDS = 30


@dataclass
class Timeline:
    """What happened, told as it happens; `at` is in seconds since the start."""

    screen: Screen
    started: float = field(default_factory=time.time)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, what: str, detail: str) -> None:
        at = round(time.time() - self.started, 1)
        self.entries.append({"at": at, "what": what, "detail": detail})
        self.screen.say(f"{at:7.1f} s  {what:<10} {detail}")


@dataclass
class Scene:
    """What a scenario happens to. The lab plays it; the clients send what it asks for."""

    product: Product
    supervisor: Supervisor
    slug: str
    clients: Traffic
    watch: Watch
    timeline: Timeline

    async def play(self, scenario: str) -> dict[str, Any]:
        """The scenario as the lab shows it at its end."""
        await self.product.lab.play(scenario)
        told = 0
        while True:
            shown = (await self.product.lab.stage())["scenario"]
            for moment in shown["told"][told:]:
                if moment["what"] != "weights":  # the watch tells those, node by node
                    self.timeline.tell(moment["what"], moment["detail"])
            told = len(shown["told"])
            if shown["ended"]:
                await self._until_idle()
                return dict(shown)
            await asyncio.sleep(LOOK_SECONDS)

    async def follow(self) -> None:
        """Send what the lab asks for, until cancelled."""
        while True:
            loads = (await self.product.lab.stage())["loads"]
            if self.slug in loads:
                self.clients.set(**loads[self.slug])
            await asyncio.sleep(LOOK_SECONDS)

    async def _until_idle(self) -> None:
        """Until no operation of the panel is under way, or it takes too long."""
        until = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < until:
            if all(each["finished_at"] for each in await self.operations()):
                return
            await asyncio.sleep(_ASK_SECONDS)

    async def operations(self) -> list[dict[str, Any]]:
        """This application's operations with their journals, newest first."""
        operations: list[dict[str, Any]] = json.loads(await self.product.operations(self.supervisor, self.slug))
        return operations

    async def records(self) -> Records:
        """Everything that was recorded until now."""
        lab = self.product.lab
        requests = [_request(record) for record in self.clients.records]
        return Records(
            self.slug, requests, self.watch.sights, await lab.state(), await lab.calls(), await self.operations()
        )


@asynccontextmanager
async def playing(product: Product, supervisor: Supervisor, timeline: Timeline, slug: str) -> AsyncIterator[Scene]:
    """A scene with its clients and its watch; at the end the requests in flight are still answered."""
    clients = Traffic(product.lab.application(slug).urls)
    scene = Scene(product, supervisor, slug, clients, Watch(product.lab, slug, timeline.tell), timeline)
    clients.start()
    background = [asyncio.create_task(scene.watch.look()), asyncio.create_task(scene.follow())]
    try:
        yield scene
    finally:
        for task in background:
            task.cancel()
        await clients.stop()


def _request(record: Record) -> Request:
    return Request(record.started, record.ended, record.path, record.status, record.pool)
