"""Switches: what can be turned, and what is refused."""

import pytest

from lab.faults import SWITCHES, FaultError, Faults


@pytest.fixture
def faults():
    return Faults()


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_every_switch_turns_on_and_off(faults, switch):
    value = {"flag": True, "number": 0, "names": ["ecs"]}[switch.kind]
    faults.set(switch.name, value)
    assert [each.name for each, _, _ in faults.on()] == [switch.name]
    faults.set(switch.name, None)
    assert list(faults.on()) == []


def test_zero_is_a_number_and_not_off(faults):
    faults.set("fargate_capacity", 0)
    assert faults.number("fargate_capacity", "checkout") == 0


def test_one_application_goes_before_all(faults):
    faults.set("fargate_capacity", 3)
    faults.set("fargate_capacity", 1, "checkout")
    assert (faults.number("fargate_capacity", "checkout"), faults.number("fargate_capacity", "search")) == (1, 3)


@pytest.mark.parametrize(
    ("name", "value", "application", "sentence"),
    [
        ("nonsense", True, "", "no switch 'nonsense'"),
        ("api_throttled", True, "checkout", "takes no application"),
        ("api_latency", -1, "", "a number of seconds, 0 or more, not -1"),
        ("events_duplicated", float("inf"), "", "0 or more, not inf"),
        ("api_latency", True, "", "a number of seconds"),
        ("api_throttled", 1, "", "takes true or false"),
        ("api_outage", "ecs", "", "takes a list of names"),
    ],
)
def test_what_a_switch_does_not_take_changes_nothing(faults, name, value, application, sentence):
    with pytest.raises(FaultError, match=sentence):
        faults.set(name, value, application)
    assert list(faults.on()) == []
