"""IAM's decisions.

IAM User Guide, "Policy evaluation logic" (an explicit deny goes before an allow, and what nothing allows is denied) and
"IAM JSON policy elements: Action, Resource, Condition operators" (wildcards, StringEquals, ArnEquals).
"""

import pytest

from lab.policy import Statement, judge

SERVICE = "arn:aws:ecs:eu-west-1:111111111111:service/apis/checkout"
CLUSTER = "arn:aws:ecs:eu-west-1:111111111111:cluster/apis"


def verdict(*statements, action="ecs:UpdateService", resource=SERVICE, **context):
    return judge(statements, action, resource, {"ecs:cluster": CLUSTER} | context)


def allow(actions=("ecs:*",), resources=("*",), **conditions):
    return Statement(actions, resources, "Allow", conditions)


def test_what_nothing_allows_is_not_allowed():
    assert verdict() == "not allowed"
    assert verdict(allow(actions=("ecs:DescribeServices",))) == "not allowed"


def test_an_explicit_deny_goes_before_an_allow_wherever_it_stands():
    deny = Statement(("ecs:UpdateService",), ("*",), "Deny")
    assert verdict(allow(), deny) == verdict(deny, allow()) == "denied"
    assert verdict(allow(), deny, action="ecs:ListTasks") == "allowed"


@pytest.mark.parametrize("action", ["ecs:UpdateService", "ecs:update*", "ecs:*", "*", "ecs:UpdateServic?"])
def test_actions_match_with_wildcards_whatever_the_case(action):
    assert verdict(allow(actions=(action,))) == "allowed"


@pytest.mark.parametrize(
    "resource", ["*", SERVICE, SERVICE.replace("checkout", "*"), "arn:aws:ecs:*:*:service/apis/?heckout"]
)
def test_resources_match_with_wildcards(resource):
    assert verdict(allow(resources=(resource,))) == "allowed"


@pytest.mark.parametrize("resource", [SERVICE.upper(), SERVICE + "x", SERVICE.replace("1111", "2222")])
def test_another_resource_is_another_resource(resource):
    assert verdict(allow(resources=(resource,))) == "not allowed"


def test_a_dot_in_a_pattern_is_a_dot():
    assert verdict(allow(resources=("a.c",)), resource="abc") == "not allowed"


def test_a_condition_must_hold_and_one_of_its_values_is_enough():
    assert verdict(allow(StringEquals={"ecs:cluster": ("other", CLUSTER)})) == "allowed"
    assert verdict(allow(StringEquals={"ecs:cluster": ("other",)})) == "not allowed"


def test_a_condition_on_what_the_request_does_not_have_does_not_hold():
    assert verdict(allow(StringEquals={"sts:ExternalId": ("us",)})) == "not allowed"


def test_all_conditions_must_hold():
    both = {"StringEquals": {"sts:ExternalId": ("us",)}, "ArnEquals": {"ecs:cluster": (CLUSTER,)}}
    assert verdict(allow(**both), **{"sts:ExternalId": "us"}) == "allowed"
    assert verdict(allow(**both), **{"sts:ExternalId": "them"}) == "not allowed"


def test_arn_equals_takes_wildcards_within_a_part_and_string_equals_takes_none():
    any_account = "arn:aws:ecs:eu-west-1:*:cluster/apis"
    assert verdict(allow(ArnEquals={"ecs:cluster": (any_account,)})) == "allowed"
    assert verdict(allow(StringEquals={"ecs:cluster": (any_account,)})) == "not allowed"
    assert verdict(allow(ArnEquals={"ecs:cluster": ("arn:*:cluster/apis",)})) == "not allowed"
