"""Errors as problem documents (RFC 9457), each with a stable `type`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from panel.audit import Action
from panel.operations import audited
from panel.operations.services import Invalid, Refused

log = structlog.get_logger(__name__)

MEDIA = "application/problem+json"
TYPE = "https://failover-panel.invalid/problems/"  # a name, not an address: nothing is served there


class Problem(Schema):
    """`rule` and `remedy` come with a refusal, `errors` with what can't be taken: a sentence for each field."""

    type: str
    title: str
    status: int
    detail: str
    rule: str | None = None
    remedy: str | None = None
    errors: dict[str, str] | None = None


class Denied(Exception):  # noqa: N818 - an answer, not an error
    """The token's role is too low. The message is a sentence."""


class Api(NinjaAPI):
    """Its OpenAPI document says that errors are problem documents."""

    def get_openapi_schema(self, **given: Any) -> Any:
        document = super().get_openapi_schema(**given)
        for path in document["paths"].values():
            for call in path.values():
                for status, response in call["responses"].items():
                    if int(status) >= 400:
                        response["content"] = {MEDIA: response["content"].pop("application/json")}
        return document


def answer(status: int, name: str, detail: str, **more: Any) -> HttpResponse:
    body = {"type": TYPE + name, "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type=MEDIA)


def refused(request: HttpRequest, problem: Refused) -> HttpResponse:
    _record(request, problem)
    return answer(409, "refused", problem.reason, rule=problem.rule, remedy=problem.remedy)


def invalid(_: HttpRequest, problem: Invalid) -> HttpResponse:
    return _unusable({problem.field: problem.message})


def unsound(_: HttpRequest, problem: ValidationError) -> HttpResponse:
    return _unusable({".".join(map(str, each["loc"][1:])) or "body": each["msg"] for each in problem.errors})


def denied(_: HttpRequest, problem: Denied) -> HttpResponse:
    return answer(403, "role", str(problem))


def missing(_: HttpRequest, problem: Http404) -> HttpResponse:  # noqa: ARG001 - what it says is Django's
    return answer(404, "not-found", "There is no such thing, or it is another team's.")


def unknown(_: HttpRequest, problem: AuthenticationError) -> HttpResponse:  # noqa: ARG001 - it says nothing
    response = answer(401, "token", "Send `Authorization: Bearer TOKEN` with a token of this panel that works.")
    response["WWW-Authenticate"] = "Bearer"
    return response


def throttled(_: HttpRequest, problem: Throttled) -> HttpResponse:
    response = answer(429, "rate", "Too many requests with this token: wait as long as Retry-After says.")
    response["Retry-After"] = str(max(1, round(problem.wait or 1)))
    return response


def too_large(_: HttpRequest, problem: RequestDataTooBig) -> HttpResponse:  # noqa: ARG001 - it names a setting
    return answer(413, "too-large", f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.")


def unavailable(_: HttpRequest, problem: Exception) -> HttpResponse:
    log.error("database_unavailable", problem=str(problem))
    said = "The database does not answer. Ask again; a request that starts something with the same Idempotency-Key."
    response = answer(503, "database", said)
    response["Retry-After"] = "5"
    return response


def other(_: HttpRequest, problem: HttpError) -> HttpResponse:
    return answer(problem.status_code, "request", str(problem))


HANDLERS: Mapping[type[Exception], Callable[..., HttpResponse]] = {
    Refused: refused,
    Invalid: invalid,
    ValidationError: unsound,
    Denied: denied,
    Http404: missing,
    AuthenticationError: unknown,
    Throttled: throttled,
    RequestDataTooBig: too_large,
    OperationalError: unavailable,
    InterfaceError: unavailable,
    HttpError: other,
}


def handle(api: NinjaAPI) -> None:
    """Have every error of `api` answered so."""
    for error, handler in HANDLERS.items():
        api.add_exception_handler(error, handler)


ASKED = {
    "start": Action.OPERATION_START,
    "cancel": Action.OPERATION_CANCEL,
    "retry": Action.OPERATION_RETRY,
    "hold": Action.HOLD_PLACE,
    "release": Action.HOLD_RELEASE,
    "set_mode": Action.MODE_SET,
    "acknowledge": Action.ACKNOWLEDGE,
    "start_drill": Action.DRILL_START,
    "abort_drill": Action.DRILL_ABORT,
}


def concerns(request: HttpRequest, slug: str) -> None:
    """Have a refusal be recorded as that application's, also where the address does not name it."""
    cast("Any", request).concerned = slug


def _record(request: HttpRequest, problem: Refused) -> None:
    match = request.resolver_match
    asked = ASKED.get(match.url_name or "") if match else None
    if match and asked:
        slug, pk = str(match.kwargs.get("slug", "") or getattr(request, "concerned", "")), match.kwargs.get("pk")
        audited.refused(asked, slug, f"#{pk}" if pk else "", "", rule=problem.rule, reason=str(problem))


def _unusable(errors: dict[str, str]) -> HttpResponse:
    said = "; ".join(f"{field}: {message}" for field, message in errors.items())
    return answer(422, "invalid", said, errors=errors)
