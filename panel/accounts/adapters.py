"""How allauth's accounts and second factors work here."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from panel.accounts import single_sign_on

log = structlog.get_logger(__name__)


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the signature is allauth's
        """An administrator (`manage.py createsuperuser`) or single sign-on makes accounts, never a visitor."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """With PANEL_PASSWORD_LOGIN=off a password opens a superuser's account alone: for when the provider is away."""
        user: User | None = super().authenticate(request, **credentials)
        return user if user is None or settings.PANEL_PASSWORD_LOGIN or user.is_superuser else None

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        if single_sign_on.has_account(user):
            name = single_sign_on.configured().name
            url = reverse("account_prove_sign_on")
            methods.append(
                {"id": "single_sign_on", "description": _("Sign in with %(name)s again") % {"name": name}, "url": url}
            )
        return methods


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets lie encrypted in the database, under a key derived from PANEL_SECRET_KEY: a dump alone gives no codes."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # Under another PANEL_SECRET_KEY nothing fits; an empty secret would fit what anybody can work out.
            log.warning("second_factor_unreadable", way_out="manage.py reset_second_factor USER")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def build_totp_svg(self, url: str) -> str:
        """Without the XML prologue: it becomes part of the page, since the policy loads no picture from a text."""
        return re.sub(r"^<\?xml[^>]*\?>\s*", "", super().build_totp_svg(url))

    def get_totp_label(self, user: User) -> str:
        return user.get_username()


def _box() -> Fernet:
    key = salted_hmac("panel.accounts.second_factors", "", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
