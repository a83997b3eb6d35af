"""An id for every request, in its logs and in its answer, and a line for what is worth one."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

log = structlog.get_logger(__name__)

READS = {"GET", "HEAD", "OPTIONS"}
TAKEN = 202  # what the webhook answers where an event became a row


class RequestId:
    """Binds `request_id` to the logs of a request. The id is always ours: one from outside could forge log lines.

    Pages ask again every few seconds, and machines more often: a read that worked is no line. Neither is an event that
    was taken: its row has the id, and in a flood the lines cost as much as the rows. The query string and headers are
    never logged: they may carry what is secret.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id, began = uuid4().hex, time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if not _is_no_news(request, response):
                _tell(request, response, time.monotonic() - began)
        response["X-Request-Id"] = request_id
        return response


def _is_no_news(request: HttpRequest, response: HttpResponseBase) -> bool:
    read = request.method in READS and response.status_code < 400
    return read or response.status_code == TAKEN


def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    if getattr(response, "_has_been_logged", False):
        return
    log.info(
        "request",
        method=request.method,
        path=request.path_info,
        status=response.status_code,
        seconds=round(seconds, 3),
        user=_name(request),
    )
    # Django would tell of a refused request once more.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark


def _name(request: HttpRequest) -> str:
    """Who asked, where the request came so far that somebody had to log in; nobody is looked up for this."""
    user = getattr(request, "_cached_user", None)
    return user.get_username() if user is not None else ""
