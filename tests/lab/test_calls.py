"""Switches for the API in virtual time: what a caller hears, and what happened all the same.

What a client cannot know is AWS's own advice: Amazon Builders' Library, "Timeouts, retries, and backoff with jitter".
"""

import pytest

from lab import api
from lab.calls import NoAnswerError
from lab.errors import AwsError
from lab.permissions import PERMISSIONS
from lab.virtual import VirtualLab
from lab.worldfile import load

SCALE = {"cluster": "apis", "service": "checkout", "desiredCount": 2}


def desired(virtual):
    return virtual.world.applications["checkout"].service.desired


def refused(virtual, service, operation, /, **given):
    with pytest.raises(AwsError) as error:
        virtual.call(service, operation, **given)
    return error.value.code, error.value.status


def test_every_operation_has_a_permission_and_each_permission_an_operation():
    assert set(PERMISSIONS) == {(service, name) for service, names in api.answered().items() for name in names}


def test_a_silent_service_has_no_effect_and_the_others_answer(virtual):
    virtual.faults.set("api_silent", ["ecs"])
    with pytest.raises(NoAnswerError) as silence:
        virtual.call("ecs", "UpdateService", **SCALE)
    assert not silence.value.took_effect
    assert desired(virtual) == 0
    assert virtual.call("elbv2", "DescribeLoadBalancers")


def test_a_lost_answer_took_effect(virtual):
    virtual.faults.set("api_answer_lost", ["ecs:UpdateService"])
    with pytest.raises(NoAnswerError) as lost:
        virtual.call("ecs", "UpdateService", **SCALE)
    assert lost.value.took_effect
    assert desired(virtual) == 2
    assert virtual.call("ecs", "DescribeServices", cluster="apis", services=["checkout"])["services"]


def test_what_is_refused_is_answered_even_where_answers_get_lost(virtual):
    virtual.faults.set("api_answer_lost", ["ecs:*"])
    assert refused(virtual, "ecs", "UpdateService", **SCALE | {"service": "none"})[0] == "ServiceNotFoundException"


@pytest.mark.parametrize("names", [["all"], ["elbv2"], ["elasticloadbalancing"]])
def test_an_outage_takes_a_service_by_either_name_or_all(virtual, names):
    virtual.faults.set("api_outage", names)
    assert refused(virtual, "elbv2", "DescribeLoadBalancers") == ("ServiceUnavailable", 503)


def test_a_permission_that_is_missing_is_missing_for_administrators_too(virtual):
    virtual.faults.set("api_denied", ["ecs:UpdateService", "elasticloadbalancing:Modify*"])
    assert refused(virtual, "ecs", "UpdateService", **SCALE) == ("AccessDeniedException", 400)
    assert refused(virtual, "elbv2", "ModifyRule", RuleArn="arn:none") == ("AccessDenied", 403)
    assert desired(virtual) == 0
    virtual.faults.clear()
    virtual.call("ecs", "UpdateService", **SCALE)
    assert desired(virtual) == 2


def test_an_answer_that_comes_too_late_took_effect(virtual):
    virtual.faults.set("api_latency", 4.9)
    virtual.call("ecs", "UpdateService", **SCALE)
    virtual.faults.set("api_latency", 5)
    with pytest.raises(NoAnswerError) as late:
        virtual.call("ecs", "UpdateService", **SCALE | {"desiredCount": 3})
    assert late.value.took_effect
    assert desired(virtual) == 3
    with pytest.raises(NoAnswerError) as late:
        virtual.call("ecs", "UpdateService", **SCALE | {"service": "none"})
    assert not late.value.took_effect


def test_a_bucket_that_somebody_else_keeps_empty_throttles_the_first_call(virtual):
    virtual.faults.set("api_throttled", value=True)
    assert refused(virtual, "ecs", "UpdateService", **SCALE) == ("ThrottlingException", 400)
    assert desired(virtual) == 0


def test_a_burst_is_throttled_and_time_fills_the_bucket(virtual):
    """CloudWatch endpoints and quotas: SetAlarmState, 3 a second."""
    alarm = {"AlarmName": "checkout-lambda-throttles", "StateValue": "OK", "StateReason": "drill"}
    for _ in range(3):
        virtual.call("cloudwatch", "SetAlarmState", **alarm)
    assert refused(virtual, "cloudwatch", "SetAlarmState", **alarm)[0] == "ThrottlingException"
    virtual.run(1)
    virtual.call("cloudwatch", "SetAlarmState", **alarm)


def test_a_file_can_switch_throttling_off(world_file):
    world_file.write_text("throttling = false\n" + world_file.read_text())
    unthrottled = VirtualLab(load(world_file))
    for _ in range(200):
        unthrottled.call("elbv2", "DescribeLoadBalancers")


def test_three_applications_observed_every_two_seconds_are_not_throttled(virtual):
    """The panel's own pace is every five seconds."""
    application = virtual.world.applications["checkout"]
    for _ in range(20):
        for _ in range(3):
            observe(virtual, application)
        virtual.run(2)


def observe(virtual, application):
    """The calls of one observation."""
    virtual.call("cloudwatch", "DescribeAlarms", AlarmNames=["checkout-lambda-throttles"])
    virtual.call("elbv2", "DescribeListeners", LoadBalancerArn=application.load_balancer.arn)
    virtual.call("elbv2", "DescribeRules", ListenerArn=application.listener.arn)
    virtual.call("ecs", "DescribeServices", cluster="apis", services=["checkout"])
    virtual.call("ecs", "ListTasks", cluster="apis", serviceName="checkout")
    virtual.call("ecs", "DescribeTasks", cluster="apis", tasks=["none"])
    for group in (application.lambda_group, application.ecs_group):
        virtual.call("elbv2", "DescribeTargetHealth", TargetGroupArn=group.arn)
    virtual.call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")
    virtual.call("lambda", "GetFunctionConcurrency", FunctionName="checkout")
    virtual.call("lambda", "GetAccountSettings")
