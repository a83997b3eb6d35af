"""Calls that create: what they refuse, and what becomes of what they made.

Elastic Load Balancing, ECS, Lambda, CloudWatch and EventBridge API References; the whole of it is tried by
tests/infra, which replays templates.
"""

import pytest

from lab.errors import AwsError
from tests.lab.wire.calls import inputs, prepare

CREATING = (
    ("elbv2", "CreateLoadBalancer"),
    ("elbv2", "CreateTargetGroup"),
    ("elbv2", "CreateListener"),
    ("elbv2", "CreateRule"),
    ("ecs", "CreateCluster"),
    ("ecs", "RegisterTaskDefinition"),
    ("ecs", "CreateService"),
    ("cloudwatch", "PutMetricAlarm"),
    ("lambda", "CreateFunction"),
    ("lambda", "AddPermission"),
    ("events", "CreateConnection"),
    ("events", "CreateApiDestination"),
    ("events", "PutRule"),
    ("events", "PutTargets"),
    ("dynamodb", "CreateTable"),
)


@pytest.fixture
def virtual(virtual):
    """With a task, which one of the examples is about."""
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=1)
    virtual.run(10)
    return virtual


@pytest.mark.parametrize("call", CREATING)
def test_a_member_that_it_does_not_read_is_refused_by_name(virtual, call):
    prepare(virtual, call)
    with pytest.raises(AwsError, match="does not read Forgotten"):
        virtual.call(*call, **inputs(virtual)[call], Forgotten="x")


def test_a_member_deep_within_is_named_with_its_way(virtual):
    call = "ecs", "RegisterTaskDefinition"
    given = inputs(virtual)[call]
    given["containerDefinitions"][0]["secrets"] = []
    with pytest.raises(AwsError, match=r"containerDefinitions\[\].secrets"):
        virtual.call(*call, **given)


@pytest.mark.parametrize(
    "call",
    [
        ("elbv2", "CreateLoadBalancer"),
        ("elbv2", "CreateTargetGroup"),
        ("elbv2", "CreateListener"),
        ("elbv2", "CreateRule"),
        ("ecs", "CreateService"),
        ("lambda", "CreateFunction"),
        ("events", "CreateConnection"),
        ("dynamodb", "CreateTable"),
    ],
)
def test_what_is_there_already_is_not_created_again(virtual, call):
    prepare(virtual, call)
    given = inputs(virtual)[call]
    virtual.call(*call, **given)
    with pytest.raises(AwsError):
        virtual.call(*call, **given)


def test_an_alarm_that_is_put_again_is_replaced_and_keeps_its_state(virtual):
    virtual.run(30)
    given = inputs(virtual)["cloudwatch", "PutMetricAlarm"] | {"AlarmName": "checkout-lambda-throttles", "Threshold": 7}
    before = virtual.world.alarm("checkout-lambda-throttles").state
    virtual.call("cloudwatch", "PutMetricAlarm", **given)
    alarm = virtual.world.alarm("checkout-lambda-throttles")
    assert (alarm.settings.threshold, alarm.state) == (7.0, before)


def test_a_function_takes_part_only_where_the_load_balancer_may_invoke_it(virtual):
    group = virtual.world.applications["checkout"].lambda_group.arn
    function = virtual.world.applications["checkout"].function.settings.arn
    with pytest.raises(AwsError, match="does not have permission to invoke"):
        virtual.call("elbv2", "RegisterTargets", TargetGroupArn=group, Targets=[{"Id": function}])


def test_a_service_that_was_created_runs_its_tasks(virtual):
    virtual.call("ecs", "CreateService", **inputs(virtual)["ecs", "CreateService"] | {"desiredCount": 2})
    virtual.run(30)
    (found,) = virtual.call("ecs", "DescribeServices", cluster="apis", services=["second"])["services"]
    assert found["runningCount"] == 2


def test_tags_are_shown_to_who_may_list_them(virtual):
    virtual.faults.set("api_denied", ["lambda:ListTags"])
    answer = virtual.call("lambda", "GetFunction", FunctionName="checkout")
    assert answer["Tags"] is None
    assert "lambda:ListTags" in answer["TagsError"]["Message"]
