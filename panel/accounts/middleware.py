"""Every page needs a login, also where only a piece of it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import middleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class LoginRequired(middleware.LoginRequiredMiddleware):
    """Django's, but a refresh of a piece answers 401 and sends the whole browser page to the login and back.

    Without that the login form would be swapped into the piece.
    """

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *given: Any) -> HttpResponseBase | None:
        """The API asks for a token itself, and knows no login."""
        if request.path_info.startswith("/api/"):
            return None
        return super().process_view(request, view_func, *given)

    def handle_no_permission(  # type: ignore[override]  # Django itself takes any response here
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        if request.headers.get("HX-Request") != "true":
            return super().handle_no_permission(request, view_func)
        return to_login_and_back(request, 401, "Please log in again.", self.get_login_url(view_func))


def to_login_and_back(request: HttpRequest, status: int, said: str, login_url: str | None = None) -> HttpResponse:
    """The answer to a piece of a page that takes the whole page to the login, and from there back to where it was."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = f"{page.path or '/'}?{page.query}".removesuffix("?")
    login = redirect_to_login(back, login_url)
    return HttpResponse(said, status=status, headers={"HX-Redirect": login.url})
