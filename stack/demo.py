"""`make demo`: the whole product with three applications under live traffic, until Ctrl-C."""

import asyncio
import os
import sys
from pathlib import Path

from stack.directories import fresh_directory
from stack.part import Part
from stack.product import LOGIN, Product, forget_foreign_settings, start_product
from stack.run import forever, plan_panel
from stack.screen import Screen
from stack.supervisor import Supervisor, supervise
from stack.traffic import FIRST_SURGE_SECONDS, SURGE, SURGE_EVERY_SECONDS, SURGE_SECONDS, SURGING


def demo(directory: Path, screen: Screen) -> int:
    """Run until Ctrl-C, with everything under `directory`, which is emptied first. Returns the exit status.

    Raises SettingsError when PORT can't be used or another demo runs.
    """
    forget_foreign_settings()
    plan = plan_panel(os.environ, fresh_directory(directory))

    async def work(supervisor: Supervisor) -> int:
        product = await start_product(supervisor, directory, plan)
        await supervisor.start(_load_part(directory / "lab"))
        screen.say(_box(product, supervisor.log_dir))
        return await forever()

    return asyncio.run(supervise(work, directory / "log", screen))


def _load_part(lab_directory: Path) -> Part:
    return Part("load", (sys.executable, "-m", "stack.traffic", str(lab_directory)))


def _box(product: Product, log_dir: Path) -> str:
    lines = [
        f"Panel     {product.panel.url}",
        f"Login     {LOGIN}",
        f"Password  {product.password}",
        "",
        f"{FIRST_SURGE_SECONDS} s from now '{SURGING}' gets {SURGE['rate']} requests a second for {SURGE_SECONDS} s:",
        "Lambda meets its limit, the alarm fires, ECS tasks start and traffic moves to them.",
        "Some 30 s after the surge it moves back by itself and the tasks stop.",
        f"This repeats every {SURGE_EVERY_SECONDS // 60} minutes.",
        "",
        f"Lab       {product.lab.endpoint}/_lab/   (traffic, faults and scenarios to train on)",
        f"Logs      {log_dir}",
        "Stop      Ctrl-C",
    ]
    width = max(map(len, lines))
    rows = [f"│ {line:<{width}} │" for line in lines]
    return "\n".join(["", f"┌{'─' * (width + 2)}┐", *rows, f"└{'─' * (width + 2)}┘", ""])
