"""`make run`: the panel without the lab, configured by the environment."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stack.broker import broker
from stack.panel import manage, panel_parts
from stack.part import Part
from stack.ports import free_ports, panel_port
from stack.screen import Screen
from stack.settings import SettingsError
from stack.supervisor import Supervisor, supervise

LOOPBACK = "127.0.0.1"
_LOCAL_HOSTS = "127.0.0.1,localhost"


@dataclass(frozen=True)
class PanelPlan:
    """What `run` will start: parts in their order, the environment that they and `manage.py` share, and the URL."""

    parts: list[Part]
    env: dict[str, str] = field(repr=False)
    url: str


def run(var: Path, screen: Screen) -> int:
    """Run the panel until Ctrl-C; everything it keeps is under `var`. Returns the exit status.

    Raises SettingsError for an environment that can't be used.
    """
    plan = plan_panel(os.environ, var)

    async def work(supervisor: Supervisor) -> int:
        await start_panel(supervisor, plan)
        screen.say(f"\nThe panel is at {plan.url}   (logs in {supervisor.log_dir}; Ctrl-C stops it)\n")
        return await forever()

    return asyncio.run(supervise(work, var / "log", screen))


async def start_panel(supervisor: Supervisor, plan: PanelPlan) -> None:
    """Bring the database up to date and start the parts. Raises PartError."""
    await supervisor.run("migrate", manage("migrate", "--no-input"), plan.env)
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
    var.mkdir(parents=True, exist_ok=True)
    env = {"DATABASE_URL": environ.get("DATABASE_URL") or f"sqlite:///{var / 'panel.sqlite3'}"}
    host, port = _host(environ), panel_port(environ)
    live_port, broker_port = free_ports(2)
    parts: list[Part] = []
    if not environ.get("REDIS_URL"):
        parts.append(broker(broker_port, var / "broker"))
        env["REDIS_URL"] = f"redis://{LOOPBACK}:{broker_port}/0"
    if not _has_secret(environ):
        env["PANEL_SECRET_KEY_FILE"] = str(_own_secret(var / "secret-key"))
        env["PANEL_ALLOWED_HOSTS"] = environ.get("PANEL_ALLOWED_HOSTS") or _LOCAL_HOSTS
    return PanelPlan([*parts, *panel_parts(env, host, port, live_port)], env, f"http://{host}:{port}")


def _host(environ: Mapping[str, str]) -> str:
    host = environ.get("HOST") or LOOPBACK
    if host != LOOPBACK and not _has_secret(environ):
        raise SettingsError(
            f"HOST is {host!r}, but without a secret of its own the panel serves {LOOPBACK} only: "
            "set PANEL_SECRET_KEY or PANEL_SECRET_KEY_FILE too."
        )
    return host


def _has_secret(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("PANEL_SECRET_KEY") or environ.get("PANEL_SECRET_KEY_FILE"))


def _own_secret(path: Path) -> Path:
    # Created readable for nobody else; a second start finds it and keeps people logged in.
    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path
