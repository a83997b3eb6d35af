"""Hints to the live updates that an application's page is out of date. Losing one costs a browser one refresh."""

from __future__ import annotations

import redis
import structlog

from panel import broker

CHANNEL = "panel:live"
EVERYTHING = ""  # in the place of a slug: what changed shows on every page
log = structlog.get_logger(__name__)


def publish(*slugs: str) -> None:
    """Say that these changed. Best effort: never raises, never waits longer than 0.2 s for Redis."""
    try:
        pipeline = broker.connection().pipeline(transaction=False)
        for slug in slugs:
            pipeline.publish(CHANNEL, slug)
        pipeline.execute()
    except redis.RedisError as problem:
        log.debug("live_hints_lost", applications=slugs, problem=str(problem))
