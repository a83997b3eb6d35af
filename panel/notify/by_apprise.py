"""Slack, Teams, e-mail, PagerDuty and their like, by Apprise: the only module that names it.

Apprise also speaks to the machine that it runs on and reads files that an address names, so only the services below are
let through. It resolves names and follows redirects by itself, deep inside: while it sends, every name that this thread
resolves is judged as `panel.outbound` judges, and the connection goes to the very answer that was judged.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from panel import outbound

# What people are told by, and nothing that speaks to this machine, to a serial port or to a local network's appliances.
SERVICES = {
    "discord": "Discord",
    "form": "form",
    "forms": "form",
    "gchat": "Google Chat",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "incidentio": "incident.io",
    "json": "JSON",
    "jsons": "JSON",
    "mailto": "e-mail",
    "mailtos": "e-mail",
    "matrix": "Matrix",
    "matrixs": "Matrix",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "opsgenie": "Opsgenie",
    "pagerduty": "PagerDuty",
    "pover": "Pushover",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "signl4": "SIGNL4",
    "slack": "Slack",
    "spike": "Spike.sh",
    "splunk": "Splunk On-Call",
    "squadcast": "Squadcast",
    "tgram": "Telegram",
    "victorops": "Splunk On-Call",
    "workflow": "Microsoft Teams",
    "workflows": "Microsoft Teams",
    "wxteams": "Webex",
    "xml": "XML",
    "xmls": "XML",
    "zulip": "Zulip",
}
# In whose addresses people type the host; in the others that place may hold a token.
HOSTED = {"form", "gotify", "json", "mailto", "matrix", "mmost", "rocket", "workflow", "xml"}
# They name files of this machine, or have it wait and try again by itself.
FORBIDDEN = frozenset((
    *("attach", "keyfile", "pgp", "pgpkey", "pgppub", "pgpprv", "wkd", "template"),
    *("retry", "wait", "cto", "rto", "redirect"),
))  # fmt: skip
CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
ANSWERED = re.compile(r"error=(\d{3})\b")


class NotAccepted(Exception):  # noqa: N818 - an answer, not an error
    """A sentence that shows nothing of the address but its service and host."""


def check(url: str) -> None:
    """Raise NotAccepted or outbound.Refused where `send` would without having sent."""
    _plugin(url)
    host = _host(url)
    if host:
        outbound.check(f"https://{f'[{host}]' if ':' in host else host}/")


def shown(url: str) -> str:
    """The address without what is secret in it: `slack://…`, `json://hooks.example.com/…`."""
    return f"{_schema(url)}://{_host(url)}/…" if _host(url) else f"{_schema(url)}://…"


def send(url: str, title: str, text: str, severity: str) -> None:
    """Raises NotAccepted, outbound.Refused."""
    check(url)
    plugin = _plugin(url)
    with _sending() as said:
        done = plugin.notify(title=title, body=text, notify_type=_TYPES[severity])
    if not done:
        status = next((found[1] for line in said for found in [ANSWERED.search(line)] if found), "")
        how = f"answered {status}" if status else "could not be reached, or did not take the message"
        raise NotAccepted(f"{shown(url)} {how}.")


_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


def _schema(url: str) -> str:
    return url.partition("://")[0].strip().lower()


def _host(url: str) -> str:
    schema = _schema(url)
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    # ntfy://topic goes to ntfy.sh; with a path the first part is a host.
    hosted = schema.removesuffix("s") in HOSTED or (schema in {"ntfy", "ntfys"} and parts.path.strip("/"))
    return (parts.hostname or "") if hosted else ""


def _parameters(url: str) -> set[str]:
    """The names of its parameters, as Apprise takes them: `;` parts them too, and blanks around them don't count."""
    parts = re.split("[?&;]", url.partition("?")[2])
    return {unquote(part.partition("=")[0].replace("+", " ")).strip(" \t\r\n\f\v+-:").lower() for part in parts}


def _plugin(url: str) -> Any:
    schema = _schema(url)
    if schema not in SERVICES:
        raise NotAccepted(
            "The panel sends by Apprise addresses that begin with one of "
            f"{', '.join(f'{name}://' for name in sorted(SERVICES))}."
        )
    named = FORBIDDEN.intersection(_parameters(url))
    if named:
        raise NotAccepted(f"Leave {', '.join(sorted(named))} out of the address: the panel decides about that itself.")
    with _sending():
        plugin = _library().Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    if plugin is None:
        raise NotAccepted(f"This is no address for {SERVICES[schema]}: its form is at https://appriseit.com/services/.")
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    return plugin


@cache
def _library() -> Any:
    """Loading it takes a second and reads a hundred modules: only who sends pays for it.

    What it logs may hold addresses: none of that reaches our log.
    """
    import apprise  # noqa: PLC0415

    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(_Listener())
    socket.getaddrinfo = _judged
    return apprise


@cache
def _asset() -> Any:
    """Apprise as a guest: it reads and leaves no files, follows no redirects, and says who it speaks for."""
    library = _library()
    return library.AppriseAsset(
        app_id="Failover panel",
        app_desc="Failover panel",
        app_url=settings.PANEL_BASE_URL,
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        allow_templates=False,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode=library.PersistentStoreMode.MEMORY,
    )


# ---- while it sends ----

_said: ContextVar[list[str] | None] = ContextVar("apprise_said", default=None)
_unjudged = socket.getaddrinfo


@contextmanager
def _sending() -> Iterator[list[str]]:
    """In this thread names are judged, and what Apprise logs is in the list."""
    said: list[str] = []
    token = _said.set(said)
    try:
        yield said
    finally:
        _said.reset(token)


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = _said.get()
        if said is not None:
            said.append(record.getMessage())


def _judged(host: Any, port: Any, *given: Any, **named: Any) -> Any:
    """`socket.getaddrinfo`, which every connection of Apprise's libraries goes through. For others it is as it was."""
    found = _unjudged(host, port, *given, **named)
    if _said.get() is not None:
        for *_, place in found:
            outbound.judge(str(host), str(place[0]))
    return found
