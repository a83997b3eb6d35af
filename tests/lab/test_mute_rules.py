"""Alarm mute rules (CloudWatch API Reference, PutAlarmMuteRule, GetAlarmMuteRule and ListAlarmMuteRules)."""

import pytest

from lab.errors import AwsError

NAME = "checkout-lambda-throttles"


def mute(virtual, expression, duration="PT1H", alarms=(NAME,), **more):
    schedule = {"Expression": expression, "Duration": duration}
    given = {"Name": "night", "Rule": {"Schedule": schedule}, "MuteTargets": {"AlarmNames": list(alarms)}, **more}
    virtual.call("cloudwatch", "PutAlarmMuteRule", **given)


def listed(virtual, **given):
    return virtual.call("cloudwatch", "ListAlarmMuteRules", **given)["AlarmMuteRuleSummaries"]


def status(virtual):
    return virtual.call("cloudwatch", "GetAlarmMuteRule", AlarmMuteRuleName="night")["Status"]


def test_a_rule_is_scheduled_then_active_then_expired(virtual):
    """Status: SCHEDULED before its window, ACTIVE in it, EXPIRED after it. The virtual clock begins at 08:00 UTC."""
    mute(virtual, "at(2027-01-15T08:01)", "PT2M")
    seen = [status(virtual)]
    for _ in range(2):
        virtual.run(100)
        seen.append(status(virtual))
    assert seen == ["SCHEDULED", "ACTIVE", "EXPIRED"]


def test_a_muted_alarm_goes_on_changing_its_state_and_sending_events(virtual):
    """A mute rule concerns actions alone: evaluation and changes of state go on."""
    virtual.run(20)
    mute(virtual, "at(2027-01-15T08:00)")
    before = len(virtual.world.bus.deliveries)
    virtual.call("cloudwatch", "SetAlarmState", AlarmName=NAME, StateValue="ALARM", StateReason="drill")
    (alarm,) = virtual.call("cloudwatch", "DescribeAlarms", AlarmNames=[NAME])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["ActionsEnabled"]) == ("ALARM", True)
    assert len(virtual.world.bus.deliveries) == before + 1


def test_rules_are_found_by_alarm_and_status(virtual):
    """ListAlarmMuteRules: filters AlarmName and Statuses."""
    mute(virtual, "at(2027-01-15T08:00)")
    (summary,) = listed(virtual, AlarmName=NAME, Statuses=["ACTIVE"])
    assert (summary["Status"], summary["MuteType"]) == ("ACTIVE", "ONE_TIME")
    assert summary["AlarmMuteRuleArn"].endswith(":alarm-mute-rule:night")
    assert listed(virtual, AlarmName="checkout-lambda-concurrency") == []
    assert listed(virtual, Statuses=["EXPIRED"]) == []


def test_a_deleted_rule_is_gone(virtual):
    """DeleteAlarmMuteRule; GetAlarmMuteRule then answers ResourceNotFoundException."""
    mute(virtual, "at(2027-01-15T08:00)")
    virtual.call("cloudwatch", "DeleteAlarmMuteRule", AlarmMuteRuleName="night")
    with pytest.raises(AwsError) as refused:
        status(virtual)
    assert refused.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"expression": "cron(0 2 * * *)"}, "ValidationError"),
        ({"expression": "at(2027-13-15T08:00)"}, "ValidationError"),
        ({"expression": "at(2027-01-15T08:00)", "duration": "PT0M"}, "ValidationError"),
        ({"expression": "at(2027-01-15T08:00)", "duration": "P16D"}, "ValidationError"),
        ({"expression": "at(2027-01-15T08:00)", "alarms": ["none"]}, "ResourceNotFound"),
        ({"expression": "at(2027-01-15T08:00)", "alarms": [NAME] * 101}, "ValidationError"),
        ({"expression": "at(2027-01-15T08:00)", "Tags": []}, "ValidationError"),
    ],
)
def test_what_is_no_window_is_refused(virtual, given, code):
    """Schedule: Duration from PT1M to P15D; MuteTargets: up to 100 existing alarms. Recurring windows AWS has, the
    lab has not."""
    with pytest.raises(AwsError) as refused:
        mute(virtual, **given)
    assert refused.value.code == code
