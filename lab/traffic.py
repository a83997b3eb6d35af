"""Clients that send what the lab's stage asks for: ``python -m lab.traffic`` follows a running lab until it is ended.

Slow requests are a load of their own, so that their share of few requests is as even as that of many.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from lab.load import Load, Record, summarise

QUICK = (("/bang", 1.0), ("/pong", 1.0), ("/env", 1.0))
SLOW = (("/sleep", 1.0),)
FOLLOW_SECONDS = 0.5
REPORT_SECONDS = 30.0


class Traffic:
    """The clients of one application. Nothing is ever sent again."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._quick = Load(urls, rate=0, mix=QUICK)
        self._slow = Load(urls, rate=0, mix=SLOW)

    @property
    def records(self) -> list[Record]:
        return [*self._quick.records, *self._slow.records]

    def set(self, rate: float, slow_percent: float) -> None:
        """Requests a second from now on, of which so many percent go to ``/sleep``."""
        self._quick.rate = rate * (1 - slow_percent / 100)
        self._slow.rate = rate * slow_percent / 100

    def start(self) -> None:
        for load in (self._quick, self._slow):
            load.start()

    def forget(self) -> None:
        """Drop the records, which would otherwise grow for ever."""
        for load in (self._quick, self._slow):
            load.records.clear()

    async def stop(self) -> None:
        """Send no more, and wait for the answers."""
        await asyncio.gather(self._quick.stop(), self._slow.stop())


async def follow(description: dict[str, Any]) -> None:
    """Sends what the lab asks for, for every application, until cancelled; says twice a minute how it went."""
    clients = {slug: Traffic(each["urls"]) for slug, each in description["applications"].items()}
    for each in clients.values():
        each.start()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        looks_a_report = round(REPORT_SECONDS / FOLLOW_SECONDS)
        for looks in range(1, sys.maxsize):
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # a lab that is late is asked again
                await _follow_once(session, f"{description['endpoint']}/_lab/scenario", clients)
            await asyncio.sleep(FOLLOW_SECONDS)
            if looks % looks_a_report == 0:
                _report(clients)


async def _follow_once(session: aiohttp.ClientSession, url: str, clients: dict[str, Traffic]) -> None:
    async with session.get(url) as answer:
        loads = (await answer.json())["loads"]
    for slug, load in loads.items():
        clients[slug].set(load["rate"], load["slow_percent"])


def _report(clients: dict[str, Traffic]) -> None:
    for slug, each in clients.items():
        if each.records:
            print(f"{slug:<10} {summarise(each.records)}", flush=True)  # noqa: T201 - this command's output
            each.forget()


def main() -> int:
    """Returns the exit status: 0 when interrupted, 2 when there is no lab to follow."""
    parser = argparse.ArgumentParser(prog="python -m lab.traffic", description="Sends what a running lab asks for.")
    parser.add_argument("--lab", type=Path, default=Path("build/lab/lab.json"), help="the running lab's description")
    path = parser.parse_args().lab
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        print(f"{path} cannot be read ({error.strerror}): start the lab first.", file=sys.stderr)  # noqa: T201
        return 2
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow(description))
    return 0


if __name__ == "__main__":
    sys.exit(main())
