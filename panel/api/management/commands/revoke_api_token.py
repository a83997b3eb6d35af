"""`manage.py revoke_api_token NAME`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.api import tokens


class Command(BaseCommand):
    help = "Have an API token work no more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def handle(self, *, name: str, **_options: Any) -> None:
        with audit.acting(audit.COMMAND_LINE):
            if not tokens.revoke(name):
                raise CommandError(f"There is no token {name!r} that works.")
        self.stderr.write(f"{name} is revoked.")
