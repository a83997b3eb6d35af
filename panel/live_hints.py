"""Hints to the live updates that an application's page is out of date. Losing one costs a browser one refresh."""

from __future__ import annotations

import redis
import structlog

from panel import broker

CHANNEL = "panel:live"
EVERYTHING = ""  # in the place of a slug: what changed shows on every page
log = structlog.get_logger(__name__)


def publish(slug: str) -> None:
    """Say that `slug` changed. Best effort: never raises, never waits longer than 0.2 s for Redis."""
    try:
        broker.connection().publish(CHANNEL, slug)
    except redis.RedisError as problem:
        log.debug("live_hint_lost", application=slug, problem=str(problem))
