"""Gives every request its origin, and has those that were turned away counted."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import csrf

from panel.accounts.middleware import to_login_and_back
from panel.audit import denials
from panel.audit.origin import Origin, address_of, coming_from, deny
from panel.audit.words import Action


class AuditOrigin:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with coming_from(Origin(request=request, address=address_of(request))) as origin:
            response = self.get_response(request)
            if origin.denied or response.status_code == 403:
                denials.note(Action.DENIED, subject=origin.asked_for or _asked_for(request), reason=origin.denied)
        denials.write_due()
        return response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, PermissionDenied):
            deny(str(exception))


def _asked_for(request: HttpRequest) -> str:
    """The view and not the path: a visitor can ask for as many paths as he likes, and each would count anew."""
    match = request.resolver_match
    return f"{request.method} {match.view_name}" if match else ""


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's page, or for a piece of a page the way to the login; Django's reason is for whoever reads the trail."""
    deny(f"CSRF: {reason}")
    if request.headers.get("HX-Request") == "true":
        return to_login_and_back(request, 403, "This page was too old to act from.")
    return csrf.csrf_failure(request, reason)
