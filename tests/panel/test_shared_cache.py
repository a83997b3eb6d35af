"""What limits count, for all web processes together, and by each for itself where Redis is away."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from panel.shared_cache import PREFIX, SharedCache

LOGIN = "/accounts/login/"
RIGHT = {"login": "ada", "password": "correct-horse-battery"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No earlier test's silent Redis is being left alone."""
    monkeypatch.setattr(SharedCache, "rests_until", 0.0)
    cache.clear()
    SharedCache.rests_until = 0.0


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password=RIGHT["password"])


def another_process() -> None:
    """What this one keeps in its own memory, another one does not have."""
    LocMemCache("panel", {}).clear()


def guess(times: int) -> None:
    for _ in range(times):
        Client().post(LOGIN, {"login": "ada", "password": "guess"})


def test_guesses_are_counted_for_all_web_processes_together(valkey: str, ada: User) -> None:
    guess(3)
    another_process()
    guess(3)
    another_process()
    assert Client().post(LOGIN, RIGHT).status_code != 302, "the right password must not help"


def test_without_redis_each_process_counts_and_nobody_is_kept_out(ada: User) -> None:
    assert Client().post(LOGIN, RIGHT).status_code == 302
    guess(6)
    assert Client().post(LOGIN, RIGHT).status_code != 302
    another_process()
    assert Client().post(LOGIN, RIGHT).status_code == 302, "as docs/security.md says"


def test_a_redis_that_ends_in_between_is_no_error(
    valkey: str, ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess(1)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert Client().post(LOGIN, RIGHT).status_code == 302


def test_it_keeps_what_a_cache_keeps(valkey: str) -> None:
    assert cache.get("a", "nothing") == "nothing"
    cache.set("a", [1.5, 2.5], 60)
    assert cache.get("a") == [1.5, 2.5]
    assert (cache.add("a", 1), cache.add("b", True, 60), cache.get("b")) == (False, True, True)
    assert (cache.touch("b", 10), cache.touch("none"), cache.delete("b"), cache.delete("b")) == (
        True,
        False,
        True,
        False,
    )
    cache.set("a", 1, 0)
    assert cache.get("a") is None, "a life of no seconds"


def test_nothing_there_outlives_its_time_or_can_run(valkey: str) -> None:
    cache.set("a", {"at": [1.5]}, 60)
    server = redis.Redis.from_url(valkey)
    [name] = server.keys(f"{PREFIX}*")
    assert (server.get(name), 0 < server.ttl(name) <= 60) == (b'{"at": [1.5]}', True)
    server.set(name, b"\x80\x04cos\nsystem\n.")
    assert cache.get("a") is None, "what is no JSON is not read"


def test_clearing_it_leaves_the_queues_alone(valkey: str) -> None:
    server = redis.Redis.from_url(valkey)
    server.rpush("steps", "a wake-up")
    cache.set("a", 1)
    cache.clear()
    assert (cache.get("a"), server.llen("steps")) == (None, 1)
