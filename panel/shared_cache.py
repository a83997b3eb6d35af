"""Django's cache, shared by all web processes: what limits count (logins, codes, API calls), in Redis.

Nobody may be kept out because Redis is away: then each process counts for itself, until Redis answers again. Nothing of
it is worth more than the minutes that it is kept for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import redis
import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

from panel import broker

T = TypeVar("T")

PREFIX = "panel:cache:"
REST_SECONDS = 5.0  # that a silent Redis is left alone for: each call would wait for it

log = structlog.get_logger(__name__)


class SharedCache(BaseCache):
    """Values are written as JSON: whoever writes to Redis must not be able to have a process run something."""

    rests_until: ClassVar[float] = 0.0  # of the whole process: each of its threads has a cache of its own

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._here = LocMemCache(name, params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        def there(server: redis.Redis) -> bool:
            return self._stored(server, key, value, timeout, version, only_new=True)

        return self._try(there, lambda: self._here.add(key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        def there(server: redis.Redis) -> Any:
            found: Any = server.get(self._named(key, version))
            return default if found is None else json.loads(found)

        return self._try(there, lambda: self._here.get(key, default, version))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        def there(server: redis.Redis) -> None:
            self._stored(server, key, value, timeout, version, only_new=False)

        self._try(there, lambda: self._here.set(key, value, timeout, version))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        def there(server: redis.Redis) -> bool:
            seconds = self._seconds(timeout)
            name = self._named(key, version)
            return bool(server.persist(name) if seconds is None else server.pexpire(name, round(1000 * seconds)))

        return self._try(there, lambda: self._here.touch(key, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._try(
            lambda server: bool(server.delete(self._named(key, version))), lambda: self._here.delete(key, version)
        )

    def clear(self) -> None:
        """What is ours; the broker's queues lie in the same place."""

        def there(server: redis.Redis) -> None:
            for name in server.scan_iter(f"{PREFIX}*"):
                server.delete(name)

        self._here.clear()
        self._try(there, lambda: None)

    def _named(self, key: str, version: int | None) -> str:
        return PREFIX + self.make_and_validate_key(key, version=version)

    def _stored(
        self, server: redis.Redis, key: str, value: Any, timeout: Any, version: int | None, *, only_new: bool
    ) -> bool:
        seconds = self._seconds(timeout)
        name, text = self._named(key, version), json.dumps(value)
        if seconds is not None and seconds <= 0:
            server.delete(name)
            return True
        lives = None if seconds is None else max(1, round(1000 * seconds))
        return bool(server.set(name, text, px=lives, nx=only_new))

    def _seconds(self, timeout: Any) -> float | None:
        """None: for ever."""
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout

    def _try(self, there: Callable[[redis.Redis], T], here: Callable[[], T]) -> T:
        if time.monotonic() >= SharedCache.rests_until:
            try:
                return there(broker.connection())
            except (redis.RedisError, ValueError, TypeError) as problem:  # what is there may be nothing of ours
                SharedCache.rests_until = time.monotonic() + REST_SECONDS
                log.warning("counted_by_this_process_alone", problem=type(problem).__name__)
        return here()
