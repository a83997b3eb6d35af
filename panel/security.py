"""What the browser may do."""

from __future__ import annotations

from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

UNUSED = ", ".join(
    f"{name}=()" for name in ("camera", "microphone", "geolocation", "payment", "usb", "serial", "display-capture")
)


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


class BrowserLimits:
    """What pages need nothing of, and who may load them; and no copy of an account's pages stays behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", UNUSED)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path_info.startswith("/accounts/"):
            response["Cache-Control"] = "no-store"
        return response
