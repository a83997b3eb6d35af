"""The webhook's answers as the contract lists them, and nothing else whatever is sent."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from panel.fleet.models import Application
from panel.ingest import keys
from panel.ingest.models import Event, WebhookKey
from tests.conftest import SilentValkey
from tests.panel.ingest.conftest import Deliver, alarm_event

LARGEST = 1_048_576


def test_an_alarm_of_an_application_is_stored_and_accepted(application: Application, deliver: Deliver) -> None:
    answer = deliver(alarm_event())
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "event_id": alarm_event()["id"]})
    event = Event.objects.get()
    assert (event.status, event.alarm_name, event.alarm_state) == ("stored", "busy", "ALARM")
    assert event.happened_at is not None
    assert list(event.applications.all()) == [application]
    assert event.body["detail"]["state"]["reason"] == "Threshold Crossed"


def test_the_same_event_again_is_a_duplicate(application: Application, deliver: Deliver) -> None:
    deliver(alarm_event())
    answer = deliver(alarm_event())
    assert (answer.status_code, answer.json()["status"]) == (202, "duplicate")
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [{"account": "999999999999"}, {"region": "eu-west-1"}, {"detail": {"alarmName": "x", "state": {"value": "OK"}}}],
)
def test_an_alarm_of_nobody_is_unmatched_and_says_so(
    application: Application, deliver: Deliver, changes: dict[str, Any]
) -> None:
    answer = deliver(alarm_event(**changes))
    assert (answer.status_code, answer.json()["status"]) == (202, "unmatched")
    event = Event.objects.get()
    assert (event.status, event.outcome) == ("unmatched", "No application of this panel listens to it.")


@pytest.mark.parametrize(
    ("resources", "detail"),
    [
        (["arn:aws:ecs:sa-east-1:123456789012:service/apis/checkout"], {}),
        ([], {"clusterArn": "arn:aws:ecs:sa-east-1:123456789012:cluster/apis", "group": "service:checkout"}),
    ],
)
def test_an_event_of_the_ecs_service_is_a_wake_up(
    application: Application, deliver: Deliver, resources: list[str], detail: dict[str, str]
) -> None:
    event = alarm_event(source="aws.ecs", resources=resources, detail=detail, **{"detail-type": "ECS Service Action"})
    assert deliver(event).json()["status"] == "accepted"


@pytest.mark.parametrize("path", ["/webhooks/eventbridge", "/webhooks/eventbridge/"])
@pytest.mark.parametrize("host", ["testserver", "panel.internal:8443", "a_b c<>", ""])
def test_slash_and_host_make_no_difference(deliver: Deliver, path: str, host: str) -> None:
    answer = deliver(alarm_event(), path=path, Host=host)
    assert answer.status_code == 202


def test_https_is_never_redirected_to(deliver: Deliver, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert deliver(alarm_event()).status_code == 202


@pytest.mark.parametrize("secret", ["", "wrong", "ünicode", "x" * 5000])
def test_a_bad_or_missing_key_is_told_apart_from_nothing_else(deliver: Deliver, secret: str) -> None:
    assert deliver(b"not even JSON", secret=secret).status_code == 401
    assert not Event.objects.exists()


def test_the_header_may_have_another_name(deliver: Deliver, key: str, settings: Any) -> None:
    settings.PANEL_WEBHOOK_HEADER = "X-Failover-Key"
    assert deliver(alarm_event(), secret="", **{"X-Failover-Key": key}).status_code == 202
    answer = deliver(alarm_event())
    assert answer.status_code == 401
    assert "X-Failover-Key" in answer.json()["error"]


def test_a_revoked_key_opens_nothing(deliver: Deliver) -> None:
    assert keys.revoke("eventbridge")
    assert deliver(alarm_event()).status_code == 401


def test_a_key_remembers_its_use_once_a_minute(deliver: Deliver) -> None:
    deliver(alarm_event())
    first = WebhookKey.objects.get().last_used_at
    deliver(alarm_event(id="another"))
    assert first is not None
    assert WebhookKey.objects.get().last_used_at == first


def test_only_a_keyed_hash_of_the_secret_is_stored(key: str) -> None:
    row = WebhookKey.objects.values().get()
    assert key not in str(row)
    assert len(row["digest"]) == 64


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_other_methods_are_refused(key: str, method: str) -> None:
    answer = getattr(Client(), method)("/webhooks/eventbridge", headers={"X-Api-Key": key})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


BROKEN = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"id": "\xff"}',
    "NaN": b'{"id": NaN}',
    "a number beyond any": b'{"id": 1e999}',
    "a number of 5000 digits": b"1" * 5000,
    "nested too deep for a stack": b"[" * 500_000,
    "nested too deep for a database": b'{"a":' * 200 + b"1" + b"}" * 200,
    "a list": b"[]",
    "null": b"null",
    "no id": json.dumps({**alarm_event(), "id": None}).encode(),
    "an id longer than any": json.dumps(alarm_event(id="x" * 200)).encode(),
    "no detail": json.dumps({**alarm_event(), "detail": []}).encode(),
    "an alarm without a state": json.dumps(alarm_event(detail={"alarmName": "busy"})).encode(),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_event_is_refused_with_a_sentence(deliver: Deliver, body: bytes) -> None:
    answer = deliver(body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert not Event.objects.exists()


@pytest.mark.parametrize("text", ["\x00", "\ud800", "a\udfffb\x00"])
def test_characters_that_no_database_takes_are_replaced(deliver: Deliver, text: str) -> None:
    event = alarm_event()
    event["detail"]["state"]["reason"] = text
    assert deliver(event).status_code == 202
    stored = Event.objects.get().body["detail"]["state"]["reason"]
    assert "\ufffd" in stored
    assert not set(stored) & {"\x00", "\ud800"}


def test_the_largest_event_is_taken_and_one_byte_more_is_not(deliver: Deliver) -> None:
    event = json.dumps(alarm_event()).encode()
    assert deliver(event + b" " * (LARGEST - len(event))).status_code == 202
    assert deliver(event + b" " * (LARGEST - len(event) + 1)).status_code == 413


def test_a_stale_event_is_accepted(application: Application, deliver: Deliver) -> None:
    event = alarm_event()
    event["detail"]["state"]["timestamp"] = "2019-10-02T17:04:40.989+0000"
    assert deliver(event).json()["status"] == "accepted"


def test_a_failing_database_asks_for_the_event_again_and_keeps_no_half_of_it(
    application: Application, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("panel.ingest.inbox.matching", fail)
        answer = deliver(alarm_event())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not Event.objects.exists()
    assert deliver(alarm_event()).json()["status"] == "accepted"


def test_a_database_that_is_gone_is_a_503_even_before_the_key_is_known(deliver: Deliver) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(fail):
        answer = deliver(alarm_event())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.django_db(transaction=True)
def test_the_answer_does_not_wait_for_a_silent_broker(
    application: Application, deliver: Deliver, silent_valkey: SilentValkey
) -> None:
    assert deliver(alarm_event()).status_code == 202
    silent_valkey.wake_up()
    message = silent_valkey.next_message()
    assert message["headers"]["task"] == "ingest.process", "the wake-up was still waiting when the answer was given"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
EVENTISH = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=140) | JSON,
        "detail-type": st.sampled_from(["CloudWatch Alarm State Change", "ECS Service Action"]) | JSON,
        "source": st.sampled_from(["aws.cloudwatch", "aws.ecs"]) | JSON,
        "account": st.text(max_size=14) | JSON,
        "region": JSON,
        "time": st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()) | JSON,
        "resources": st.lists(st.text(max_size=20) | st.just("arn:aws:ecs:r:1:service/a/b")) | JSON,
        "detail": st.fixed_dictionaries(
            {},
            optional={
                "alarmName": st.text(max_size=300) | JSON,
                "state": st.fixed_dictionaries({}, optional={"value": st.text(max_size=30), "timestamp": JSON}) | JSON,
                "group": st.just("service:x") | JSON,
                "clusterArn": JSON,
            },
        )
        | JSON,
        "alarmData": JSON,
    },
)
BODIES = st.binary(max_size=200) | (JSON | EVENTISH).map(lambda value: json.dumps(value).encode())


@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=BODIES)
def test_no_body_is_an_error_of_ours_and_none_is_stored_by_half(
    application: Application, deliver: Deliver, body: bytes
) -> None:
    before, began = Event.objects.count(), timezone.now()
    answer = deliver(body)
    assert answer.status_code in {202, 400}
    stored = Event.objects.filter(received_at__gte=began)
    accepted = answer.status_code == 202 and answer.json()["status"] != "duplicate"
    assert Event.objects.count() - before == accepted
    assert all(event.status == "unmatched" or event.applications.exists() for event in stored)
