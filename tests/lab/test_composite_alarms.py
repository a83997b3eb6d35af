"""Composite alarms and the suppression of their actions.

CloudWatch User Guide, "Create a composite alarm" and "Composite alarm action suppression"; CloudWatch API Reference,
CompositeAlarm.
"""

import json

import pytest

from lab.eventbridge import Destination
from lab.ports import Answer

WORLD = """
[[applications.checkout.alarms]]
name = "throttles"
metric = "Throttles"
statistic = "Sum"
threshold = 1
period_seconds = 3600
missing_data = "ignore"

[[applications.checkout.alarms]]
name = "maintenance"
metric = "Errors"
statistic = "Sum"
threshold = 1
period_seconds = 3600
missing_data = "ignore"

[[applications.checkout.composite_alarms]]
name = "busy"
rule = 'ALARM("throttles")'
description = "Lambda is at its limit."
suppressor = "maintenance"
wait_seconds = 20
extension_seconds = 30
"""


@pytest.fixture
def lab(virtual_of):
    """Metric alarms that stay as they are set, and what EventBridge delivered of the composite one."""
    lab = virtual_of(WORLD)
    lab.told = []

    def receive(_headers, body, at):
        event = json.loads(body)
        if event["detail"].get("alarmName") == "busy":
            lab.told.append(event)
        return Answer(202, at)

    lab.http.receiver = receive
    lab.world.bus.destination = Destination("http://panel/hook", "X-Api-Key", "k3y")
    for name in ("throttles", "maintenance"):
        put(lab, name, "OK")
    lab.run(1)
    lab.told.clear()
    return lab


def put(lab, name, value):
    lab.call("cloudwatch", "SetAlarmState", AlarmName=name, StateValue=value, StateReason="test")
    lab.run(0.2)


def busy(lab):
    found = lab.call("cloudwatch", "DescribeAlarms", AlarmNames=["busy"], AlarmTypes=["CompositeAlarm"])
    (alarm,) = found["CompositeAlarms"]
    return alarm


def test_it_follows_the_alarms_that_its_rule_names(lab):
    """Create a composite alarm: ALARM while the rule evaluates to true, else OK; the reason names the child."""
    put(lab, "throttles", "ALARM")
    assert busy(lab)["StateValue"] == "ALARM"
    assert "alarm:throttles transitioned to ALARM at" in busy(lab)["StateReason"]
    put(lab, "throttles", "OK")
    assert busy(lab)["StateValue"] == "OK"


def test_without_its_type_it_is_left_out(lab):
    """DescribeAlarms: if AlarmTypes is omitted, only metric alarms are returned."""
    assert lab.call("cloudwatch", "DescribeAlarms")["CompositeAlarms"] == []
    both = lab.call("cloudwatch", "DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert (len(both["MetricAlarms"]), len(both["CompositeAlarms"])) == (2, 1)


def test_its_event_has_the_composite_shape(lab):
    """Alarm events and EventBridge: configuration.alarmRule and the suppressor, reasonData.triggeringAlarms as text."""
    put(lab, "throttles", "ALARM")
    (event,) = lab.told
    detail = event["detail"]
    assert detail["configuration"] == {
        "alarmRule": 'ALARM("throttles")',
        "actionsSuppressor": "maintenance",
        "actionsSuppressorWaitPeriod": 20,
        "actionsSuppressorExtensionPeriod": 30,
        "description": "Lambda is at its limit.",
    }
    assert (detail["previousState"]["value"], detail["state"]["value"]) == ("OK", "ALARM")
    (trigger,) = json.loads(detail["state"]["reasonData"])["triggeringAlarms"]
    assert (trigger["arn"].endswith(":alarm:throttles"), trigger["state"]["value"]) == (True, "ALARM")
    assert detail["state"]["actionsSuppressedBy"] == "WaitPeriod"
    assert detail["state"]["actionsSuppressedReason"] == "Actions suppressed by WaitPeriod"


def test_its_actions_wait_for_the_suppressor_and_run_when_it_does_not_come(lab):
    """ActionsSuppressedBy WaitPeriod: it waits at most this long for the suppressor, then performs its actions."""
    put(lab, "throttles", "ALARM")
    lab.run(15)
    assert busy(lab)["ActionsSuppressedBy"] == "WaitPeriod"
    lab.run(10)
    assert (busy(lab)["StateValue"], busy(lab)["ActionsSuppressedBy"]) == ("ALARM", None)
    states = [event["detail"]["state"] for event in lab.told]
    assert [state["value"] for state in states] == ["ALARM", "ALARM"], "the end of the suppression is an event"
    assert "actionsSuppressedBy" not in states[1]


def test_a_suppressor_in_alarm_holds_the_actions_and_for_a_while_after_it(lab):
    """ActionsSuppressedBy Alarm, then ExtensionPeriod after the suppressor went out of ALARM, then the actions."""
    put(lab, "maintenance", "ALARM")
    put(lab, "throttles", "ALARM")
    lab.run(60)
    assert busy(lab)["ActionsSuppressedBy"] == "Alarm"
    put(lab, "maintenance", "OK")
    assert busy(lab)["ActionsSuppressedBy"] == "ExtensionPeriod"
    assert busy(lab)["ActionsSuppressedReason"] == "Actions suppressed by ExtensionPeriod"
    lab.run(31)
    assert busy(lab)["ActionsSuppressedBy"] is None


def test_a_suppressor_that_comes_within_the_wait_holds_the_actions(lab):
    """WaitPeriod: what the alarm waits for is the suppressor going into ALARM."""
    put(lab, "throttles", "ALARM")
    put(lab, "maintenance", "ALARM")
    lab.run(60)
    assert busy(lab)["ActionsSuppressedBy"] == "Alarm"


def test_a_suppressor_that_comes_later_holds_nothing(lab):
    """The actions of that change have been performed."""
    put(lab, "throttles", "ALARM")
    lab.run(25)
    put(lab, "maintenance", "ALARM")
    assert busy(lab)["ActionsSuppressedBy"] is None


def test_a_state_set_by_hand_holds_until_one_of_its_alarms_changes(lab):
    """SetAlarmState: a composite alarm returns to its actual state only once any of its children changes state."""
    put(lab, "busy", "ALARM")
    lab.run(60)
    assert busy(lab)["StateValue"] == "ALARM"
    put(lab, "throttles", "INSUFFICIENT_DATA")
    assert busy(lab)["StateValue"] == "OK"


def test_its_history_is_described_under_its_type(lab):
    """DescribeAlarmHistory: AlarmTypes as in DescribeAlarms; items say their AlarmType."""
    put(lab, "throttles", "ALARM")
    items = lab.call("cloudwatch", "DescribeAlarmHistory", AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]
    assert {item["AlarmType"] for item in items} == {"CompositeAlarm"}


def test_disabled_actions_change_neither_state_nor_events(lab):
    """DisableAlarmActions: the alarm's actions do not run when its state changes; evaluation and events go on."""
    lab.call("cloudwatch", "DisableAlarmActions", AlarmNames=["busy", "throttles"])
    put(lab, "throttles", "ALARM")
    assert (busy(lab)["ActionsEnabled"], busy(lab)["StateValue"], len(lab.told)) == (False, "ALARM", 1)
    lab.call("cloudwatch", "EnableAlarmActions", AlarmNames=["busy"])
    assert busy(lab)["ActionsEnabled"]
