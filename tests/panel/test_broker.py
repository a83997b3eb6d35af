"""What is asked of the broker, and never waited for."""

import pytest
import redis

from panel import broker
from tests.conftest import SilentValkey


@pytest.mark.parametrize(
    ("maxmemory", "policy", "evicts"),
    [("0", "allkeys-lru", False), ("100mb", "noeviction", False), ("100mb", "allkeys-lru", True)],
)
def test_a_broker_that_drops_what_it_holds_is_recognised(
    valkey: str, maxmemory: str, policy: str, evicts: bool
) -> None:
    client = redis.Redis.from_url(valkey)
    client.config_set("maxmemory", maxmemory)
    client.config_set("maxmemory-policy", policy)
    try:
        assert broker.may_evict() is evicts
    finally:
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")


def test_a_broker_that_is_silent_is_not_accused(silent_valkey: SilentValkey) -> None:
    assert not broker.may_evict()
