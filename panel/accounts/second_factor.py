"""Who must have a second factor: PANEL_REQUIRE_MFA. And that a code of it opens once, whatever process is asked."""

from __future__ import annotations

import time

from allauth.account.authentication import get_authentication_records
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from panel.accounts.models import Membership

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def is_missing(request: HttpRequest) -> bool:
    """Whether this person must set one up before anything else. One who came by single sign-on has the provider's."""
    user, whom = request.user, settings.PANEL_REQUIRE_MFA
    if whom == "off" or not isinstance(user, User):
        return False
    if any(each["method"] == "socialaccount" for each in get_authentication_records(request, user)):
        return False
    return (whom == "all" or is_admin(user)) and not is_mfa_enabled(user, FACTORS)


def is_admin(user: User) -> bool:
    """Whether the person is an admin of any team."""
    return user.is_superuser or Membership.objects.filter(user=user, role=Membership.Role.ADMIN).exists()


# ---- a code opens once ----

PERIOD = "last_period"  # of an authenticator app's row: which half minute's code was used last


class _Once(forms.BaseAuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """allauth remembers used codes in its process alone, and there are several."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP and not _first_use(self.authenticator):
            raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(_Once, forms.AuthenticateForm):  # type: ignore[misc]
    """Logging in."""


class ReauthenticateForm(_Once, forms.ReauthenticateForm):  # type: ignore[misc]
    """A proof."""


def _first_use(app: Authenticator, now: float | None = None) -> bool:
    period = int(now or time.time()) // app_settings.TOTP_PERIOD
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=app.pk)
        if row.data.get(PERIOD, 0) >= period:
            return False
        row.data[PERIOD] = period
        row.save(update_fields=["data"])
    return True
