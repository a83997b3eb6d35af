"""Where an incident plays: the running product, the client's load on one application, and what is told of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.load import Record
from stack.clients import CALM_RATE, SURGE_RATE, Clients
from stack.phases import Request
from stack.product import Product
from stack.screen import Screen
from stack.supervisor import Supervisor
from stack.verdict import Records
from stack.watch import Sight, Watch

# Asking the panel starts a process; more often would be load of our own making.
_ASK_SECONDS = 2


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
    """What a scenario drives and what it may wait for; `waiting_for` names the last thing it waited for."""

    product: Product
    supervisor: Supervisor
    slug: str
    clients: Clients
    watch: Watch
    timeline: Timeline
    waiting_for: str = ""

    def calm(self) -> None:
        self.clients.surge(on=False)
        self.timeline.tell("traffic", f"calm: {CALM_RATE} requests a second")

    def surge(self) -> None:
        self.clients.surge(on=True)
        self.timeline.tell("traffic", f"surge: {SURGE_RATE} requests a second")

    async def until(self, what: str, condition: Callable[[Sight], bool]) -> None:
        self.waiting_for = what
        await self.watch.until(condition)

    async def until_succeeded(self, goal: str) -> None:
        """Until the panel's newest operation with this goal has succeeded."""
        self.waiting_for = f"the panel to verify the {goal}"
        while not _succeeded(await self.operations(), goal):  # noqa: ASYNC110 - the panel is another process
            await asyncio.sleep(_ASK_SECONDS)
        self.timeline.tell("panel", f"the {goal} is verified")

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
    """A scene with its load and its watch; at the end the requests in flight are still answered."""
    watch = Watch(product.lab, slug, timeline.tell)
    clients = Clients(product.lab.application(slug).urls)
    looking = asyncio.create_task(watch.look())
    clients.start()
    try:
        yield Scene(product, supervisor, slug, clients, watch, timeline)
    finally:
        await clients.stop()
        looking.cancel()


def _request(record: Record) -> Request:
    return Request(record.started, record.ended, record.path, record.status, record.pool)


def _succeeded(operations: list[dict[str, Any]], goal: str) -> bool:
    return any(each["goal"] == goal and each["status"] == "succeeded" for each in operations)
