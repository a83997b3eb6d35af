"""The demo's clients: `python -m stack.traffic LAB_DIRECTORY` sends requests to every application until it is ended."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.load import Load, summarise
from stack.laboratory import Laboratory, read_laboratory

SURGING = "checkout"
CALM_RATE = 52
SURGE_RATE = 150
OTHER_RATE = 8
FIRST_SURGE_SECONDS = 20
SURGE_SECONDS = 60
SURGE_EVERY_SECONDS = 240
_REPORT_SECONDS = 30


def rate(slug: str, elapsed: float) -> int:
    """Requests a second to an application, so many seconds after the start."""
    if slug != SURGING:
        return OTHER_RATE
    since = elapsed - FIRST_SURGE_SECONDS
    return SURGE_RATE if since >= 0 and since % SURGE_EVERY_SECONDS < SURGE_SECONDS else CALM_RATE


async def send(lab: Laboratory) -> None:
    """Send until cancelled."""
    loads = {each.slug: Load(each.urls, rate=rate(each.slug, 0)) for each in lab.applications}
    for load in loads.values():
        load.start()
    for elapsed in range(sys.maxsize):
        for slug, load in loads.items():
            load.rate = rate(slug, elapsed)
        await asyncio.sleep(1)
        if elapsed % _REPORT_SECONDS == _REPORT_SECONDS - 1:
            _report(loads)


def _report(loads: Mapping[str, Load]) -> None:
    for slug, load in loads.items():
        print(f"{slug:<10} {load.rate:g}/s  {summarise(load.records)}", flush=True)  # noqa: T201 - this part's log
        # A demo may run for days; only what came since the last report is of interest.
        load.records.clear()


if __name__ == "__main__":
    asyncio.run(send(read_laboratory(Path(sys.argv[1]))))
