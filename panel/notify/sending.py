"""One message to one target: a signed webhook, a service by Apprise, or a line of the log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from hashlib import sha256
from hmac import digest
from urllib.parse import urlsplit

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from panel import outbound
from panel.notify import by_apprise
from panel.notify.models import Target
from panel.notify.sealing import Unreadable, unseal
from panel.notify.wording import Message

SIGNATURE, MESSAGE_ID, KIND = "Panel-Signature", "Panel-Message-Id", "Panel-Kind"
SECONDS = 5.0
MOST_BYTES = 4096  # of an answer, of which only the status counts
log = structlog.get_logger(__name__)


def send(target: Target, message: Message) -> str:
    """Try once. Answers with what went wrong, a sentence that shows nothing of the address but its host; or ""."""
    try:
        _WAYS[Target.Way(target.way)](target, message)
    except (outbound.Refused, outbound.Failed, Unreadable, by_apprise.NotAccepted) as problem:
        return str(problem)
    except SoftTimeLimitExceeded:
        return f"{target.name} took longer than a delivery may take."
    return ""


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What a receiver computes anew: HMAC-SHA256 over the timestamp, a dot and the body as it came, in hexadecimal."""
    signed = digest(secret.encode(), f"{timestamp}.".encode() + body, sha256)
    return f"t={timestamp},v1={signed.hex()}"


def _by_webhook(target: Target, message: Message) -> None:
    url, body = unseal(target.address), json.dumps(message.body, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: signature(unseal(target.secret), int(time.time()), body),
        MESSAGE_ID: message.id,
        KIND: message.kind,
    }
    answer = outbound.request("POST", url, body=body, headers=headers, seconds=SECONDS, most_bytes=MOST_BYTES)
    if answer.ok:
        return
    moved = " A redirect is not followed: enter the address that it leads to." if 300 <= answer.status < 400 else ""
    raise outbound.Failed(f"{urlsplit(url).hostname} answered {answer.status}.{moved}")


def _by_apprise(target: Target, message: Message) -> None:
    by_apprise.send(unseal(target.address), message.title, message.text, message.severity)


def _to_console(target: Target, message: Message) -> None:
    log.info("notification", target=target.name, kind=message.kind, title=message.title, text=message.text)


_WAYS: dict[Target.Way, Callable[[Target, Message], None]] = {
    Target.Way.WEBHOOK: _by_webhook,
    Target.Way.APPRISE: _by_apprise,
    Target.Way.CONSOLE: _to_console,
}
