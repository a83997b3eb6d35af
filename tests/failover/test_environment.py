"""The same application from TOML text, a file, a parameter, or a handful of variables."""

import tomllib

import pytest

from failover import environment
from failover.config import ConfigError, parse
from failover.ports import AwsError
from tests.failover.test_config import GOOD

ELB = "arn:aws:elasticloadbalancing:sa-east-1:111122223333"
FEW = {
    "ECS_CLUSTER": "apis",
    "ECS_SERVICE": "checkout",
    "LISTENER_ARN": f"{ELB}:listener/app/checkout/50dc/f2f7",
    "LAMBDA_TARGET_GROUP_ARN": f"{ELB}:targetgroup/checkout-lambda/73e2",
    "ECS_TARGET_GROUP_ARN": f"{ELB}:targetgroup/checkout-ecs/8a1b",
    "LAMBDA_FUNCTION_NAME": "Checkout_API",
    "ALARM_NAMES": "concurrency, throttles",
    "PATH": "/usr/bin",
}


def no_parameter(name: str) -> str:
    raise AssertionError(f"no parameter is needed, and {name} was read")


def read(**variables: str):
    return environment.application(variables, no_parameter)


def problems(**variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(**variables)
    return caught.value.problems


def test_text_path_and_parameter_give_the_same_application(tmp_path):
    expected = parse(tomllib.loads(GOOD), "checkout.toml")
    path = tmp_path / "checkout.toml"
    path.write_text(GOOD)
    assert read(FAILOVER_CONFIG=GOOD) == expected
    assert read(FAILOVER_CONFIG=str(path)) == expected
    named = {"ssm:/apis/checkout": GOOD}
    found = environment.application({"FAILOVER_CONFIG": "ssm:/apis/checkout"}, lambda name: named[f"ssm:{name}"])
    assert found == expected


def test_the_few_variables_are_enough_and_policy_keys_are_taken_in_capitals():
    found = read(**FEW, FAILOVER_COUNT="4", SHIFT_STEPS="10, 100", DEMAND_HEADROOM="0.5", ON_INCONCLUSIVE="continue")
    assert (found.slug, found.region, found.alarms) == ("checkout-api", "sa-east-1", ("concurrency", "throttles"))
    assert (found.policy.failover_count, found.policy.min_healthy) == (4, 4)
    assert found.policy.shift_steps == (10, 100)
    assert (found.policy.demand_headroom, found.policy.on_inconclusive) == (0.5, "continue")


def test_a_rule_and_a_lease_table_are_taken():
    few = {name: value for name, value in FEW.items() if name != "LISTENER_ARN"}
    found = read(**few, RULE_ARN=f"{ELB}:listener-rule/app/checkout/50dc/f2f7/9683", LEASE_TABLE="leases")
    assert found.routes[0].is_rule
    assert found.lease_table == "leases"


@pytest.mark.parametrize("name", sorted(set(FEW) - {"PATH", "LISTENER_ARN"}))
def test_a_missing_variable_is_named(name):
    assert any(name in problem for problem in problems(**{**FEW, name: ""}))


@pytest.mark.parametrize("change", [{"LISTENER_ARN": ""}, {"RULE_ARN": "arn:x"}])
def test_exactly_one_route_is_given(change):
    assert problems(**{**FEW, **change}) == ["environment: give exactly one of LISTENER_ARN and RULE_ARN."]


def test_a_value_that_can_not_be_is_named_with_what_is_allowed():
    assert "policy.failover_count must be a whole number" in problems(**FEW, FAILOVER_COUNT="many")[0]


@pytest.mark.parametrize("text", ["[application\n", "[a]\nb = " + "9" * 5000, "[a]\nb = " + "[" * 5000])
def test_text_that_is_no_toml_is_named(text):
    assert "FAILOVER_CONFIG is not valid TOML" in problems(FAILOVER_CONFIG=text)[0]


def test_a_parameter_that_is_no_toml_is_named():
    with pytest.raises(ConfigError, match="ssm:x is not valid TOML"):
        environment.application({"FAILOVER_CONFIG": "ssm:x"}, lambda _: "[" * 5000)


@pytest.mark.parametrize("path", ["a\0b", ".", "x" * 5000])
def test_a_path_that_is_no_file_is_named(path):
    assert path[:1] in problems(FAILOVER_CONFIG=path)[0]


@pytest.mark.parametrize("number", ["9" * 5000, "nan", "inf", "1e999", "0x2", "[]"])
def test_a_number_that_is_none_is_named(number):
    assert "policy.failover_count must be" in problems(**FEW, FAILOVER_COUNT=number)[0]


def test_a_parameter_that_can_not_be_read_says_so():
    def denied(name: str) -> str:
        raise AwsError("denied", f"ssm:GetParameter on {name}")

    with pytest.raises(AwsError, match="ssm:GetParameter"):
        environment.application({"FAILOVER_CONFIG": "ssm:x"}, denied)
