"""`manage.py set_role USER TEAM viewer|operator|admin|none`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.accounts import members


class Command(BaseCommand):
    help = "Give a person a role in a team, or take it away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("team", metavar="TEAM", help="the team's short name; `all` for every team")
        parser.add_argument("role", choices=[*members.ROLES, "none"])

    def handle(self, *, user: str, team: str, role: str, **_options: Any) -> None:
        try:
            with audit.acting(audit.COMMAND_LINE):
                self.stdout.write(self._set(user, team, role))
        except members.MemberError as problem:
            raise CommandError(str(problem)) from None

    def _set(self, user: str, team: str, role: str) -> str:
        return members.set_role(members.person(user), None if team == "all" else members.team(team), role)
