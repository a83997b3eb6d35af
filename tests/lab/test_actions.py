"""Action lists (Elastic Load Balancing API Reference, Action and ForwardActionConfig)."""

import pytest

from lab.actions import accept, shown
from lab.errors import AwsError

GROUPS = {f"group-{n}" for n in range(6)}


def forward(*weights, **more):
    groups = [{"TargetGroupArn": f"group-{n}", "Weight": weight} for n, weight in enumerate(weights)]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}, **more}


def oidc(**config):
    return {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"ClientId": "panel", **config}}


def code(actions, previous=()):
    with pytest.raises(AwsError) as refused:
        accept(actions, list(previous), GROUPS)
    return refused.value.code


@pytest.mark.parametrize("weight", [-1, 1000])
def test_a_weight_outside_of_0_to_999_is_refused(weight):
    assert code([forward(weight, 1)]) == "ValidationError"


def test_999_and_0_are_weights():
    config = accept([forward(999, 0)], [], GROUPS)[0]["ForwardConfig"]
    assert [group["Weight"] for group in config["TargetGroups"]] == [999, 0]


def test_six_groups_are_refused():
    assert code([forward(1, 1, 1, 1, 1, 1)]) == "TooManyTargetGroups"


def test_an_unknown_group_is_refused():
    assert code([{"Type": "forward", "TargetGroupArn": "elsewhere"}]) == "TargetGroupNotFound"


def test_a_group_beside_a_forward_config_of_two_is_refused():
    assert code([forward(1, 1, TargetGroupArn="group-0")]) == "InvalidLoadBalancerAction"


def test_a_single_group_may_stand_beside_its_forward_config():
    assert accept([forward(1, TargetGroupArn="group-0")], [], GROUPS)


def test_a_single_group_is_shown_both_ways():
    (action,) = accept([{"Type": "forward", "TargetGroupArn": "group-1"}], [], GROUPS)
    assert action["TargetGroupArn"] == "group-1"
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": "group-1", "Weight": 1}]


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_exactly_one_final_action(count):
    assert code([forward(1, Order=n + 1) for n in range(count)]) == "InvalidLoadBalancerAction"


def test_the_final_action_comes_last():
    assert code([oidc(ClientSecret="s"), forward(1, Order=0)]) == "InvalidLoadBalancerAction"


def test_several_actions_need_an_order():
    assert code([oidc(ClientSecret="s"), forward(1)]) == "InvalidLoadBalancerAction"


def test_a_client_secret_is_kept_and_never_shown():
    stored = accept([oidc(ClientSecret="s3cret"), forward(1, Order=2)], [], GROUPS)
    assert "s3cret" not in str(shown(stored))
    again = accept([oidc(UseExistingClientSecret=True), forward(0, 1, Order=2)], stored, GROUPS)
    assert again[0]["AuthenticateOidcConfig"]["ClientSecret"] == "s3cret"


def test_writing_back_what_was_shown_is_refused_for_want_of_the_secret():
    stored = accept([oidc(ClientSecret="s3cret"), forward(1, Order=2)], [], GROUPS)
    assert code(shown(stored), stored) == "InvalidLoadBalancerAction"


def test_an_existing_secret_that_does_not_exist_is_refused():
    assert code([oidc(UseExistingClientSecret=True), forward(1, Order=2)]) == "InvalidLoadBalancerAction"
