"""Redis beside Celery: short questions and hints, none of which may hold up who asks."""

from __future__ import annotations

from functools import cache

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)


def connection() -> redis.Redis:
    """A connection on which every call gives up after 0.2 s."""
    return _connection(settings.REDIS_URL)


@cache
def _connection(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))


def answers() -> bool:
    """Whether the broker answers at all."""
    try:
        return bool(connection().ping())
    except redis.RedisError as problem:
        log.warning("broker_silent", problem=str(problem))
        return False


def may_evict() -> bool:
    """Whether a broker that is full drops what it holds instead of refusing what is new; False if it does not tell."""
    try:
        memory = connection().info("memory")
    except redis.RedisError:
        return False
    return bool(memory.get("maxmemory")) and memory.get("maxmemory_policy") != "noeviction"
