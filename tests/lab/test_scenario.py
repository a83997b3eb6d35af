"""Scenario files: those that are shipped can be read, and an error names file, key and what is allowed."""

import pytest

from lab.scenario import NAMES, ScenarioError, parse, shipped

HEAD = 'title = "A title"\nstory = "A story."\n'


def test_the_shipped_scenarios_are_these():
    assert set(NAMES) == {
        "api-outage",
        "api-throttling",
        "both-broken",
        "deployment",
        "dies-on-traffic",
        "events",
        "flapping",
        "foreign-change",
        "lambda-broken",
        "lost-answer",
        "never-healthy",
        "no-capacity",
        "surge",
        "surge-that-never-ends",
    }


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_read_and_says_how_it_ends(name):
    scenario = shipped(name)
    assert scenario.story.strip().endswith(".")
    assert scenario.end.position
    assert any(step.load for step in scenario.steps)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "steps: this key is missing"),
        ("[[steps]]\n", "end: this key is missing"),
        ('[[steps]]\nwhen = "never"\n[end]', r"steps\[0\].when: 'never' is not allowed; allowed are alarm to retired"),
        ('[[steps]]\ndo = "panic"\n[end]', r"steps\[0\].do: 'panic' is not allowed"),
        ('[[steps]]\nswitch = "off"\n[end]', r"steps\[0\].switch: There is no switch 'off'"),
        ('[[steps]]\nswitch = "api_latency"\nvalue = "x"\n[end]', r"api_latency takes a number of seconds"),
        ("[[steps]]\nload = { rate = 5, slow_percent = 101 }\n[end]", r"slow_percent: 101 is more than 100"),
        ("[[steps]]\nload = { rate = 1001 }\n[end]", r"steps\[0\].load.rate: 1001 is more than 1000 requests a second"),
        (f"[[steps]]\nload = {{ rate = 1{'0' * 400} }}\n[end]", r"steps\[0\].load.rate: the number is too large"),
        (f"[[steps]]\nvalue = {'[' * 5000}\n[end]", "nested too deeply"),
        ('[[steps]]\n[end]\nmay_lose = ["all"]', "may_lose: 'all' is not allowed; allowed are lambda, ecs, none"),
        ("[[steps]", "not valid TOML"),
    ],
)
def test_an_error_names_key_and_what_is_allowed(text, sentence):
    with pytest.raises(ScenarioError, match=f"^mine.toml: .*{sentence}"):
        parse(HEAD + text, "mine.toml")


def test_a_scenario_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(ScenarioError, match="There is no scenario 'doom'; there are: api-outage, "):
        shipped("doom")
