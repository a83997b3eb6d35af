"""A request as the event that an ALB sends to a function, and the function's answer as a response.

Source: Application Load Balancers guide, "Use Lambda functions as targets of an Application Load Balancer".
"""

import base64
import binascii
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass

MOST_BYTES = 1_000_000
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")

Pairs = list[tuple[str, str]]


class InvalidAnswerError(Exception):
    """The load balancer answers 502 instead of this."""


@dataclass(frozen=True)
class Incoming:
    """``query`` is as sent, not decoded."""

    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes


@dataclass(frozen=True)
class Outgoing:
    status: int
    headers: Pairs
    body: bytes


def build(request: Incoming, group_arn: str, *, multi_value: bool) -> bytes:
    """The event as JSON; with ``multi_value`` the headers and parameters are lists."""
    body, encoded = _encode(request)
    headers = [(name.lower(), value) for name, value in request.headers]
    parameters = [_parameter(part) for part in request.query.split("&") if part]
    event = {
        "requestContext": {"elb": {"targetGroupArn": group_arn}},
        "httpMethod": request.method,
        "path": request.path,
        "body": body,
        "isBase64Encoded": encoded,
    }
    if multi_value:
        event |= {"multiValueQueryStringParameters": _lists(parameters), "multiValueHeaders": _lists(headers)}
    else:
        event |= {"queryStringParameters": dict(parameters), "headers": dict(headers)}
    return json.dumps(event).encode()


def parse(answer: bytes, *, multi_value: bool) -> Outgoing:
    """Raises InvalidAnswerError for what a load balancer refuses: no status, no headers, over 1 MB."""
    if len(answer) > MOST_BYTES:
        raise InvalidAnswerError("The answer is larger than 1 MB")
    try:
        members = json.loads(answer)
        status = int(members["statusCode"])
        headers = _headers(members["multiValueHeaders" if multi_value else "headers"], multi_value=multi_value)
        text = members.get("body") or ""
        body = base64.b64decode(text) if members.get("isBase64Encoded") else text.encode()
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise InvalidAnswerError(f"The answer is not one for a load balancer: {error!r}") from error
    if not 200 <= status <= 599 or not all(map(_can_be_sent, itertools.chain(*headers))):
        raise InvalidAnswerError("The answer has a status or a header that HTTP does not know")
    return Outgoing(status, headers, body)


def _can_be_sent(text: str) -> bool:
    return can_be_encoded(text) and not any(mark in text for mark in "\r\n\0")


def can_be_encoded(text: str) -> bool:
    """Bytes that were no UTF-8 are surrogates in a text that was read, and cannot be written."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _headers(given: dict[str, str | list[str]], *, multi_value: bool) -> Pairs:
    if multi_value:
        return [(name, str(value)) for name, values in given.items() for value in values]
    return [(name, str(value)) for name, value in given.items()]


def _encode(request: Incoming) -> tuple[str, bool]:
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "text/plain")
    compressed = any(name.lower() == "content-encoding" for name, _ in request.headers)
    if kind.startswith(TEXT_TYPES) and not compressed:
        return request.body.decode(errors="replace"), False
    return base64.b64encode(request.body).decode(), True


def _parameter(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, value


def _lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists
