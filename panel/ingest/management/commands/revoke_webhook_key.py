"""`manage.py revoke_webhook_key NAME`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.ingest import keys


class Command(BaseCommand):
    help = "Make a webhook key worthless from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def handle(self, *, name: str, **_options: Any) -> None:
        with audit.acting(audit.COMMAND_LINE):
            revoked = keys.revoke(name)
        if not revoked:
            raise CommandError(f"There is no webhook key {name!r} that still works.")
        self.stderr.write(f"{name} is revoked.")
