"""What is asked of the broker, and never waited for."""

import pickle

import pytest
import redis
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads, prepare_accept_content

from panel import broker
from panel.celery import app
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


def test_no_message_can_bring_code() -> None:
    """Whoever can write to Redis could otherwise have a worker run anything."""
    message = pickle.dumps(print)
    taken = prepare_accept_content(app.conf.accept_content)
    with pytest.raises(ContentDisallowed):
        loads(message, "application/x-python-serialize", "binary", accept=taken)
