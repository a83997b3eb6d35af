"""`manage.py create_team SLUG [--name NAME]`"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from panel import audit
from panel.accounts.models import Team


class Command(BaseCommand):
    help = "Make a team, and print the external id that its roles in AWS must demand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="short name, as in an application's TOML")
        parser.add_argument("--name", default="", help="as people call it; the short name without")

    def handle(self, *, slug: str, name: str, **_options: Any) -> None:
        team = Team(slug=slug, name=name or slug)
        try:
            team.full_clean()
        except ValidationError as problem:
            raise CommandError(f"{slug}: {' '.join(problem.messages)}") from None
        with transaction.atomic(), audit.acting(audit.COMMAND_LINE):
            team.save()
            audit.record(audit.Action.TEAM_CREATE, subject=team.slug)
        self.stdout.write(team.external_id)
