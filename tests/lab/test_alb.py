"""What becomes of a request (Application Load Balancers guide, "Listener rules", "Troubleshoot ...")."""

from collections import Counter

import pytest

from lab.cloudwatch import Metric


def weights(virtual, lambda_weight, ecs_weight):
    application = virtual.world.applications["checkout"]
    groups = [
        {"TargetGroupArn": application.lambda_group.arn, "Weight": lambda_weight},
        {"TargetGroupArn": application.ecs_group.arn, "Weight": ecs_weight},
    ]
    virtual.call(
        "elbv2",
        "ModifyListener",
        ListenerArn=application.listener.arn,
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )


def answers(virtual, seconds=2.0, rate=50):
    """Statuses and pools of requests to the default rule, sent from now on."""
    virtual.records.clear()
    virtual.run(seconds, "checkout", rate, mix=[("/bang", 1)])
    return Counter((record.status, record.pool) for record in virtual.records)


def count(virtual, name, **dimensions):
    load_balancer = virtual.world.applications["checkout"].load_balancer
    metric = Metric.of("AWS/ApplicationELB", name, {"LoadBalancer": load_balancer.dimension, **dimensions})
    return virtual.world.metrics.statistic(metric, "Sum", virtual.now - 3600, virtual.now + 5)


def test_weights_share_requests_between_the_groups(virtual):
    """Listener rules, "Forward actions": each group gets its weight's share of the requests."""
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=1)
    weights(virtual, 1, 3)
    virtual.run(5)
    share = answers(virtual, seconds=20)[200, "ecs"] / 1000
    assert share == pytest.approx(0.75, abs=0.06)


def test_weight_on_an_empty_group_answers_503_and_counts_no_request(virtual):
    """Troubleshoot, "HTTP 503": the target group has no registered targets; there is no failover between groups."""
    weights(virtual, 0, 1)
    virtual.run(2)
    assert set(answers(virtual)) == {(503, "ecs")}
    assert count(virtual, "HTTPCode_ELB_503_Count") == 100
    assert count(virtual, "RequestCount") is None


def test_weights_of_zero_answer_503(virtual):
    """Troubleshoot, "HTTP 503"; inferred for a forward action whose weights are all 0."""
    weights(virtual, 0, 0)
    virtual.run(2)
    assert {status for status, _ in answers(virtual)} == {503}


def test_a_group_of_unhealthy_targets_alone_fails_open(virtual):
    """Health checks, "fail open": with unhealthy targets alone, requests go to all of them."""
    virtual.world.applications["checkout"].ecs_group.register("10.9.9.9", 8080, virtual.now)
    virtual.run(5)
    (health,) = virtual.call(
        "elbv2", "DescribeTargetHealth", TargetGroupArn=virtual.world.applications["checkout"].ecs_group.arn
    )["TargetHealthDescriptions"]
    assert health["TargetHealth"]["State"] == "unhealthy"
    weights(virtual, 0, 1)
    virtual.run(2)
    assert set(answers(virtual)) == {(502, "ecs")}, "the request reaches the unhealthy target, which is gone"


def test_nodes_learn_of_new_weights_each_after_its_own_delay(virtual):
    """ModifyListener takes effect eventually: each node of a load balancer learns of it by itself (inferred)."""
    weights(virtual, 0, 1)
    virtual.run(0.5)
    virtual.records.clear()
    virtual.run(0.4, "checkout", 50, mix=[("/bang", 1)])
    assert {(record.node, record.pool) for record in virtual.records} == {("a", "ecs"), ("b", "lambda")}
    virtual.run(0.5)
    assert set(answers(virtual)) == {(503, "ecs")}


def test_a_throttled_function_is_answered_502_and_counted_as_the_users_error(virtual):
    """Troubleshoot, "HTTP 502": the function's invocation failed. CloudWatch metrics: LambdaUserError."""
    virtual.run(10, "checkout", 20, mix=[("/sleep", 1)])
    group = virtual.world.applications["checkout"].lambda_group.dimension
    failed = sum(record.status == 502 for record in virtual.records)
    assert failed > 0
    assert count(virtual, "HTTPCode_ELB_502_Count") == failed
    assert count(virtual, "LambdaUserError", TargetGroup=group) == failed
    assert count(virtual, "HTTPCode_Target_5XX_Count", TargetGroup=group) is None


def test_requests_and_answers_are_counted_for_the_group_and_the_load_balancer(virtual):
    """CloudWatch metrics: RequestCount and HTTPCode_Target_2XX_Count, by load balancer and target group."""
    answers(virtual)
    group = virtual.world.applications["checkout"].lambda_group.dimension
    assert count(virtual, "RequestCount") == 100
    assert count(virtual, "RequestCount", TargetGroup=group) == 100
    assert count(virtual, "HTTPCode_Target_2XX_Count", TargetGroup=group) == len(virtual.records)


def test_a_rule_goes_before_the_default(virtual):
    """Listener rules, "Rule priority": the default rule is evaluated last."""
    virtual.records.clear()
    virtual.run(10, "checkout", 50, mix=[("/pong", 1)])
    assert {record.status for record in virtual.records} == {200, 503}, "the rule gives the empty group a tenth"


def test_a_fixed_response_needs_no_target(virtual):
    """Listener rules, "Fixed-response actions"."""
    listener = virtual.world.applications["checkout"].listener.arn
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418", "MessageBody": "teapot"}}
    virtual.call("elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=[fixed])
    virtual.run(2)
    assert set(answers(virtual)) == {(418, "")}
