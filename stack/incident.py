"""`make incident`: one whole incident without a browser, judged by what was seen from outside."""

import asyncio
import os
from pathlib import Path

from lab.scenario import NAMES
from stack.directories import fresh_directory
from stack.product import Product, forget_foreign_settings, start_product
from stack.run import plan_panel
from stack.scene import Timeline, playing
from stack.screen import Screen
from stack.settings import SettingsError
from stack.supervisor import Supervisor, supervise
from stack.verdict import conclude

SLUG = "checkout"
_INTERRUPTED = 130
# Beyond the scenario's own deadline the lab, or we, must be stuck.
_STUCK_SECONDS = 900


def incident(scenario: str, build: Path, screen: Screen) -> int:
    """Play a scenario of the lab's and write `build/incident.json`. Returns 0 only if it ended as its file says.

    Raises SettingsError for an unknown scenario, a PORT that can't be used, or when another incident runs.
    """
    if scenario not in NAMES:
        raise SettingsError(f"There is no scenario {scenario!r}; there are: {', '.join(NAMES)}.")
    forget_foreign_settings()
    directory = fresh_directory(build / "incident")
    plan = plan_panel(os.environ, directory)

    async def work(supervisor: Supervisor) -> int:
        product = await start_product(supervisor, directory, plan)
        return await _play(scenario, product, supervisor, build / "incident.json")

    return asyncio.run(supervise(work, directory / "log", screen, stopped_status=_INTERRUPTED))


async def _play(scenario: str, product: Product, supervisor: Supervisor, report: Path) -> int:
    timeline = Timeline(supervisor.screen)
    async with playing(product, supervisor, timeline, SLUG) as scene:
        async with asyncio.timeout(_STUCK_SECONDS):
            played = await scene.play(scenario)
    ended_well, verdict = conclude(scenario, played, await scene.records(), timeline.entries, report)
    supervisor.screen.say(verdict)
    return 0 if ended_well else 1
