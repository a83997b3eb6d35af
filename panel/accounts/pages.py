"""The page about one's own account: roles, ways to sign in, and where else one is signed in."""

from __future__ import annotations

from typing import cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from panel.accounts import second_factor, single_sign_on


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    factors = {each.type: each.wrap() for each in Authenticator.objects.filter(user=user).order_by("pk")}
    codes = factors.get(Authenticator.Type.RECOVERY_CODES)
    context = {
        "memberships": user.memberships.select_related("team"),
        "totp": factors.get(Authenticator.Type.TOTP),
        "keys": Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN),
        "codes_left": len(codes.get_unused_codes()) if codes else 0,
        "single": settings.PANEL_SIGN_ON if single_sign_on.has_account(user) else None,
        "missing": second_factor.is_missing(request),
        "sessions": sorted(UserSession.objects.purge_and_list(user), key=lambda each: each.created_at, reverse=True),
        "hours": settings.PANEL_SESSION_HOURS,
    }
    return render(request, "account/account.html", context)


@require_safe
def back(_request: HttpRequest) -> HttpResponse:
    """What allauth has pages of its own for, and this panel shows on one."""
    return redirect("account")
