"""What the browser may do, and who may have an account."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ContentSecurityPolicy(CSPMiddleware):
    """The settings' policy, and connections to the live updates where they have a port of their own."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 - the signature is django-csp's
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if settings.PANEL_LIVE_PORT and not report_only:
            parts.update = {**(parts.update or {}), "connect-src": [live_origin(request)]}
        return parts


def live_origin(request: HttpRequest) -> str:
    """Scheme, host and port of the live updates, as seen by the browser that sent this request."""
    host = request.get_host()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return f"{request.scheme}://{name}:{settings.PANEL_LIVE_PORT}"


class NoSignup(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by an administrator (`manage.py createsuperuser`), never by a visitor."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the signature is allauth's
        return False
