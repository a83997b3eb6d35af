"""The whole product on loopback: the lab, and the panel that protects the lab's applications."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from stack.applications import write_applications
from stack.laboratory import Laboratory, lab_part, read_laboratory
from stack.panel import manage
from stack.ports import free_ports
from stack.run import PanelPlan, migrate, start_panel
from stack.supervisor import Supervisor

LOGIN = "operator"
FOREIGN_PREFIXES = ("PANEL_", "AWS_", "DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Product:
    """What runs, and how to get in."""

    lab: Laboratory
    panel: PanelPlan
    password: str

    async def operations(self, supervisor: Supervisor, slug: str) -> str:
        """One application's operations with their journals, newest first, as JSON text."""
        # Asking must not slow down what is asked about: the lab shares this machine.
        command = ("nice", "-n", "19", *manage("export_operations", "--application", slug))
        return await supervisor.run("export", command, self.panel.env)


def forget_foreign_settings() -> None:
    """Take nothing from the caller's environment but PORT: above all no way to a real AWS account."""
    for name in list(os.environ):
        if name.startswith(FOREIGN_PREFIXES) or name == "HOST":
            del os.environ[name]


async def start_product(supervisor: Supervisor, directory: Path, plan: PanelPlan) -> Product:
    """Start the lab and the panel, with the lab's applications imported and its events coming in.

    Raises PartError when a part or a step fails.
    """
    lab_directory = directory / "lab"
    [lab_port] = free_ports(1)
    await supervisor.start(lab_part(lab_port, lab_directory))
    lab = read_laboratory(lab_directory)
    # The lab's balancers and whoever is told are on loopback too.
    panel = plan.with_env({**lab.aws_environment(), "PANEL_OUTBOUND_ALLOW": "127.0.0.0/8"})
    await migrate(supervisor, panel)
    files = write_applications(lab, directory / "applications")
    await supervisor.run("import_application", manage("import_application", *map(str, files)), panel.env)
    key = await supervisor.run("create_webhook_key", manage("create_webhook_key", "demo"), panel.env)
    password = await _create_operator(supervisor, panel)
    await start_panel(supervisor, panel)
    await lab.send_events_to(f"{panel.url}/webhooks/eventbridge", key.strip())
    return Product(lab, panel, password)


async def _create_operator(supervisor: Supervisor, panel: PanelPlan) -> str:
    """Returns the password."""
    password = secrets.token_urlsafe(9)
    account = {
        "DJANGO_SUPERUSER_USERNAME": LOGIN,
        "DJANGO_SUPERUSER_EMAIL": f"{LOGIN}@example.com",
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    await supervisor.run("createsuperuser", manage("createsuperuser", "--no-input"), {**panel.env, **account})
    return password
