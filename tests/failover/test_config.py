"""A broken configuration gets a sentence with file, key and what is allowed."""

import copy
import tomllib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.config import ConfigError, load, parse
from failover.model import Mode, Policy, Route
from failover.model.drills import Drills

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


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (".", "can't be read: Is a directory"),
        ("a\0b", "'a\\x00b' is no file's path"),
        ("x" * 5000, "can't be read: File name too long"),
    ],
)
def test_a_path_that_is_no_file_is_a_sentence(path, says):
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert says in caught.value.problems[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"slug = '\xff'", "is not UTF-8 text"),
        (b"slug = " + b"9" * 5000, "is not valid TOML: Exceeds the limit"),
        (b"slug = " + b"[" * 5000, "is not valid TOML: it is nested too deep"),
        (b"slug = 2026-13-45", "is not valid TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_a_sentence(tmp_path, content, says):
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.problems[0].startswith(f"{path} {says}")


@pytest.mark.parametrize(
    ("good", "key"),
    [
        ("failover_count = 4", "policy.failover_count"),
        ("failover_count = 4", "policy.step_seconds"),
        ("shift_steps = [10, 100]", "policy.shift_steps"),
        ('slug = "checkout"', "application.slug"),
        ('alarms = ["checkout-lambda-concurrency"]', "application.alarms"),
    ],
)
def test_a_number_of_more_digits_than_python_writes_is_named(good, key):
    name = key.split(".")[1]
    (problem,) = problems(GOOD.replace(good, f"{name} = 0x{'f' * 6000}"))
    assert problem.startswith(f"checkout.toml: {key} must be ")
    assert problem.endswith(", not what can't be shown (int).")


def test_what_stands_there_is_shown_as_far_as_it_is_short():
    (problem,) = problems(GOOD.replace('region = "sa-east-1"', f'region = "{"x" * 9999}"'))
    assert len(problem) < 400


@pytest.mark.parametrize("document", [None, [], "text", 7])
def test_a_document_that_is_no_table_is_a_sentence(document):
    with pytest.raises(ConfigError, match="must be TOML"):
        parse(document, "checkout.toml")


def test_two_routes_of_the_wrong_type_are_named_once_each():
    text = GOOD.replace('listener_arn = "arn', 'listener_arn = 1\n[[routes]]\nlistener_arn = 2 # "arn')
    assert [problem.split(" must ")[0] for problem in problems(text)] == [
        "checkout.toml: routes[1].listener_arn",
        "checkout.toml: routes[2].listener_arn",
    ]


PLACES = [
    (table, key)
    for table, keys in {
        "application": "slug name region role_arn external_id team alarms alarm_rule prewarm_alarms mode probe_url "
        "probe_header lease_table other",
        "lambda": "function_name target_group_arn other",
        "ecs": "cluster service target_group_arn other",
        "policy": " ".join([*vars(Policy()), "other"]),
        "drills": " ".join([*vars(Drills()), "other"]),
    }.items()
    for key in keys.split()
]
TOML = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from([date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_stands_anywhere_is_taken_or_named(data):
    document = copy.deepcopy(tomllib.loads(GOOD))
    for table, key in data.draw(st.lists(st.sampled_from(PLACES), max_size=3)):
        document.setdefault(table, {})[key] = data.draw(TOML)
    if data.draw(st.booleans()):
        document[data.draw(st.sampled_from([*document, "other"]))] = data.draw(TOML)
    for problem in told(document):
        assert problem.startswith("checkout.toml: ")


def told(document: dict) -> list[str]:
    try:
        parse(document, "checkout.toml")
    except ConfigError as error:
        return error.problems
    return []
