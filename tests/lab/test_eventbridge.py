"""Alarm events and their delivery (EventBridge User Guide, "API destinations", "How EventBridge retries ...")."""

import json
import re
from itertools import pairwise

import pytest

from lab.eventbridge import Destination
from lab.ports import Answer


@pytest.fixture
def received(virtual):
    """What the destination got: headers, event and time; it answers the drill's event as ``virtual.answers`` say."""
    got = []
    virtual.answers = []

    def receive(headers, body, at):
        event = json.loads(body)
        got.append((headers, event, at))
        ours = event["detail"]["state"]["reason"] == "drill"
        status = virtual.answers.pop(0) if ours and virtual.answers else 202
        return status if isinstance(status, Answer) else status and Answer(status, at)

    virtual.http.receiver = receive
    virtual.world.bus.destination = Destination("http://panel/hook", "X-Api-Key", "k3y")
    virtual.run(20)  # past the alarms' first evaluation
    got.clear()
    return got


def alarm(virtual, value="ALARM"):
    virtual.call(
        "cloudwatch", "SetAlarmState", AlarmName="checkout-lambda-throttles", StateValue=value, StateReason="drill"
    )
    virtual.run(0.1)


def outcome(virtual):
    return next(each for each in virtual.world.bus.deliveries if each.event["detail"]["state"]["reason"] == "drill")


def test_the_event_has_the_documented_shape(virtual, received):
    alarm(virtual)
    _, event, _ = received[0]
    assert {key: event[key] for key in ("version", "detail-type", "source", "account", "region")} == {
        "version": "0",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "region": "eu-west-1",
    }
    assert event["resources"] == ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-lambda-throttles"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    detail = event["detail"]
    assert (detail["previousState"]["value"], detail["state"]["value"]) == ("OK", "ALARM")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", detail["state"]["timestamp"])
    assert isinstance(detail["previousState"]["reasonData"], str)
    assert "reasonData" not in detail["state"], "a state set without data has none"
    (query,) = detail["configuration"]["metrics"]
    assert query["metricStat"]["metric"] == {
        "namespace": "AWS/Lambda",
        "name": "Throttles",
        "dimensions": {"FunctionName": "checkout"},
    }


def test_it_carries_the_connections_key_and_eventbridges_headers(virtual, received):
    alarm(virtual)
    headers, _, _ = received[0]
    assert headers == {
        "X-Api-Key": "k3y",
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        "Content-Type": "application/json; charset=utf-8",
        "Range": "bytes=0-1048575",
        "Connection": "close",
    }


@pytest.mark.parametrize("failure", [401, 407, 409, 429, 500, 503, None])
def test_what_is_retried_arrives_again_with_the_same_id(virtual, received, failure):
    virtual.answers = [failure, failure, 202]
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(30)
    ids = [event["id"] for _, event, _ in received]
    assert ids.count(ours.event["id"]) == 3
    assert ours.outcome == "delivered"


@pytest.mark.parametrize("status", [301, 400, 403, 404, 413])
def test_every_other_answer_is_final(virtual, received, status):
    virtual.answers = [status]
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(60)
    assert (ours.outcome, len(ours.attempts)) == ("dead", 1)
    assert ours in virtual.world.bus.dead_letters


def test_retry_after_is_honoured(virtual, received):
    virtual.answers = [Answer(503, virtual.now, retry_after=30)]
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(25)
    assert len(ours.attempts) == 1
    virtual.run(10)
    assert ours.outcome == "delivered"


def test_retries_come_ever_more_slowly(virtual, received):
    virtual.http.receiver = lambda _headers, _body, at: Answer(500, at)
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(40)
    times = [at for at, _ in ours.attempts]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) >= 4
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps)), gaps


def test_without_a_destination_an_event_goes_nowhere(virtual):
    alarm(virtual)
    assert outcome(virtual).outcome == "unrouted"


def test_no_transition_is_no_event(virtual, received):
    alarm(virtual, "OK")
    assert received == []
