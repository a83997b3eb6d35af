"""Alarm rules (CloudWatch API Reference, PutCompositeAlarm, AlarmRule)."""

import pytest

from lab.alarm_rules import AlarmRuleError, parse

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "with space": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ('ALARM("a")', True),
        ("ALARM('a')", True),
        ("ALARM(a)", True),
        ('ALARM("with space")', True),
        ("OK(a)", False),
        ("INSUFFICIENT_DATA(c)", True),
        ("ALARM(a) AND OK(b)", True),
        ("ALARM(b) OR OK(a)", False),
        ("NOT ALARM(a)", False),
        ("NOT (ALARM(b) OR OK(a))", True),
        ("TRUE", True),
        ("FALSE OR TRUE", True),
        ("( (ALARM( a )) )", True),
    ],
)
def test_a_rule_asks_for_states_and_combines_them(rule, holds):
    """AlarmRule: ALARM, OK and INSUFFICIENT_DATA of an alarm's name or ARN, AND, OR, NOT, TRUE, FALSE, brackets."""
    assert parse(rule).holds(STATES.__getitem__) is holds


def test_and_binds_tighter_than_or():
    """AlarmRule: "AND" is evaluated before "OR" where no brackets say otherwise."""
    assert parse("TRUE OR TRUE AND FALSE").holds(STATES.__getitem__)
    assert not parse("(TRUE OR TRUE) AND FALSE").holds(STATES.__getitem__)


def test_not_binds_to_what_follows_it():
    """AlarmRule: NOT negates one function, constant or bracket."""
    assert parse("NOT FALSE AND TRUE").holds(STATES.__getitem__)


def test_a_rule_names_the_alarms_that_it_asks_for_once_each():
    """An ARN stands where a name can."""
    arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:b"
    assert parse(f'ALARM(a) OR OK(a) OR ALARM("{arn}")').names == ("a", arn)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("ALARM(a", "cannot be read from 'ALARM"),
        ("ALARM(a) ALARM(b)", "where AND or OR must stand"),
        ("(ALARM(a)", "bracket that is not closed"),
        ("ALARM(a) AND", "has its end where one of"),
        ("", "has its end where one of"),
        ("AND ALARM(a)", "has AND where one of"),
    ],
)
def test_what_is_no_rule_is_a_sentence(rule, sentence):
    """PutCompositeAlarm refuses it with a ValidationError."""
    with pytest.raises(AlarmRuleError, match=sentence.replace("(", r"\(")):
        parse(rule)
