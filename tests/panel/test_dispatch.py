"""Wake-ups: after the commit, by a thread of their own, and never an error of who asks."""

import json
import time

import pytest
import redis
from django.db import transaction

from panel import dispatch, queues
from panel.celery import app
from panel.dispatch import Wakeup
from tests.conftest import SilentValkey


def messages(url: str, count: int) -> list[tuple[str, list[int]]]:
    """The next wake-ups in the queue as (task, arguments); fails when they don't come within 10 s."""
    client = redis.Redis.from_url(url)
    found = [client.blpop(list(queues.ALL), timeout=10) for _ in range(count)]
    assert all(found), f"fewer than {count} wake-ups were published"
    return [_read(json.loads(message[1])) for message in found if message]


def _read(message: dict) -> tuple[str, list[int]]:
    return message["headers"]["task"], json.loads(message["headers"]["argsrepr"].replace("(", "[").replace(",)", "]"))


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_waits_for_the_commit_and_is_gone_with_a_rollback(valkey: str) -> None:
    with transaction.atomic():
        dispatch.wake("a.task", 1)
        transaction.set_rollback(True)
    with transaction.atomic():
        dispatch.wake("a.task", 2)
    assert messages(valkey, 1) == [("a.task", [2])]


def test_publishing_goes_on_after_the_broker_was_away(
    valkey: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = dispatch.Dispatcher()
    with monkeypatch.context() as away:
        away.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
        dispatcher.put(Wakeup("lost.task", (1,)), {})
        deadline = time.monotonic() + 10
        while "wakeups_lost" not in caplog.text:
            assert time.monotonic() < deadline, "the lost wake-up was not logged within 10 s"
            time.sleep(0.02)
    dispatcher.put(Wakeup("found.task", (2,)), {})
    assert messages(valkey, 1) == [("found.task", [2])]


def test_equal_wake_ups_are_one(silent_valkey: SilentValkey) -> None:
    dispatcher = dispatch.Dispatcher()
    for _ in range(100):
        dispatcher.put(Wakeup("same.task", (1,)), {})
    dispatcher.put(Wakeup("last.task", (2,)), {})
    silent_valkey.wake_up()
    arrived = [silent_valkey.next_message()["headers"]["task"]]
    while arrived[-1] != "last.task":
        arrived.append(silent_valkey.next_message()["headers"]["task"])
    # One batch may be on its way to the broker while the other gathers.
    assert arrived.count("same.task") <= 2
