"""The paths that machines call, answered before host checks, redirects and CSRF can lose one of their requests.

EventBridge takes an answer of 3xx, 400 or 403 as final, and a load balancer's health check carries no useful Host.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from panel import health
from panel.ingest import webhook
from panel.watch import metrics

Answer = Callable[[HttpRequest], HttpResponseBase]

PATHS: dict[str, Answer] = {
    "/webhooks/eventbridge": webhook.receive,
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/metrics": metrics.metrics,
}


class FrontDoor:
    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = PATHS.get(request.path_info.rstrip("/"), self.get_response)
        return answer(request)
