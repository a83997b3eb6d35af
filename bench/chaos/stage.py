"""The product of one cell: lab, PostgreSQL, broker and the panel's processes, each of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from bench.chaos.rows import Rows
from bench.postgresql import Postgresql
from stack.applications import application_toml
from stack.laboratory import Laboratory, lab_part, read_laboratory
from stack.loopback import put_json
from stack.panel import manage
from stack.part import Part
from stack.ports import free_ports
from stack.run import PanelPlan, migrate, plan_panel, start_panel
from stack.supervisor import Supervisor

SLUG = "checkout"
WORLD = Path(__file__).parent / "world.toml"
# Seconds where an installation has minutes, and steps in both directions, so that there is an in between to break.
POLICY = {
    "failover_count": 2,
    "min_healthy": 2,
    "shift_steps": [50, 100],
    "failback_steps": [75, 0],
    "step_seconds": 3,
    "settle_seconds": 2,
    "drain_seconds": 4,
    "bake_seconds": 5,
    "min_requests": 5,
    "scale_deadline_seconds": 25,
    "dwell_seconds": 4,
    "cooldown_seconds": 4,
}
# What the lab and the browsers' page have for people, a cell has no use for.
NOT_NEEDED = {"live"}
IN_PLACE_OF = {"panel": "bench.chaos.inside", "panel.wsgi:application": "bench.chaos.inside:application"}


@dataclass
class Stage:
    """What faults are done to, and what is looked at."""

    supervisor: Supervisor
    lab: Laboratory
    panel: PanelPlan
    rows: Rows
    key: str
    directory: Path
    _database: Postgresql
    _keeper: Executor

    async def switch(self, name: str, value: object) -> None:
        """Turn one of the lab's switches; None mends it."""
        await put_json(f"{self.lab.endpoint}/_lab/faults", {"switch": name, "value": value})

    def set_clock(self, wrong_by: float) -> None:
        """Let the panel's time of day be so many seconds ahead; negative: behind."""
        new = self.directory / "clock.new"
        new.write_text(f"{wrong_by:.3f}", encoding="ascii")
        new.replace(self.directory / "clock")

    async def restart_database(self, away_seconds: float) -> None:
        await self._by_keeper(self._database.stop)
        await asyncio.sleep(away_seconds)
        await self._by_keeper(self._database.start)

    async def manage(self, *arguments: str) -> str:
        """One of the panel's commands, out of the way of what runs. Raises PartError."""
        return await self.supervisor.run(arguments[0], ("nice", "-n", "19", *manage(*arguments)), self.panel.env)

    async def _by_keeper(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._keeper, work)


async def start(supervisor: Supervisor, directory: Path, database: Postgresql, keeper: Executor) -> Stage:
    """The running product, calm, with one application imported and the lab's events coming in.

    `keeper` has one thread, which outlives the cell: PostgreSQL ends with the thread that started it. Raises PartError.
    """
    os.environ["DATABASE_URL"] = database.url
    [port, lab_port] = free_ports(2)
    os.environ["PORT"] = str(port)
    part = lab_part(lab_port, directory / "lab")
    plan = plan_panel(os.environ, directory)
    notes = {"CHAOS_NOTES": str(directory / "notes.jsonl"), "CHAOS_CLOCK": str(directory / "clock")}
    plan = plan.with_env({**notes, "PANEL_OUTBOUND_ALLOW": "127.0.0.0/8"})
    lab_starts = supervisor.start(replace(part, argv=(*part.argv, "--world", str(WORLD))))
    await asyncio.gather(lab_starts, migrate(supervisor, plan))
    lab = read_laboratory(directory / "lab")
    plan = plan.with_env(lab.aws_environment())
    plan = PanelPlan([_from_inside(each) for each in plan.parts if each.name not in NOT_NEEDED], plan.env, plan.url)
    file = directory / "checkout.toml"
    file.write_text(application_toml(lab.application(SLUG), lab.region, POLICY), encoding="utf-8")
    _, key = await asyncio.gather(
        supervisor.run("import_application", manage("import_application", str(file)), plan.env),
        supervisor.run("create_webhook_key", manage("create_webhook_key", "chaos"), plan.env),
    )
    key = key.strip()
    await start_panel(supervisor, plan)
    await lab.send_events_to(f"{plan.url}/webhooks/eventbridge", key)
    return Stage(supervisor, lab, plan, Rows(database.url), key, directory, database, keeper)


def _from_inside(part: Part) -> Part:
    return replace(part, argv=_replaced(part.argv))


def _replaced(argv: Sequence[str]) -> tuple[str, ...]:
    """The same command with our Celery application, or our WSGI application, in the place of the panel's."""
    before = ("", *argv)
    return tuple(
        IN_PLACE_OF.get(each, each) if former == "--app" or each.endswith(":application") else each
        for former, each in zip(before, argv, strict=False)
    )
