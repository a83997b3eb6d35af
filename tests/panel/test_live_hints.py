"""Hints reach whoever listens, and cost nobody anything where nobody can be reached."""

import redis

from panel import live_hints
from tests.conftest import SilentValkey


def test_a_listener_hears_which_application_changed(valkey: str) -> None:
    listener = redis.Redis.from_url(valkey).pubsub(ignore_subscribe_messages=True)
    listener.subscribe("panel:live")
    listener.get_message(timeout=5)
    live_hints.publish("checkout")
    message = listener.get_message(timeout=5)
    assert message is not None
    assert message["data"] == b"checkout"


def test_no_broker_is_no_error() -> None:
    live_hints.publish("checkout")


def test_a_silent_broker_is_no_error(silent_valkey: SilentValkey) -> None:
    live_hints.publish("checkout")
