"""`manage.py create_api_token NAME --role viewer|operator|admin`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.accounts import members
from panel.api import tokens


class Command(BaseCommand):
    help = "Make an API token. Its secret is printed, alone and once; only a keyed hash of it is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", choices=members.ROLES, required=True)
        parser.add_argument("--team", default="", help="the only team that it has this role in; every team without")
        parser.add_argument("--days", type=int, help="how long it works; without end if not given")
        parser.add_argument("--from", dest="addresses", nargs="+", default=[], metavar="NETWORK",
                            help="networks that it may be used from, as in 10.0.0.0/8")  # fmt: skip

    def handle(
        self, *, name: str, role: str, team: str, days: int | None, addresses: list[str], **_options: Any
    ) -> None:
        try:
            owner = members.team(team) if team else None
            with audit.acting(audit.COMMAND_LINE):
                self.stdout.write(tokens.create(name, role, owner, days=days, addresses=addresses))
        except (members.Unknown, tokens.TokenError) as problem:
            raise CommandError(str(problem)) from None
