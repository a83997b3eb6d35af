"""Events as AWS sends them, in both shapes, with keys that we have not heard of yet."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.events import EventError, parse

ALARM = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "111122223333",
    "time": "2026-03-02T17:04:40Z",
    "region": "sa-east-1",
    "resources": ["arn:aws:cloudwatch:sa-east-1:111122223333:alarm:checkout"],
    "detail": {
        "alarmName": "checkout",
        "configuration": {"metrics": []},
        "previousState": {"value": "OK", "reason": "fine", "timestamp": "2026-03-02T17:00:40.989+0000"},
        "state": {"value": "ALARM", "reason": "over", "timestamp": "2026-03-02T17:04:39.989+0000"},
        "muteDetail": {"somethingNew": True},
    },
}
DIRECT = {
    "source": "aws.cloudwatch",
    "alarmArn": "arn:aws:cloudwatch:sa-east-1:111122223333:alarm:checkout",
    "accountId": "111122223333",
    "time": "2026-03-02T17:04:40.000+0000",
    "region": "sa-east-1",
    "alarmData": {"alarmName": "checkout", "state": {"value": "ALARM", "timestamp": "2026-03-02T17:04:39.989+0000"}},
}


@pytest.mark.parametrize("body", [ALARM, DIRECT])
def test_both_shapes_of_an_alarm_say_the_same(body):
    event = parse(body)
    assert (event.alarm_name, event.alarm_state, event.account) == ("checkout", "ALARM", "111122223333")
    assert event.at == 1772471079.989
    assert event.id


def test_a_direct_invocation_that_is_repeated_has_the_same_id():
    assert parse(DIRECT).id == parse(dict(DIRECT)).id


def test_an_ecs_event_is_a_wake_up_without_an_alarm():
    event = parse({"id": "1", "detail-type": "ECS Task State Change", "source": "aws.ecs", "detail": {}})
    assert event.alarm_name == ""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "JSON object"),
        ({}, "'id'"),
        ({**ALARM, "detail": "text"}, "'detail'"),
        ({**ALARM, "detail": {}}, "alarmName"),
        ({**DIRECT, "alarmData": {}}, "alarmData"),
    ],
)
def test_what_is_no_event_is_refused_with_a_sentence(body, says):
    with pytest.raises(EventError, match=says):
        parse(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ALARM, *DIRECT, "state"]), inner),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_an_event_or_is_refused(body):
    with contextlib.suppress(EventError):
        assert parse(body).id
