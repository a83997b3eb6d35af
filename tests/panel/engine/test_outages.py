"""Broker and database go away while events arrive: every event is processed once, and the operation ends right."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from redis import Redis

from bench.postgresql import Postgresql
from failover.model import AlarmState
from panel.ingest.models import Event
from tests.panel.engine.harness import Engine, numbered
from tests.panel.ingest.conftest import alarm_event

A_SECOND = 10.0

Outage = Callable[[Engine, float], None]


def stopped(engine: Engine, seconds: float) -> None:
    engine.broker.stop()
    time.sleep(seconds)
    engine.broker.start()


def silent(engine: Engine, seconds: float) -> None:
    """It takes connections, and does not answer."""
    pid = engine.broker.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def flushed(engine: Engine, seconds: float) -> None:
    """Somebody empties it, again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        Redis(port=engine.broker.port).flushall()
        time.sleep(0.1)


def play(engine: Engine, outage: Callable[[], None]) -> dict[str, list[int]]:
    """An alarm fires and events flow; in the middle of it the outage. Answers with the statuses that each event got."""
    engine.start_web()
    engine.start_workers(1, 2)
    engine.start_beat()
    engine.aws.set(alarm=AlarmState.ALARM)
    flow = engine.flow(numbered(alarm_event), A_SECOND)
    engine.until(lambda: len(flow.sent) >= 5, "the first events")
    outage()
    engine.until(lambda: len(flow.sent) >= 10, "more events")
    return flow.stop()


def check(engine: Engine, taken: dict[str, list[int]]) -> None:
    engine.until_processed()
    operation = engine.until_ended()
    assert sorted(Event.objects.values_list("event_id", flat=True)) == sorted(taken), "lost, or made up"
    assert set(engine.processed().items()) == {(event_id, 1) for event_id in taken}, "not processed exactly once"
    assert not Event.objects.filter(outcome="").exists(), "an event without an explanation"
    assert (operation.goal, operation.status, operation.error) == ("failover", "succeeded", "")
    assert [each.action for each in engine.aws.written] == [
        "Desired count becomes 2",
        "Weights become 0/100 on app/apis/3/4",
    ]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("outage", "seconds"),
    [(silent, 4)] + [pytest.param(each, 30, marks=pytest.mark.full) for each in (stopped, silent, flushed)],
)
def test_a_broker_that_is_away_loses_no_event(engine: Engine, outage: Outage, seconds: float) -> None:
    taken = play(engine, lambda: outage(engine, seconds))
    assert {status for statuses in taken.values() for status in statuses} == {202}, "the webhook waited for the broker"
    check(engine, taken)


@contextmanager
def without(server: Postgresql) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()
        connection.close()
        connection.close_pool()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.full)])
def test_a_database_that_restarts_loses_no_event(
    engine: Engine, seconds: float, request: pytest.FixtureRequest
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is no server that could restart: --database=postgresql")

    def restart() -> None:
        with without(request.getfixturevalue("postgresql")):
            time.sleep(seconds)

    taken = play(engine, restart)
    asked_again = [statuses for statuses in taken.values() if statuses[0] == 503]
    assert asked_again, "no event came while the database was away"
    check(engine, taken)
