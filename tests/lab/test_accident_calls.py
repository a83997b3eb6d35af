"""Accidents by name: described out of their signatures, and checked before they happen. The lab's own, not AWS's."""

import inspect

import pytest

from lab.accident_calls import described, perform
from lab.accidents import ACCIDENTS, AccidentError
from lab.director import Director
from lab.scenario import parse


def parameters(name):
    (found,) = [each for each in described() if each["name"] == name]
    return {each["name"]: each for each in found["parameters"]}


def test_every_accident_is_described_with_what_it_does():
    shown = described()
    assert [each["name"] for each in shown] == list(ACCIDENTS)
    assert all(each["title"] and each["meaning"].endswith(".") for each in shown)
    assert not any("`" in each["meaning"] for each in shown)


def test_parameters_are_those_of_the_signature():
    for name, happen in ACCIDENTS.items():
        known = set(inspect.signature(happen).parameters) - {"world", "slug", "now", "_now"}
        assert set(parameters(name)) == known
    weights = parameters("set_weights")
    assert weights["lambda_"]["label"] == "lambda"
    assert (weights["lambda_"]["kind"], weights["lambda_"]["required"]) == ("number", True)
    assert (weights["third"]["required"], weights["third"]["may_be_none"]) == (False, True)
    assert parameters("deploy")["broken"]["choices"] == ("", "exits", "unhealthy")
    assert parameters("set_alarm_actions")["enabled"]["kind"] == "flag"


def test_an_accident_happens_by_name(virtual):
    perform(virtual.world, "checkout", virtual.now, "set_weights", {"lambda_": 3, "ecs": 1})
    actions = virtual.world.applications["checkout"].listener.default.actions
    assert [each["Weight"] for each in actions[0]["ForwardConfig"]["TargetGroups"]] == [3, 1]


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("explode", {}, "There is no accident 'explode'; there are set_weights, deploy"),
        ("set_weights", {"lambda_": 1}, "set_weights needs ecs: a whole number."),
        ("set_weights", {"lambda_": "1", "ecs": 0}, "takes a whole number for lambda_, not '1'"),
        ("set_weights", {"lambda_": True, "ecs": 0}, "takes a whole number for lambda_, not True"),
        ("set_weights", {"lambda": 1, "ecs": 0}, "set_weights takes no 'lambda'; it takes lambda_, ecs, third, path."),
        ("deploy", {"broken": "badly"}, "takes one of '', 'exits', 'unhealthy' for broken, not 'badly'"),
        ("set_reserved_concurrency", {"reserved": 1.5}, "a whole number or null for reserved, not 1.5"),
        ("kill_task", {}, "No task of checkout runs"),
        ("remove_bounds", {"now": 0}, "remove_bounds takes no 'now'; it takes nothing."),
    ],
)
def test_what_cannot_happen_is_a_sentence(virtual, name, given, sentence):
    with pytest.raises(AccidentError) as refused:
        perform(virtual.world, "checkout", virtual.now, name, given)
    assert sentence in str(refused.value)


def test_a_scenario_whose_accident_cannot_happen_ends_and_says_so(virtual):
    text = 'title = "A"\nstory = "B"\n[[steps]]\ndo = "kill_task"\n[end]\n'
    director = Director(parse(text, "the test's"), virtual.cloud, lambda _slug, _load: None, virtual.now)
    director.advance(virtual.now)
    assert director.ended
    assert director.missed == "kill_task to be possible"
    assert director.told[-1].detail.startswith("kill_task cannot happen: No task of checkout runs")
