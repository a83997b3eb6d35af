"""`make run`: the panel without the lab, configured by the environment."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from stack.broker import broker
from stack.directories import claim
from stack.panel import manage, panel_parts
from stack.part import Part
from stack.ports import free_ports, panel_port
from stack.screen import Screen
from stack.settings import SettingsError
from stack.supervisor import Supervisor, supervise

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class PanelPlan:
    """What `run` will start: parts in their order, the environment that they and `manage.py` share, and the URL."""

    parts: list[Part]
    env: dict[str, str] = field(repr=False)
    url: str

    def with_env(self, more: Mapping[str, str]) -> "PanelPlan":
        """The same, with more variables for every part."""
        parts = [replace(part, env={**part.env, **more}) for part in self.parts]
        return PanelPlan(parts, {**self.env, **more}, self.url)


def run(var: Path, screen: Screen) -> int:
    """Run the panel until Ctrl-C; everything it keeps is under `var`. Returns the exit status.

    Raises SettingsError for an environment that can't be used, or when another panel runs there.
    """
    plan = plan_panel(os.environ, claim(var))

    async def work(supervisor: Supervisor) -> int:
        await migrate(supervisor, plan)
        await start_panel(supervisor, plan)
        screen.say(f"\nThe panel is at {plan.url}   (logs in {supervisor.log_dir}; Ctrl-C stops it)\n")
        return await forever()

    return asyncio.run(supervise(work, var / "log", screen))


async def migrate(supervisor: Supervisor, plan: PanelPlan) -> None:
    """Bring the database up to date. Raises PartError."""
    await supervisor.run("migrate", manage("migrate", "--no-input"), plan.env)


async def start_panel(supervisor: Supervisor, plan: PanelPlan) -> None:
    """Start the parts, each when the one before is ready. Raises PartError."""
    for part in plan.parts:
        await supervisor.start(part)


async def forever() -> int:
    """Wait until the supervisor cancels the work."""
    await asyncio.Event().wait()
    return 0


def plan_panel(environ: Mapping[str, str], var: Path) -> PanelPlan:
    """Choose ports, and the database, the broker and the secret where the environment names none.

    Raises SettingsError.
    """
    host, port = _host(environ), panel_port(environ)
    live_port, broker_port = free_ports(2)
    env, parts = {"PORT": str(port)}, list[Part]()
    if not _is_given(environ, "DATABASE_URL"):
        env["DATABASE_URL"] = f"sqlite:///{var / 'panel.sqlite3'}"
    if not _is_given(environ, "REDIS_URL"):
        env["REDIS_URL"] = f"redis://{LOOPBACK}:{broker_port}/0"
        parts.append(broker(broker_port, var / "broker"))
    if not _is_given(environ, "PANEL_SECRET_KEY"):
        env["PANEL_SECRET_KEY_FILE"] = str(_own_secret(var / "secret-key"))
    return PanelPlan([*parts, *panel_parts(env, host, port, live_port)], env, f"http://{LOOPBACK}:{port}")


def _host(environ: Mapping[str, str]) -> str:
    host = environ.get("HOST") or LOOPBACK
    if host != LOOPBACK and not _is_given(environ, "PANEL_SECRET_KEY"):
        raise SettingsError(
            f"HOST is {host!r}, but without a secret of its own the panel serves {LOOPBACK} only: "
            "set PANEL_SECRET_KEY or PANEL_SECRET_KEY_FILE too."
        )
    return host


def _is_given(environ: Mapping[str, str], name: str) -> bool:
    """The panel takes each variable as NAME or, from a file, as NAME_FILE."""
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


def _own_secret(path: Path) -> Path:
    # Created readable for nobody else; a second start finds it and keeps people logged in.
    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path
