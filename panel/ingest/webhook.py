"""`POST /webhooks/eventbridge`: store, commit, answer, and only then wake a worker.

EventBridge waits 5 s and repeats 401, 429 and 5xx for 24 hours; everything else is final. So a duplicate gets 202, a
failing database 503, and nothing here waits for AWS or the broker.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError

from failover.events import EventError
from panel import audit, trails
from panel.ingest import keys
from panel.ingest.body import BodyError
from panel.ingest.inbox import Delivery, Received, WrongKeyError, receive_all
from panel.ingest.together import Together
from panel.watch import tally

LARGEST = 1_048_576
MOST_TOGETHER = 100
PATIENCE_SECONDS = 1.5  # for a turn, then twice as long, as the database's own time-outs: less than EventBridge's 5 s
DELIVERIES = "webhook_deliveries"
REFUSED = {400: "invalid", 401: "unauthorized", 405: "wrong_method", 413: "too_large"}
log = structlog.get_logger(__name__)

_receive_together = Together[Delivery, Received](receive_all, MOST_TOGETHER)


class _Refusal(Exception):  # noqa: N818 - the way out of a check, not an error of ours
    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.response = JsonResponse({"error": message}, status=status, headers=headers)


def receive(request: HttpRequest) -> HttpResponse:
    """Answer one delivery as the contract has it."""
    response, outcome = _answered(request)
    tally.count(DELIVERIES, outcome=outcome)
    return response


def _answered(request: HttpRequest) -> tuple[HttpResponse, str]:
    """The answer, and a word for it out of a few."""
    try:
        received = _receive(request)
    except _Refusal as refusal:
        return refusal.response, REFUSED[refusal.response.status_code]
    except (Error, TimeoutError):
        log.exception("event_not_stored")
        unstored = {"error": "The event could not be stored."}
        return JsonResponse(unstored, status=503, headers={"Retry-After": "5"}), "not_stored"
    return JsonResponse({"status": received.status, "event_id": received.event_id}, status=202), received.status


def _receive(request: HttpRequest) -> Received:
    if request.method != "POST":
        raise _Refusal(405, "Events are sent with POST.", Allow="POST")
    header = settings.PANEL_WEBHOOK_HEADER
    brought_by = trails.request_id().get("request_id", "")
    delivery = Delivery(request.headers.get(header, ""), _read(request), brought_by)
    try:
        return _receive_together(delivery, PATIENCE_SECONDS)
    except WrongKeyError:
        audit.deny(keys.why_not(delivery.secret), asked_for="webhook")
        raise _Refusal(401, f"The header {header} must carry a webhook key of this panel.") from None
    except (BodyError, EventError) as problem:
        raise _Refusal(400, str(problem)) from None


def _read(request: HttpRequest) -> bytes:
    too_large = _Refusal(413, f"An event has at most {LARGEST} bytes.")
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and int(announced) > LARGEST:
        raise too_large
    try:
        raw: bytes = request.read(LARGEST + 1)
    except (UnreadablePostError, OSError):
        raise _Refusal(400, "The body could not be read to its end.") from None
    if len(raw) > LARGEST:
        raise too_large
    return raw
