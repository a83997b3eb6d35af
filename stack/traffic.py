"""The demo's clients: `python -m stack.traffic LAB_DIRECTORY` sends requests to every application until it is ended.

It asks the lab for calm and surge like everybody else, and leaves a scenario that is played alone.
"""

import asyncio
import json
import sys
from pathlib import Path

from lab.traffic import follow
from stack.laboratory import Laboratory, laboratory

SURGING = "checkout"
FIRST_SURGE_SECONDS = 20
SURGE_SECONDS = 60
SURGE_EVERY_SECONDS = 240
# Slow requests take 5 s. In calm times they keep 2 to 3 executions of Lambda busy: always some that a shift could cut,
# and far enough from the alarm's threshold on a busy machine. In a surge it is 18, more than Lambda may run.
CALM = {"rate": 52, "slow_percent": 1}
SURGE = {"rate": 150, "slow_percent": 2.4}
ASIDE = {"rate": 8, "slow_percent": 1}


def surges(elapsed: float) -> bool:
    """Whether there is a surge, so many seconds after the start."""
    since = elapsed - FIRST_SURGE_SECONDS
    return since >= 0 and since % SURGE_EVERY_SECONDS < SURGE_SECONDS


async def _ask_for_surges(lab: Laboratory) -> None:
    for application in lab.applications:
        await lab.set_load(application.slug, CALM if application.slug == SURGING else ASIDE)
    for elapsed in range(1, sys.maxsize):
        await asyncio.sleep(1)
        if surges(elapsed) != surges(elapsed - 1) and not await lab.is_playing():
            await lab.set_load(SURGING, SURGE if surges(elapsed) else CALM)


async def send(directory: Path) -> None:
    """Send until cancelled."""
    described = json.loads((directory / "lab.json").read_text(encoding="utf-8"))
    await asyncio.gather(_ask_for_surges(laboratory(described)), follow(described))


if __name__ == "__main__":
    asyncio.run(send(Path(sys.argv[1])))
