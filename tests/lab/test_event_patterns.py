"""Event patterns (EventBridge User Guide, "Comparison operators for use in event patterns")."""

import json

import pytest

from lab.event_patterns import PatternError, matches, read

EVENT = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "resources": ["arn:one", "arn:two"],
    "detail": {"alarmName": "checkout-throttles", "state": {"value": "ALARM"}, "count": 3, "muted": False},
}


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ({"source": ["aws.cloudwatch"]}, True),
        ({"source": ["aws.ecs"]}, False),
        ({"source": ["aws.ecs", "aws.cloudwatch"]}, True),
        ({"source": ["aws.cloudwatch"], "detail-type": ["other"]}, False),
        ({"detail": {"state": {"value": ["OK", "ALARM"]}}}, True),
        ({"detail": {"state": {"value": ["INSUFFICIENT_DATA"]}}}, False),
        ({"detail": {"none": ["x"]}}, False),
        ({"detail": {"alarmName": {"value": ["x"]}}}, False),
        ({"detail": {"count": [3]}}, True),
        ({"detail": {"count": ["3"]}}, False),
        ({"detail": {"muted": [False]}}, True),
        ({"detail": {"muted": [0]}}, False),
        ({"resources": ["arn:two"]}, True),
        ({"detail": {"alarmName": [{"prefix": "checkout-"}]}}, True),
        ({"detail": {"alarmName": [{"prefix": "search-"}]}}, False),
        ({"detail": {"count": [{"prefix": "3"}]}}, False),
        ({"detail": {"state": {"value": [{"anything-but": "OK"}]}}}, True),
        ({"detail": {"state": {"value": [{"anything-but": ["OK", "ALARM"]}]}}}, False),
        ({"detail": {"alarmName": [{"anything-but": {"prefix": "checkout-"}}]}}, False),
        ({"detail": {"none": [{"anything-but": "x"}]}}, False),
        ({"detail": {"none": [{"exists": False}]}}, True),
        ({"detail": {"alarmName": [{"exists": True}]}}, True),
    ],
    ids=json.dumps,
)
def test_a_field_matches_one_of_its_choices_and_all_fields_must(pattern, matched):
    """Exact values with their JSON type, ``prefix``, ``anything-but`` (which needs the field), ``exists``; of a list in
    the event one entry is enough."""
    assert matches(read(json.dumps(pattern)), EVENT) is matched


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "at least one field"),
        ('{"source": "aws.ecs"}', "source must be a list of values"),
        ('{"source": []}', "source must be a list of values"),
        ('{"source": [{"cidr": "10.0.0.0/8"}]}', "the lab knows prefix, anything-but, exists"),
        ('{"source": [["aws.ecs"]]}', "has a list within its list"),
    ],
)
def test_what_is_no_pattern_is_a_sentence(text, sentence):
    """PutRule refuses it with InvalidEventPatternException."""
    with pytest.raises(PatternError, match=sentence):
        read(text)
