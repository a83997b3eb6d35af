"""Alarm evaluation (CloudWatch User Guide, "Alarm evaluation" and "... how CloudWatch alarms treat missing data")."""

import json
from dataclasses import replace

import pytest

from lab.alarms import Alarm, AlarmSettings
from lab.cloudwatch import Metric, Metrics

METRIC = Metric.of("AWS/Lambda", "Throttles", {"FunctionName": "checkout"})
THREE_OF_THREE = AlarmSettings(
    name="checkout-lambda-throttles",
    metric=METRIC,
    statistic="Sum",
    threshold=1,
    comparison="GreaterThanOrEqualToThreshold",
    period=5,
    evaluation_periods=3,
    datapoints_to_alarm=3,
    missing_data="missing",
    description="",
)
BEGIN = 1_800_000_000.0


def evaluated(points: str, settings: AlarmSettings, start_as: str | None = None) -> Alarm:
    """An alarm evaluated once over data points, oldest first: X breaching, 0 not breaching, - missing."""
    metrics = Metrics()
    for index, point in enumerate(points):
        if point != "-":
            metrics.put(METRIC, 1 if point == "X" else 0, BEGIN + 5 * index)
    alarm = Alarm(settings, "arn", BEGIN)
    if start_as:
        alarm.set_state(start_as, "test", None, BEGIN)
    alarm.advance(BEGIN + 5 * len(points) + 1.5, metrics)
    return alarm


# The user guide's table for 3 out of 3.
@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0-X-X", "OK", "OK", "OK", "OK"),
        ("----0", "OK", "OK", "OK", "OK"),
        ("-----", "INSUFFICIENT_DATA", "retained", "ALARM", "OK"),
        ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("--X--", "ALARM", "retained", "ALARM", "OK"),
    ],
)
@pytest.mark.parametrize("before", ["OK", "ALARM"])
def test_missing_data_points_are_treated_as_configured(points, missing, ignore, breaching, not_breaching, before):
    """How CloudWatch alarms treat missing data: the table of a 3-out-of-3 alarm."""
    expected = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    for treatment, state in expected.items():
        alarm = evaluated(points, replace(THREE_OF_THREE, missing_data=treatment), start_as=before)
        assert alarm.state.value == (before if state == "retained" else state), f"{points} with {treatment}"


@pytest.mark.parametrize(("points", "state"), [("00X0X", "ALARM"), ("000X0", "OK"), ("X0000", "OK")])
def test_two_of_three_need_not_be_consecutive(points, state):
    """Evaluating an alarm, "M out of N"."""
    assert evaluated(points, replace(THREE_OF_THREE, datapoints_to_alarm=2)).state.value == state


@pytest.mark.parametrize(
    ("comparison", "state"),
    [
        ("GreaterThanOrEqualToThreshold", "ALARM"),
        ("GreaterThanThreshold", "OK"),
        ("LessThanThreshold", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM"),
    ],
)
def test_comparison_at_the_threshold(comparison, state):
    """PutMetricAlarm: ComparisonOperator."""
    assert evaluated("XXXXX", replace(THREE_OF_THREE, comparison=comparison)).state.value == state


def test_a_new_alarm_has_insufficient_data_until_its_first_evaluation():
    """Alarm states: INSUFFICIENT_DATA when the alarm has just started."""
    alarm = Alarm(THREE_OF_THREE, "arn", BEGIN)
    assert alarm.advance(BEGIN + 1, Metrics()) is None
    assert alarm.state.value == "INSUFFICIENT_DATA"


def test_it_is_evaluated_once_a_period_and_only_over_whole_periods():
    """Evaluating an alarm: the period is the length of time of one data point."""
    metrics = Metrics()
    alarm = Alarm(replace(THREE_OF_THREE, evaluation_periods=1, datapoints_to_alarm=1), "arn", BEGIN)
    metrics.put(METRIC, 1, BEGIN + 5)
    assert alarm.advance(BEGIN + 9.9, metrics) is None, "the period had not ended"
    transition = alarm.advance(BEGIN + 11, metrics)
    assert transition is not None
    assert (transition.previous.value, transition.state.value) == ("INSUFFICIENT_DATA", "ALARM")


def test_a_state_set_by_hand_falls_back_at_the_next_evaluation():
    """SetAlarmState: a metric alarm returns to its actual state quickly, often within seconds."""
    alarm = evaluated("00000", THREE_OF_THREE)
    metrics = Metrics()
    metrics.put(METRIC, 0, BEGIN + 26)
    assert alarm.set_state("ALARM", "drill", None, BEGIN + 27) is not None
    assert alarm.advance(BEGIN + 31, metrics) is not None
    assert alarm.state.value == "OK"


def test_setting_the_same_state_is_no_transition():
    """DescribeAlarms: StateTransitionedTimestamp is when the state's value changed last."""
    alarm = evaluated("00000", THREE_OF_THREE)
    since = alarm.state.transitioned
    assert alarm.set_state("OK", "still", None, BEGIN + 40) is None
    assert (alarm.state.reason, alarm.state.transitioned) == ("still", since)


def test_the_reason_carries_the_data_points_as_json_text():
    """Alarm events and EventBridge: state.reasonData."""
    state = evaluated("0XXXX", THREE_OF_THREE).state
    data = json.loads(state.reason_data)
    assert data["recentDatapoints"] == [1, 1, 1]
    assert data["threshold"] == 1
    assert "3 out of the last 3 datapoints" in state.reason
