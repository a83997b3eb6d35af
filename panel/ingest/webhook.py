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

from failover.events import EventError, parse
from panel import audit
from panel.ingest import body, inbox, keys
from panel.watch import tally

LARGEST = 1_048_576
DELIVERIES = "webhook_deliveries"
REFUSED = {400: "invalid", 401: "unauthorized", 405: "wrong_method", 413: "too_large"}
log = structlog.get_logger(__name__)


class _Answer(Exception):  # noqa: N818 - the way out of a check, not an error of ours
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
    except _Answer as answer:
        return answer.response, REFUSED[answer.response.status_code]
    except Error:
        log.exception("event_not_stored")
        unstored = {"error": "The event could not be stored."}
        return JsonResponse(unstored, status=503, headers={"Retry-After": "5"}), "not_stored"
    return JsonResponse({"status": received.status, "event_id": received.event_id}, status=202), received.status


def _receive(request: HttpRequest) -> inbox.Received:
    if request.method != "POST":
        raise _Answer(405, "Events are sent with POST.", Allow="POST")
    header = settings.PANEL_WEBHOOK_HEADER
    secret = request.headers.get(header, "")
    key = keys.find(secret)
    if key is None:
        audit.deny(keys.why_not(secret), asked_for="webhook")
        raise _Answer(401, f"The header {header} must carry a webhook key of this panel.")
    audit.act_as(f"eventbridge key {key}")
    raw = _read(request)
    try:
        parsed = body.parse(raw)
        return inbox.store(parsed, parse(parsed), key)
    except (body.BodyError, EventError) as problem:
        raise _Answer(400, str(problem)) from None


def _read(request: HttpRequest) -> bytes:
    too_large = _Answer(413, f"An event has at most {LARGEST} bytes.")
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and int(announced) > LARGEST:
        raise too_large
    try:
        raw: bytes = request.read(LARGEST + 1)
    except (UnreadablePostError, OSError):
        raise _Answer(400, "The body could not be read to its end.") from None
    if len(raw) > LARGEST:
        raise too_large
    return raw
