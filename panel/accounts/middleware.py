"""Every page needs a login, also where only a piece of it was asked for; some need more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import middleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from panel.accounts import second_factor
from panel.accounts.again import ask, proved_recently

# What a stolen session could keep an account with: whoever adds a factor could prove everything with it from then on.
NEEDS_PROOF = {
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",
}


class LoginRequired(middleware.LoginRequiredMiddleware):
    """Django's, but a refresh of a piece answers 401 and sends the whole browser page to the login and back.

    Without that the login form would be swapped into the piece.
    """

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *given: Any) -> HttpResponseBase | None:
        """The API asks for a token itself, and knows no login."""
        if request.path_info.startswith("/api/"):
            return None
        return super().process_view(request, view_func, *given) or _more(request)

    def handle_no_permission(  # type: ignore[override]  # Django itself takes any response here
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        if request.headers.get("HX-Request") != "true":
            return super().handle_no_permission(request, view_func)
        return to_login_and_back(request, 401, "Please log in again.", self.get_login_url(view_func))


def _more(request: HttpRequest) -> HttpResponseBase | None:
    """A fresh proof for the pages about proofs, and a second factor before all others where one is required."""
    if not request.user.is_authenticated:
        return None
    if request.path_info.startswith(reverse("account")):
        match = request.resolver_match
        return ask(request) if match and match.url_name in NEEDS_PROOF and not proved_recently(request) else None
    return _to_second_factor(request) if second_factor.is_missing(request) else None


def _to_second_factor(request: HttpRequest) -> HttpResponseBase:
    page = reverse("account")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse("Set up a second factor first.", status=401, headers={"HX-Redirect": page})
    return redirect(page)


def to_login_and_back(request: HttpRequest, status: int, said: str, login_url: str | None = None) -> HttpResponse:
    """The answer to a piece of a page that takes the whole page to the login, and from there back to where it was."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = f"{page.path or '/'}?{page.query}".removesuffix("?")
    login = redirect_to_login(back, login_url)
    return HttpResponse(said, status=status, headers={"HX-Redirect": login.url})
