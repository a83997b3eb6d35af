"""Who wants to know of every call to AWS is told, once it was answered or given up.

Source: botocore's events `before-call`, `after-call` and `after-call-error` (botocore/client.py, `_make_api_call`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from failover.aws.errors import THROTTLED

_BEGAN = "failover_began"


@dataclass(frozen=True)
class Heard:
    """`outcome` is ok, throttled, refused or unanswered; `attempts` counts what was sent, retries too."""

    action: str
    outcome: str
    seconds: float
    code: str = ""
    request_id: str = ""
    attempts: int = 1


Listener = Callable[[Heard], None]
_listeners: list[Listener] = []


def tell(listener: Listener) -> None:
    """Have `listener` called, in the thread that called AWS, with every call of this process. It must not raise."""
    if listener not in _listeners:
        _listeners.append(listener)


def watch(session: Any) -> None:
    """Listen to every client that is made of this botocore session from now on."""
    session.register("before-call", _begin)
    session.register("after-call", _answered)
    session.register("after-call-error", _unanswered)


def _begin(context: dict[str, Any], **_: object) -> None:
    context[_BEGAN] = time.monotonic()


def _answered(event_name: str, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: object) -> None:
    code = str(parsed.get("Error", {}).get("Code", ""))
    metadata = parsed.get("ResponseMetadata", {})
    _tell(
        Heard(
            _action(event_name),
            "throttled" if code in THROTTLED else "refused" if code else "ok",
            _since(context),
            code,
            str(metadata.get("RequestId", "")),
            1 + int(metadata.get("RetryAttempts", 0)),
        )
    )


def _unanswered(event_name: str, exception: Exception, context: Mapping[str, Any], **_: object) -> None:
    _tell(Heard(_action(event_name), "unanswered", _since(context), type(exception).__name__))


def _action(event_name: str) -> str:
    """`after-call.elastic-load-balancing-v2.DescribeRules` names service and action."""
    return ":".join(event_name.split(".")[1:3])


def _since(context: Mapping[str, Any]) -> float:
    began = context.get(_BEGAN)
    return 0.0 if began is None else round(time.monotonic() - began, 3)


def _tell(heard: Heard) -> None:
    for listener in _listeners:
        listener(heard)
