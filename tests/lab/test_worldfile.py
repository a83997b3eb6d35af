"""World files: what is read, and what is said about a wrong one."""

from pathlib import Path

import pytest

import lab
from lab.worldfile import WorldError, load

INACTIVE = "[applications.a.task]\nstatus = 'INACTIVE'\n[applications.a.scalable_target]\nmin = 0\nmax = 1"
DEMO = Path(lab.__file__).parent / "worlds" / "demo.toml"


def test_the_demonstrations_world_has_three_applications_with_two_alarms_each():
    world = load(DEMO)
    assert list(world.applications) == ["checkout", "search", "payments"]
    for slug, application in world.applications.items():
        names = [alarm.name for alarm in application.alarms]
        assert names == [f"{slug}-lambda-concurrency", f"{slug}-lambda-throttles"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("regoin = 'eu-west-1'", "regoin: unknown key; allowed are applications, region"),
        ("region = 4\n[applications.a]", "region: 4 is not a text"),
        ("[applications]", "applications: at least one"),
        ("", "applications: this key is missing"),
        ("[applications.a.function]\nreserved_concurrency = '3'", "applications.a.function.reserved_concurrency: '3'"),
        ("[applications.a.function]\nreserved_concurrency = -3", "-3 is negative or without end"),
        ("[applications.a.function]\nmulti_value_headers = 1", "1 is not true or false"),
        ("[applications.a.task]\nhealthy_threshold = true", "True is not a whole number"),
        ("[[applications.a.alarms]]\nname = 'x'", "applications.a.alarms[0].metric: this key is missing"),
        ("[applications.a]\nname = ", "not valid TOML"),
        ("[applications.a.task]\nslow_start_seconds = 10", "slow_start_seconds: 10 is not allowed"),
        ("[applications.a.task]\nstatus = 'GONE'", "allowed are ACTIVE, INACTIVE"),
        (INACTIVE, "scalable_target: a service that is INACTIVE has none"),
        ("[[event_rules]]\nname = 'x'\npattern = '{}'\n[applications.a]", "event_rules[0].pattern: the pattern must"),
        (
            "[[applications.a.composite_alarms]]\nname = 'x'\nrule = 'ALARM('",
            "composite_alarms[0].rule: The alarm rule",
        ),
        ("[[applications.a.composite_alarms]]\nname = 'x'\nrule = 'ALARM(y)'", "x asks for an alarm 'y'"),
    ],
)
def test_an_error_names_file_key_and_what_is_allowed(tmp_path, text, sentence):
    path = tmp_path / "world.toml"
    path.write_text(text)
    with pytest.raises(WorldError) as wrong:
        load(path)
    assert str(wrong.value).startswith(f"{path}: ")
    assert sentence in str(wrong.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("metric", "'Throttle'"),
        ("statistic", "'Median'"),
        ("comparison", "'>='"),
        ("missing_data", "'good'"),
        ("datapoints_to_alarm", "4"),
        ("period_seconds", "7"),
    ],
)
def test_an_alarms_settings_are_those_of_cloudwatch(tmp_path, key, value):
    settings = {"name": "'x'", "metric": "'Throttles'", "statistic": "'Sum'", "threshold": "1", key: value}
    path = tmp_path / "world.toml"
    path.write_text("[[applications.a.alarms]]\n" + "\n".join(f"{k} = {v}" for k, v in settings.items()))
    with pytest.raises(WorldError, match=rf"alarms\[0\]\.{key}: .* is not allowed; allowed are"):
        load(path)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(WorldError, match=r"cannot be read: No such file"):
        load(tmp_path / "none.toml")
