"""The table of permissions, and the policies that are made of it."""

from dataclasses import replace

import pytest

from failover import permissions
from failover.config import parse
from failover.permissions import Access

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
RULE, LISTENER = f"{ELB}:listener-rule/app/x/1/2/3", f"{ELB}:listener/app/x/1/2"


def application(*routes: dict, **top):
    document = {
        "application": {"slug": "checkout", "region": "eu-west-1", "alarms": ["throttles"], **top},
        "lambda": {"function_name": "checkout", "target_group_arn": f"{ELB}:targetgroup/checkout-lambda/1"},
        "ecs": {"cluster": "apis", "service": "checkout", "target_group_arn": f"{ELB}:targetgroup/checkout-ecs/2"},
        "routes": list(routes) or [{"rule_arn": RULE}],
    }
    return parse(document, "checkout.toml")


def granted(policy: dict) -> dict[str, dict]:
    """Statement by action."""
    return {action: statement for statement in policy["Statement"] for action in statement["Action"]}


def test_no_action_is_a_wildcard_and_each_wildcard_resource_has_its_reason():
    for each in permissions.permissions():
        assert "*" not in each.action
        assert bool(each.narrowest) == (each.resource == "*"), each.action
        assert each.why


def test_what_only_reads_may_change_nothing():
    actions = permissions.needed(application(), Access.OBSERVE)
    assert not [each for each in actions if not each.split(":")[1].startswith(("Describe", "Get", "List"))]


def test_a_policy_names_the_applications_own_resources():
    policy = granted(permissions.policy_for(application()))
    assert policy["ecs:UpdateService"]["Resource"] == "arn:aws:ecs:eu-west-1:123456789012:service/apis/checkout"
    assert policy["ecs:ListTasks"]["Condition"] == {
        "ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/apis"}
    }
    assert policy["elasticloadbalancing:ModifyRule"]["Resource"] == RULE


def test_a_rule_needs_no_permission_on_its_listener():
    assert "elasticloadbalancing:ModifyListener" not in permissions.needed(application({"rule_arn": RULE}))
    both = granted(permissions.policy_for(application({"rule_arn": RULE}, {"listener_arn": LISTENER})))
    assert both["elasticloadbalancing:ModifyListener"]["Resource"] == LISTENER
    assert both["elasticloadbalancing:ModifyRule"]["Resource"] == RULE


def test_several_rules_are_several_resources():
    policy = granted(permissions.policy_for(application({"rule_arn": RULE}, {"rule_arn": f"{RULE}4"})))
    assert policy["elasticloadbalancing:ModifyRule"]["Resource"] == [RULE, f"{RULE}4"]


@pytest.mark.parametrize(
    ("action", "without", "having"),
    [
        ("dynamodb:PutItem", {}, {"lease_table": "leases"}),
        ("dynamodb:GetItem", {}, {"lease_table": "leases"}),
    ],
)
def test_what_an_application_does_not_have_is_not_granted(action, without, having):
    assert action not in permissions.needed(application(**without))
    assert action in permissions.needed(application(**having))


def test_the_lease_of_another_application_is_out_of_reach():
    policy = granted(permissions.policy_for(application(lease_table="leases")))
    assert policy["dynamodb:PutItem"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "checkout"}
    }


def test_without_a_scalable_target_none_may_be_registered():
    action = "application-autoscaling:RegisterScalableTarget"
    assert action in permissions.needed(application())
    assert action not in permissions.needed(application(), scalable_target=False)


def test_a_role_is_assumed_with_its_external_id():
    role = "arn:aws:iam::999999999999:role/failover"
    assert permissions.caller_policy(application()) is None
    caller = granted(permissions.caller_policy(application(role_arn=role)))
    assert caller["sts:AssumeRole"]["Resource"] == role
    trust = permissions.trust_policy("arn:aws:iam::123456789012:role/panel", "team-web")["Statement"][0]
    assert trust["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/panel"}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "team-web"}}


def test_names_may_be_arns():
    named = application()
    by_arn = replace(
        named,
        cluster="arn:aws:ecs:eu-west-1:123456789012:cluster/apis",
        service="arn:aws:ecs:eu-west-1:123456789012:service/apis/checkout",
        function_name="arn:aws:lambda:eu-west-1:123456789012:function:checkout",
    )
    assert permissions.policy_for(by_arn) == permissions.policy_for(named)


def test_choosing_what_there_is_needs_no_application():
    policy = permissions.listing_policy()
    assert {statement["Resource"] for statement in policy["Statement"]} == {"*"}
    assert {"ecs:ListServices", "cloudwatch:DescribeAlarms"} <= set(granted(policy))
