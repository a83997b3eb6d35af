"""`manage.py link_account USER SUBJECT`: from then on whom the provider calls SUBJECT signs in as USER."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from panel import audit
from panel.accounts import members
from panel.audit import Action


class Command(BaseCommand):
    help = "Join an account that is here with a person at the single sign-on's provider."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument(
            "subject", metavar="SUBJECT", help="the provider's identifier of the person (the claim sub)"
        )

    def handle(self, *, user: str, subject: str, **_options: Any) -> None:
        single = settings.PANEL_SIGN_ON
        if single is None:
            raise CommandError("This panel has no single sign-on: PANEL_OIDC_ISSUER is not set.")
        try:
            found = members.person(user)
        except members.Unknown as problem:
            raise CommandError(str(problem)) from None
        with transaction.atomic(), audit.acting(audit.COMMAND_LINE):
            account, new = SocialAccount.objects.get_or_create(
                provider=single.provider_id, uid=subject, defaults={"user": found}
            )
            if account.user_id != found.pk:
                raise CommandError(f"{subject} at {single.issuer} signs in as {account.user.get_username()} already.")
            if new:
                audit.record(Action.ACCOUNT_LINK, subject=user, after={"issuer": single.issuer, "sub": subject})
        self.stdout.write(f"{subject} at {single.issuer} signs in as {user}.")
