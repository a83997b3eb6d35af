"""Who must have a second factor: PANEL_REQUIRE_MFA."""

from __future__ import annotations

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import User
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
