"""What goes over the wire, independent of the HTTP server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.errors import AwsError


@dataclass(frozen=True)
class Request:
    """``path`` is as sent (still percent-encoded); header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_object(body: bytes) -> dict[str, Any]:
    """The members of a JSON body; null stands for a member that was left out, as AWS reads it."""
    try:
        members = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(members, dict):
        raise AwsError("SerializationException", "The body is not a JSON object")
    return {name: value for name, value in members.items() if value is not None}
