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
        ("[applications.a.task]\ntags = { version = '1,4' }", "applications.a.task.tags.version: '1,4'"),
        ("[applications.a.function]\ntags = { 'AWS:version' = '1' }", "applications.a.function.tags: 'AWS:version'"),
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


ALARM = "[[applications.{}.alarms]]\nname = 'x'\nmetric = 'Throttles'\nstatistic = 'Sum'\nthreshold = 1\n"
TABLE = "[[tables]]\nname = 'leases'\nkey = 'application'\n"
EVENTS = "[[event_rules]]\nname = 'x'\npattern = '{\"source\": [\"aws.ecs\"]}'\n"
RULE = "[[applications.a.rules]]\npriority = {}\npath = '{}'\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[applications.a.weights]\nlambda = 0",
            "applications.a.weights.lambda: 0 beside ecs = 0 leaves requests nowhere",
        ),
        (
            RULE.format(1, "/a") + "weights = { lambda = 0, ecs = 0 }",
            "applications.a.rules[0].weights.lambda: 0 beside",
        ),
        (
            "[applications.a.weights]\necs = 1000",
            "applications.a.weights.ecs: 1000 is not allowed; allowed are 0 to 999",
        ),
        (
            "[applications.'../x']",
            "applications: '../x' is not allowed; allowed are letters, digits and hyphens inside",
        ),
        ("[applications.'a/b']", "applications: 'a/b' is not allowed"),
        ("[applications.'']", "applications: '' is not allowed"),
        (f"[applications.{'a' * 26}]", "25 at the most"),
        ("[applications.a.third_group]\nname = '../x'", "applications.a.third_group.name: '../x' is not allowed"),
        ("[applications.a.third_group]\nname = 'ecs'", "applications.a.third_group.name: 'ecs' is the name of a pool"),
        ("[applications.a]\n[applications.a]", "not valid TOML: Cannot declare ('applications', 'a') twice"),
        (TABLE * 2 + "[applications.a]", "tables[1].name: 'leases' is there twice"),
        (EVENTS * 2 + "[applications.a]", "event_rules[1].name: 'x' is there twice"),
        (ALARM.format("a") + ALARM.format("b"), "applications.b.alarms[0].name: 'x' is there twice"),
        (RULE.format(1, "/a") + RULE.format(1, "/b"), "applications.a.rules[1].priority: 1 is there twice"),
        (RULE.format(1, "/a") + RULE.format(2, "/a"), "applications.a.rules[1].path: '/a' is there twice"),
        (RULE.format(0, "/a"), "applications.a.rules[0].priority: 0 is not allowed; allowed are 1 to 50000"),
        (
            "[applications.a.function]\ntimeout_seconds = 0",
            "applications.a.function.timeout_seconds: 0.0 is not allowed",
        ),
        ("[applications.a.function]\nhealthy_threshold = 0", "applications.a.function.healthy_threshold: 0 is not"),
        ("[applications.a.task]\nhealth_check_interval_seconds = 0", "task.health_check_interval_seconds: 0.0 is not"),
        ("[applications.a.task]\ndesired_count = 100000", "applications.a.task.desired_count: 100000 is not allowed"),
        (f"[applications.a.task]\ndesired_count = {'9' * 5000}", "not valid TOML: Exceeds the limit"),
        ("[applications.a.task]\nhealth_check_path = 'x'", "applications.a.task.health_check_path: 'x' is not allowed"),
        ("[applications.a.task.environment]\n'A=B' = 'x'", "applications.a.task.environment: 'A=B' is not allowed"),
        ('[applications.a.task.environment]\nA = "\\u0000"', "applications.a.task.environment.A: a value has no NUL"),
        ("[applications.a.scalable_target]\nmin = 3\nmax = 2", "applications.a.scalable_target.min: 3 is not allowed"),
        (ALARM.format("a") + "evaluation_periods = 0", "applications.a.alarms[0].evaluation_periods: 0 is not allowed"),
        (ALARM.format("a") + "period_seconds = 0", "applications.a.alarms[0].period_seconds: 0 is not allowed"),
        (
            "account_concurrency = 9\n[applications.a.function]\nreserved_concurrency = 10",
            "account_concurrency: the functions",
        ),
        ("account = '12'\n[applications.a]", "account: '12' is not allowed; allowed are twelve digits"),
        (
            "[applications.a]\nregion = 'moon'",
            "applications.a.region: 'moon' is not allowed; allowed are regions such as",
        ),
        ("node_delays_seconds = [0, 1e6]\n[applications.a]", "node_delays_seconds: 1e+06 is more than 600"),
    ],
)
def test_what_no_world_can_be_is_named_by_table_and_key(tmp_path, text, sentence):
    path = tmp_path / "world.toml"
    path.write_text(text)
    with pytest.raises(WorldError) as wrong:
        load(path)
    assert str(wrong.value).startswith(f"{path}: ")
    assert sentence in str(wrong.value)


def test_what_two_accounts_have_may_have_the_same_name(tmp_path):
    path = tmp_path / "world.toml"
    elsewhere = "[applications.b]\naccount = '222222222222'\n"
    path.write_text(ALARM.format("a") + elsewhere + ALARM.format("b") + TABLE + TABLE + "account = '222222222222'")
    assert len(load(path).tables) == 2


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
