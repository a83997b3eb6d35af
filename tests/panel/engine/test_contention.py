"""Fifty people and events at once for one application, two workers of two threads: one operation, 49 explanations."""

from __future__ import annotations

import html
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.test import Client

from failover.model import AlarmState
from panel.ingest.models import Event
from panel.operations.models import Operation
from tests.panel.engine.harness import Answer, Engine
from tests.panel.ingest.conftest import alarm_event

CLICKS, EVENTS = 25, 25


class Operator:
    """A browser that is logged in."""

    def __init__(self, engine: Engine) -> None:
        client = Client()
        client.force_login(User.objects.create_superuser("ana"))
        token = secrets.token_hex(16)
        self._engine = engine
        self._headers = {
            "Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}",
            "X-CSRFToken": token,
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def fails_over(self) -> Answer:
        path, form = "/applications/checkout/failover/", b"reason=Lambda+throttles"
        return self._engine.ask("POST", path, form, patience=60, **self._headers)


@pytest.mark.timeout(240)
def test_one_operation_and_everybody_else_is_told_why(engine: Engine) -> None:
    engine.start_web()
    engine.start_workers(2, 2)
    engine.aws.set(alarm=AlarmState.ALARM)
    operator, begin = Operator(engine), threading.Barrier(CLICKS + EVENTS)

    def click(_: int) -> Answer:
        begin.wait(60)
        return operator.fails_over()

    def deliver(number: int) -> list[int]:
        begin.wait(60)
        return engine.deliver(alarm_event(id=f"event-{number}"))

    with ThreadPoolExecutor(CLICKS + EVENTS) as pool:
        clicks = [pool.submit(click, number) for number in range(CLICKS)]
        events = [pool.submit(deliver, number) for number in range(EVENTS)]
        clicked = [future.result() for future in clicks]
        assert all(future.result()[-1] == 202 for future in events)
    engine.start_beat()
    engine.until_processed()
    operation = engine.until_ended()

    assert (operation.goal, operation.status, operation.error) == ("failover", "succeeded", "")
    assert_one_started(clicked, operation)
    written = engine.aws.written
    assert [each.action for each in written] == ["Desired count becomes 2", "Weights become 0/100 on app/apis/3/4"]
    assert {each.operation for each in written} == {operation.pk}
    assert [each.lease for each in written] == sorted({each.lease for each in written}), "a lease wrote twice, or late"


def assert_one_started(clicked: list[Answer], operation: Operation) -> None:
    started = [answer for answer in clicked if answer.status == 204]
    # SQLite lets one writer in at a time, and fifty wait longer than they may.
    refused = [html.unescape(answer.text) for answer in clicked if answer.status in (409, 503)]
    assert len(started) + len(refused) == CLICKS, [answer.status for answer in clicked]
    outcomes = list(Event.objects.values_list("outcome", flat=True))
    began = [outcome for outcome in outcomes if f"Started {operation}" in outcome]
    assert len(started) + len(began) == 1
    assert all("one operation at a time" in each or "database did not answer in time" in each for each in refused)
    explained = [outcome for outcome in outcomes if "Nothing" in outcome or "No failover was started" in outcome]
    assert len(refused) + len(explained) == CLICKS + EVENTS - 1
