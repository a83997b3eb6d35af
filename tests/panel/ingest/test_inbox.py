"""Deliveries that are stored together: each has an answer of its own."""

import json

import pytest
from django.db import DataError, IntegrityError, OperationalError

from panel.fleet.models import Application
from panel.ingest import inbox
from panel.ingest.inbox import Delivery, Received, WrongKeyError, receive_all
from panel.ingest.models import Event, WebhookKey
from tests.panel.ingest.conftest import alarm_event


def delivery(secret: str, event_id: str, alarm: str = "busy") -> Delivery:
    event = alarm_event(id=event_id)
    event["detail"]["alarmName"] = alarm
    return Delivery(secret, json.dumps(event).encode())


def test_each_has_its_own_answer(application: Application, key: str) -> None:
    deliveries = [
        delivery(key, "a"),
        delivery("wrong", "b"),
        Delivery(key, b"{"),
        delivery(key, "c", alarm="nobody's"),
        delivery(key, "d"),
    ]
    accepted, wrong, broken, unmatched, also = receive_all(deliveries)
    assert [accepted, unmatched, also] == [
        Received("accepted", "a"), Received("unmatched", "c"), Received("accepted", "d"),
    ]  # fmt: skip
    assert isinstance(wrong, WrongKeyError)
    assert "not JSON" in str(broken)
    assert dict(Event.objects.values_list("event_id", "status")) == {"a": "stored", "c": "unmatched", "d": "stored"}
    assert list(Event.objects.get(event_id="d").applications.all()) == [application]
    assert WebhookKey.objects.get().last_used_at is not None


def test_of_the_same_event_twice_one_is_a_duplicate(application: Application, key: str) -> None:
    answers = receive_all([delivery(key, "a"), delivery(key, "a"), delivery(key, "b")])
    assert sorted(answer.status for answer in answers) == ["accepted", "accepted", "duplicate"]
    assert Event.objects.count() == 2


def test_an_event_that_another_process_stores_meanwhile_is_a_duplicate(
    application: Application, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It commits after this one looked, and before this one inserts."""
    insert = inbox._insert

    def after_the_other(new: dict) -> dict:
        monkeypatch.setattr(inbox, "_insert", insert)
        monkeypatch.setattr(inbox, "_alone", lambda each: stored_by_the_other() or alone(each))
        raise IntegrityError

    def stored_by_the_other() -> None:
        Event.objects.get_or_create(event_id="a", defaults={"detail_type": "x", "body": {}})

    alone = inbox._alone
    monkeypatch.setattr(inbox, "_insert", after_the_other)
    answers = receive_all([delivery(key, "a"), delivery(key, "b")])
    assert answers == [Received("duplicate", "a"), Received("accepted", "b")]


def test_an_event_that_the_database_does_not_take_leaves_its_neighbours_alone(
    application: Application, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    matching = inbox.matching

    def fail_for_one(event: inbox.failover.events.Event, body: dict) -> list[Application]:
        if event.alarm_name == "poison":
            raise DataError("out of range")
        return matching(event, body)

    monkeypatch.setattr(inbox, "matching", fail_for_one)
    good, bad, also_good = receive_all([delivery(key, "a"), delivery(key, "b", alarm="poison"), delivery(key, "c")])
    assert isinstance(bad, DataError)
    assert (good, also_good) == (Received("accepted", "a"), Received("accepted", "c"))
    assert sorted(Event.objects.values_list("event_id", flat=True)) == ["a", "c"]


def test_a_database_that_is_gone_is_asked_once_for_all(
    application: Application, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def gone(event: inbox.failover.events.Event, _body: dict) -> list[Application]:
        asked.append(event.id)
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(inbox, "matching", gone)
    with pytest.raises(OperationalError):
        receive_all([delivery(key, "a"), delivery(key, "b")])
    assert asked == ["a"]
