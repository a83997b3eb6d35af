"""The demo's clients: `python -m stack.traffic LAB_DIRECTORY` sends requests to every application until it is ended."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.load import summarise
from stack.clients import CALM_RATE, Clients
from stack.laboratory import Laboratory, read_laboratory

SURGING = "checkout"
FIRST_SURGE_SECONDS = 20
SURGE_SECONDS = 60
SURGE_EVERY_SECONDS = 240
_OTHER_RATE = 8
_REPORT_SECONDS = 30


def surges(elapsed: float) -> bool:
    """Whether there is a surge, so many seconds after the start."""
    since = elapsed - FIRST_SURGE_SECONDS
    return since >= 0 and since % SURGE_EVERY_SECONDS < SURGE_SECONDS


async def send(lab: Laboratory) -> None:
    """Send until cancelled."""
    clients = {each.slug: Clients(each.urls, _calm_rate(each.slug)) for each in lab.applications}
    for each in clients.values():
        each.start()
    for elapsed in range(sys.maxsize):
        clients[SURGING].surge(on=surges(elapsed))
        await asyncio.sleep(1)
        if elapsed % _REPORT_SECONDS == _REPORT_SECONDS - 1:
            _report(clients)


def _calm_rate(slug: str) -> int:
    return CALM_RATE if slug == SURGING else _OTHER_RATE


def _report(clients: Mapping[str, Clients]) -> None:
    for slug, each in clients.items():
        print(f"{slug:<10} {summarise(each.records)}", flush=True)  # noqa: T201 - this part's log
        each.forget()


if __name__ == "__main__":
    asyncio.run(send(read_laboratory(Path(sys.argv[1]))))
