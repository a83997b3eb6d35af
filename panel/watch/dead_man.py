"""The dead man's switch: an address that is asked once a minute as long as everything works.

Whoever watches that address raises the alarm when nobody asks any more: that is the one failure that the panel can't
tell of itself. Beat turns the switch, so that its own death counts too; the request runs in a thread that nobody waits
for.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog
from django.conf import settings
from django.db import Error, connections
from django.utils import timezone

from panel.fleet import heartbeats
from panel.fleet.models import Application, Heartbeat

NAME = "heartbeat_url"
EVERY = timedelta(minutes=1)
TIMEOUT_SECONDS = 5.0
THOUGHT = "Whoever watches it will think that the panel is dead."
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Last:
    """How the last request ended: `problem` is a sentence, empty where it was answered with 2xx."""

    age_seconds: float
    problem: str


def last() -> Last | None:
    """None where no address is set, or it was never asked."""
    row = Heartbeat.objects.filter(name=NAME).first() if settings.PANEL_HEARTBEAT_URL else None
    return Last((timezone.now() - row.at).total_seconds(), row.problem) if row else None


def turn() -> threading.Thread | None:
    """Ask the address, unless something does not work or it was asked within the last minute. Never waits for it.

    Called by beat right after it has written that it lives, so that the database can be written.
    """
    if not settings.PANEL_HEARTBEAT_URL or not _all_well() or not _due():
        return None
    thread = threading.Thread(target=_ask, args=(settings.PANEL_HEARTBEAT_URL,), name="dead-man", daemon=True)
    thread.start()
    return thread


def _all_well() -> bool:
    beats = heartbeats.read_all()
    if not Application.objects.exists():
        del beats[heartbeats.OBSERVER]
    return all(beat.ok for beat in beats.values())


def _due() -> bool:
    """Whether it is this process's to ask: one UPDATE, so that two beats never both do."""
    now = timezone.now()
    _, created = Heartbeat.objects.get_or_create(name=NAME, defaults={"at": now})
    return created or bool(Heartbeat.objects.filter(name=NAME, at__lte=now - EVERY).update(at=now))


def _ask(url: str) -> None:
    problem = _problem(url)
    try:
        before = Heartbeat.objects.values_list("problem", flat=True).get(name=NAME)
        Heartbeat.objects.filter(name=NAME).update(problem=problem)
    except (Error, Heartbeat.DoesNotExist):
        log.warning("heartbeat_url_outcome_not_written", exc_info=True)
        return
    finally:
        connections.close_all()
    if problem != before:
        log.log(logging.WARNING if problem else logging.INFO, "heartbeat_url", problem=problem)


def _problem(url: str) -> str:
    """What kept the request from being answered with 2xx. It shows nothing of the address, which may be a secret."""
    try:
        with _opener.open(Request(url, headers={"User-Agent": "failover-panel"}), timeout=TIMEOUT_SECONDS):  # noqa: S310
            return ""
    except HTTPError as error:
        return f"PANEL_HEARTBEAT_URL answered {error.code}. {THOUGHT}"
    except (OSError, HTTPException, ValueError) as error:
        return f"PANEL_HEARTBEAT_URL could not be reached ({type(error).__name__}). {THOUGHT}"


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None makes the 3xx an HTTPError: a secret address is for nobody else's ears."""


_opener = build_opener(_NoRedirects)
