"""A broken configuration gets a sentence with file, key and what is allowed."""

import tomllib

import pytest

from failover.config import ConfigError, load, parse
from failover.model import Mode, Policy, Route

GOOD = """
[application]
slug = "checkout"
name = "Checkout API"
region = "sa-east-1"
alarms = ["checkout-lambda-concurrency"]

[lambda]
function_name = "checkout"
target_group_arn = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup/checkout-lambda/73e2"

[ecs]
cluster = "apis"
service = "checkout"
target_group_arn = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:targetgroup/checkout-ecs/8a1b"

[[routes]]
listener_arn = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:listener/app/checkout/50dc/f2f7"

[policy]
failover_count = 4
shift_steps = [10, 100]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(tomllib.loads(text), "checkout.toml")
    return caught.value.problems


def test_a_good_file_is_read_with_its_defaults(tmp_path):
    path = tmp_path / "checkout.toml"
    path.write_text(GOOD)
    application = load(path)
    assert application.mode is Mode.AUTO
    assert application.routes == (
        Route("arn:aws:elasticloadbalancing:sa-east-1:111122223333:listener/app/checkout/50dc/f2f7"),
    )
    assert application.policy == Policy(failover_count=4, min_healthy=4, shift_steps=(10, 100))


@pytest.mark.parametrize(
    ("good", "bad", "key", "allowed"),
    [
        ('region = "sa-east-1"', 'region = "moon"', "application.region", "an AWS region"),
        ('region = "sa-east-1"', "", "application.region", "given"),
        ('slug = "checkout"', 'slug = "Check Out"', "application.slug", "a-z, 0-9 and -"),
        ('alarms = ["checkout-lambda-concurrency"]', "alarms = []", "application.alarms", "at least one alarm name"),
        ("failover_count = 4", 'failover_count = "four"', "policy.failover_count", "a whole number from 1 to 5000"),
        ("failover_count = 4", "failover_count = true", "policy.failover_count", "a whole number"),
        ("failover_count = 4", "min_healthy = 9", "policy.min_healthy", "at most policy.failover_count (2)"),
        ("failover_count = 4", "metric_period_seconds = 7", "policy.metric_period_seconds", "a multiple of 60"),
        ("[10, 100]", "[50, 10]", "policy.shift_steps", "end with 100"),
        ("failover_count = 4", "failovr_count = 4", "policy.failovr_count", "Known are"),
        ("function_name", "function", "lambda.function_name", "given"),
        ("listener_arn", "rule_arn", "routes[1].rule_arn", "a listener rule's ARN"),
        ("targetgroup/checkout-ecs/8a1b", "targetgroup/checkout-lambda/73e2", "ecs.target_group_arn", "another"),
        ("[ecs]", "[esc]", "[ecs]", "a table"),
    ],
)
def test_each_problem_names_file_key_and_what_is_allowed(good, bad, key, allowed):
    assert good in GOOD
    found = [problem for problem in problems(GOOD.replace(good, bad)) if key in problem]
    assert found, problems(GOOD.replace(good, bad))
    assert found[0].startswith("checkout.toml: ")
    assert allowed in found[0]


def test_all_problems_are_told_at_once():
    text = GOOD.replace('region = "sa-east-1"', 'region = "moon"').replace("[10, 100]", "[]")
    assert len(problems(text)) == 2


def test_text_that_is_no_toml_is_named_with_its_place(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[application\nslug = ")
    with pytest.raises(ConfigError, match=r"broken\.toml is not valid TOML.*line 1"):
        load(path)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        load(tmp_path / "nowhere.toml")
