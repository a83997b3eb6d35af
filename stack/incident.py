"""`make incident`: one whole incident without a browser, judged by what was seen from outside."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from stack.directories import fresh_directory
from stack.product import Product, forget_foreign_settings, start_product
from stack.run import plan_panel
from stack.scene import Scene, Timeline, playing
from stack.screen import Screen
from stack.settings import SettingsError
from stack.supervisor import Supervisor, supervise
from stack.verdict import conclude
from stack.watch import ON_ECS, ON_LAMBDA

DEADLINE_SECONDS = 480
SLUG = "checkout"
_CALM_SECONDS = 10
_ON_ECS_SECONDS = 10
_AFTER_SECONDS = 5
_INTERRUPTED = 130


def incident(scenario: str, build: Path, screen: Screen) -> int:
    """Play a scenario and write `build/incident.json`. Returns 0 only if it ended well.

    Raises SettingsError for an unknown scenario, a PORT that can't be used, or when another incident runs.
    """
    if scenario not in SCENARIOS:
        raise SettingsError(f"There is no scenario {scenario!r}; there are: {', '.join(SCENARIOS)}.")
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
        missed = await _missed(SCENARIOS[scenario](scene), scene)
    ended_well, verdict = conclude(scenario, await scene.records(), timeline.entries, report, missed=missed)
    supervisor.screen.say(verdict)
    return 0 if ended_well else 1


async def _missed(story: Awaitable[None], scene: Scene) -> str:
    """Let the story happen; returns what it waited for when the deadline passed, "" if it came to its end."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await story
    except TimeoutError:
        return f"after {DEADLINE_SECONDS} s it still waited for {scene.waiting_for}"
    return ""


async def _surge(scene: Scene) -> None:
    """Lambda meets its limit; traffic goes to ECS, comes back by itself once it is calm, and the tasks stop."""
    scene.calm()
    await asyncio.sleep(_CALM_SECONDS)
    scene.surge()
    await scene.until("the failover", lambda sight: sight.everywhere(ON_ECS))
    await scene.until_succeeded("failover")
    await asyncio.sleep(_ON_ECS_SECONDS)
    scene.calm()
    await scene.until("the failback", lambda sight: sight.everywhere(ON_LAMBDA))
    await scene.until("the tasks to stop", lambda sight: sight.desired == sight.running == 0)
    await scene.until_succeeded("failback")
    await asyncio.sleep(_AFTER_SECONDS)


SCENARIOS: dict[str, Callable[[Scene], Awaitable[None]]] = {"surge": _surge}
