"""`/metrics`: the figures in Prometheus's text format, and who may have them."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CollectorRegistry, generate_latest

from panel.watch.collector import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for who may have them. 503 where the database can't be read: better none than wrong ones."""
    refused = _refused(request)
    if refused is not None:
        return refused
    try:
        return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE)
    except Error:
        return JsonResponse({"error": "The database can't be read."}, status=503)


def _refused(request: HttpRequest) -> HttpResponse | None:
    token: str = settings.PANEL_METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return None
        headers = {"WWW-Authenticate": "Bearer"}
        return JsonResponse({"error": "Send PANEL_METRICS_TOKEN as a bearer token."}, status=401, headers=headers)
    if _is_near(request):
        return None
    return JsonResponse({"error": "Without PANEL_METRICS_TOKEN only this machine and its network may ask."}, status=403)


def _is_near(request: HttpRequest) -> bool:
    """Whether who asks is on this machine or its network. What came through a load balancer may be from anywhere."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return address.is_loopback or address.is_private


_registry = CollectorRegistry()
_registry.register(Collector())
