"""`manage.py reset_second_factor USER`: for somebody whose phone and recovery codes are gone."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from panel import audit
from panel.accounts import members


class Command(BaseCommand):
    help = "Remove somebody's authenticator app, keys and recovery codes, once you know that it is them who ask."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")

    def handle(self, *, user: str, **_options: Any) -> None:
        try:
            found = members.person(user)
        except members.Unknown as problem:
            raise CommandError(str(problem)) from None
        with transaction.atomic(), audit.acting(audit.COMMAND_LINE):
            factors = Authenticator.objects.filter(user=found)
            if not factors:
                raise CommandError(f"{user} has no second factor.")
            factors.delete()
        self.stdout.write(
            f"{user} has no second factor any more. Whoever knows the password gets in: have one set up. "
            f"A browser that waits for the old one forgets it within 15 minutes."
        )
