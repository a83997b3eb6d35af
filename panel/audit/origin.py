"""Who acts, from where, and in which request: known to all that a request calls, without being passed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address

import structlog
from django.conf import settings
from django.http import HttpRequest

PANEL, COMMAND_LINE = "panel", "command line"


@dataclass
class Origin:
    """Where an act comes from. `named` goes before the request's user; `denied` is why the request was turned away."""

    request: HttpRequest | None = None
    named: str = ""
    address: str = ""
    request_id: str | None = None
    asked_for: str = ""
    denied: str = ""

    @property
    def actor(self) -> str:
        """Empty for a visitor whom nobody knows."""
        user = getattr(self.request, "user", None)
        return self.named or (user.get_username() if user and user.is_authenticated else "")

    @property
    def logged_as(self) -> str:
        """The request id that log lines carry."""
        if self.request_id is not None:
            return self.request_id
        return str(structlog.contextvars.get_contextvars().get("request_id", ""))


_origin: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


def current() -> Origin:
    """The present origin; outside of requests and commands it is the panel itself."""
    return _origin.get() or Origin(named=PANEL)


@contextmanager
def coming_from(origin: Origin) -> Iterator[Origin]:
    token = _origin.set(origin)
    try:
        yield origin
    finally:
        _origin.reset(token)


@contextmanager
def acting(name: str) -> Iterator[None]:
    """Within this block `name` does whatever is recorded: a command, or a part of the panel."""
    with coming_from(Origin(named=name)):
        yield


def deny(reason: str, asked_for: str = "") -> None:
    """Have this request recorded as one that was turned away, whatever its status. One that ends with 403 is anyway."""
    origin = current()
    origin.denied, origin.asked_for = reason, asked_for


def address_of(request: HttpRequest) -> str:
    """The client's address: the one that allauth counts attempts by. Empty where there is none that can be trusted."""
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    behind = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    claimed = hops[-behind].strip() if 0 < behind <= len(hops) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(claimed))
    except ValueError:
        return ""
