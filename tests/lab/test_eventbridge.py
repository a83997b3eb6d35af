"""Events and their delivery.

EventBridge User Guide, "API destinations", "How EventBridge retries delivering events", "Using dead-letter queues to
process undelivered events"; CloudWatch User Guide, "Alarm events and EventBridge".
"""

import json
import re
from itertools import pairwise

import pytest

from lab.eventbridge import Destination, dead_letter_attributes
from lab.ports import Answer
from lab.throttling import Throttling


@pytest.fixture
def received(virtual):
    """What the destination got: headers, event and time; it answers the drill's event as ``virtual.answers`` say."""
    got = []
    virtual.answers = []

    def receive(headers, body, at):
        event = json.loads(body)
        got.append((headers, event, at))
        ours = event["detail"].get("state", {}).get("reason") == "drill"
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
    """Alarm events and EventBridge: the sample event of a metric alarm; `reasonData` is JSON as text."""
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
    """API destinations: the connection's key in its header, and the headers that EventBridge adds to every request."""
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
    """API destinations: time-outs (5 s), 401, 407, 409, 429 and 5xx are retried; delivery is at least once."""
    virtual.answers = [failure, failure, 202]
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(30)
    ids = [event["id"] for _, event, _ in received]
    assert ids.count(ours.event["id"]) == 3
    assert ours.outcome == "delivered"


@pytest.mark.parametrize("status", [301, 400, 403, 404, 413])
def test_every_other_answer_is_final(virtual, received, status):
    """API destinations: other answers are not retried; the event goes to the dead-letter queue."""
    virtual.answers = [status]
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(60)
    assert (ours.outcome, len(ours.attempts)) == ("dead", 1)
    assert ours in virtual.world.bus.dead_letters


def test_retry_after_is_honoured(virtual, received):
    """API destinations: EventBridge heeds the Retry-After header of an answer."""
    virtual.answers = [Answer(503, virtual.now, retry_after=30)]
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(25)
    assert len(ours.attempts) == 1
    virtual.run(10)
    assert ours.outcome == "delivered"


def test_retries_come_ever_more_slowly(virtual, received):
    """How EventBridge retries delivering events: exponential back-off."""
    virtual.http.receiver = lambda _headers, _body, at: Answer(500, at)
    alarm(virtual)
    ours = outcome(virtual)
    virtual.run(40)
    times = [at for at, _ in ours.attempts]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) >= 4
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps)), gaps


def test_without_a_destination_an_event_goes_nowhere(virtual):
    """The lab's own: until somebody sets a destination there is no target."""
    alarm(virtual)
    assert outcome(virtual).outcome == "unrouted"


def test_no_transition_is_no_event(virtual, received):
    """Alarm events and EventBridge: an event is sent when an alarm changes its state."""
    alarm(virtual, "OK")
    assert received == []


WORLD = """
[[event_rules]]
name = "alarms"
pattern = '{"source": ["aws.cloudwatch"], "detail": {"alarmName": [{"prefix": "checkout-"}]}}'
retries = 2
age_seconds = 60
dead_letter_queue = true

[[event_rules]]
name = "other"
pattern = '{"source": ["aws.ecs"]}'
dead_letter_queue = false

[[applications.checkout.alarms]]
name = "checkout-lambda-throttles"
metric = "Throttles"
statistic = "Sum"
threshold = 1
missing_data = "ignore"
period_seconds = 3600
"""


@pytest.fixture
def ruled(virtual_of):
    """A world with event rules of its own, whose destination fails."""
    lab = virtual_of(WORLD)
    lab.http.receiver = lambda _headers, _body, at: Answer(500, at)
    lab.world.bus.destination = Destination("http://panel/hook", "X-Api-Key", "k3y")
    return lab


def test_without_rules_of_its_own_a_world_tells_ok_and_alarm_and_what_ecs_does(virtual, received):
    """Alarm events and EventBridge: a rule's pattern can choose by `detail.state.value`; here by OK and ALARM."""
    alarm(virtual, "INSUFFICIENT_DATA")
    assert received == []
    alarm(virtual, "ALARM")
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=1)
    virtual.run(3)
    assert {event["detail-type"] for _, event, _ in received} == {
        "CloudWatch Alarm State Change",
        "ECS Task State Change",
        "ECS Service Action",
    }


def test_a_rules_retry_policy_ends_in_the_dead_letter_queue_with_its_attributes(ruled):
    """Using dead-letter queues: after the retries or the age of the retry policy the event is in the queue, with
    RULE_ARN, ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS and EXHAUSTED_RETRY_CONDITION as message attributes."""
    alarm(ruled)
    ruled.run(30)
    (delivery,) = ruled.world.bus.dead_letters
    assert len(delivery.attempts) == 3
    attributes = dead_letter_attributes(delivery)
    assert attributes["RULE_ARN"] == "arn:aws:events:eu-west-1:123456789012:rule/alarms"
    assert (attributes["RETRY_ATTEMPTS"], attributes["EXHAUSTED_RETRY_CONDITION"]) == ("2", "MaximumRetryAttempts")


def test_an_event_older_than_its_policy_allows_is_given_up(ruled):
    """Retry policy: MaximumEventAgeInSeconds."""
    ruled.http.receiver = lambda _headers, _body, at: Answer(503, at, retry_after=90)
    alarm(ruled)
    ruled.run(1)
    (delivery,) = ruled.world.bus.dead_letters
    assert dead_letter_attributes(delivery)["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"


def test_without_a_dead_letter_queue_an_undeliverable_event_is_dropped(ruled):
    """Using dead-letter queues: without one, EventBridge drops the event when its retries are exhausted."""
    ruled.http.receiver = lambda _headers, _body, at: Answer(400, at)
    ruled.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=1)
    ruled.run(1)
    assert {delivery.outcome for delivery in ruled.world.bus.deliveries} == {"dropped"}
    assert ruled.world.bus.dead_letters == []


def test_no_more_than_300_a_second_go_to_a_destination(virtual, received):
    """API destinations: the invocation rate limit, 300 a second by default; what exceeds it waits."""
    virtual.cloud.throttling = Throttling(on=False)  # alarms change faster here than SetAlarmState allows
    for _ in range(4):
        virtual.world.faults.set("events_duplicated", 99)
        alarm(virtual, "ALARM")
        alarm(virtual, "OK")
    times = sorted(at for _, _, at in received)
    assert all(later - earlier >= 0.99 for earlier, later in zip(times, times[300:], strict=False))
    virtual.run(5)
    assert len(received) >= 800


def test_duplicates_have_the_same_id(virtual, received):
    """How EventBridge retries delivering events: at least once, so the same event, with its id, may come again."""
    virtual.world.faults.set("events_duplicated", 2)
    alarm(virtual)
    assert [event["id"] for _, event, _ in received] == [outcome(virtual).event["id"]] * 3
    virtual.world.faults.set("events_duplicated", None)
    received.clear()
    alarm(virtual, "OK")
    assert len(received) == 1


def test_late_events_carry_the_time_of_what_happened(virtual, received):
    """Events: `time` is when the service says that it happened, not when it is delivered."""
    virtual.world.faults.set("events_late", 60)
    happened = virtual.now
    alarm(virtual)
    virtual.run(59)
    assert received == []
    virtual.run(1)
    (_, event, at), *_ = received
    assert at - happened >= 60
    assert event["time"] == "2027-01-15T08:00:20Z"


def test_a_reordered_event_comes_after_a_later_one(virtual, received):
    """EventBridge promises no order (User Guide, "Event bus concepts")."""
    virtual.world.faults.set("events_reordered", True)
    alarm(virtual, "ALARM")
    alarm(virtual, "OK")
    virtual.run(1)
    assert [event["detail"]["state"]["value"] for _, event, _ in received] == ["OK", "ALARM"]


def test_a_reordered_event_without_a_later_one_comes_after_two_minutes(virtual, received):
    """The switch's own limit."""
    virtual.call("cloudwatch", "SetAlarmState", AlarmName="checkout-lambda-throttles", StateValue="OK", StateReason="x")
    virtual.world.faults.set("events_reordered", True)
    virtual.world.publish("ECS Service Action", "arn:aws:ecs:eu-west-1:123456789012:service/apis/x", {}, virtual.now)
    virtual.run(119)
    assert received == []
    virtual.run(2)
    assert len(received) == 1


def test_switching_the_reordering_off_lets_held_events_go(virtual, received):
    """The switch's own promise."""
    virtual.world.faults.set("events_reordered", True)
    alarm(virtual)
    assert received == []
    virtual.world.faults.set("events_reordered", None)
    virtual.run(0.2)
    assert len(received) == 1
