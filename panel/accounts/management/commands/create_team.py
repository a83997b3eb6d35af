"""`manage.py create_team SLUG [--name NAME]`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.accounts import teams


class Command(BaseCommand):
    help = "Make a team, and print the external id that its roles in AWS must demand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="short name, as in an application's TOML")
        parser.add_argument("--name", default="", help="as people call it; the short name without")

    def handle(self, *, slug: str, name: str, **_options: Any) -> None:
        try:
            with audit.acting(audit.COMMAND_LINE):
                team = teams.create(slug, name)
        except teams.TeamError as problem:
            raise CommandError(f"{slug}: {problem}") from None
        self.stdout.write(team.external_id)
