"""Health checks of a Lambda group (Application Load Balancers guide, "Use Lambda functions as targets")."""

import json

import pytest

from lab.cloudwatch import Metric

WORLD = """
[applications.checkout.function]
reserved_concurrency = 2
health_check = true
health_check_path = "/pong"
health_check_interval_seconds = 5
health_check_timeout_seconds = 2
healthy_threshold = 2
unhealthy_threshold = 2
"""


@pytest.fixture
def lab(virtual_of):
    lab = virtual_of(WORLD)
    lab.run(15)
    return lab


def state(lab):
    group = lab.world.applications["checkout"].lambda_group.arn
    (health,) = lab.call("elbv2", "DescribeTargetHealth", TargetGroupArn=group)["TargetHealthDescriptions"]
    return health["TargetHealth"]["State"]


def invocations(lab):
    metric = Metric.of("AWS/Lambda", "Invocations", {"FunctionName": "checkout"})
    return lab.world.metrics.statistic(metric, "Sum", lab.now - 60, lab.now + 5)


def test_a_function_that_answers_200_is_healthy_and_each_check_is_an_invocation(lab):
    """Health checks of a function are invocations like any other, so they are off by default."""
    assert state(lab) == "healthy"
    assert invocations(lab) == 4, "at 0, 5, 10 and 15 seconds"
    group = lab.world.applications["checkout"].lambda_group.arn
    (described,) = lab.call("elbv2", "DescribeTargetGroups", TargetGroupArns=[group])["TargetGroups"]
    assert (described["HealthCheckEnabled"], described["HealthCheckPath"]) == (True, "/pong")


def test_the_event_is_a_get_by_the_health_checker(lab):
    """The event of a health check: user agent ELB-HealthChecker/2.0, the group's health check path."""
    seen = []
    lab.environments.call = lambda _id, event, _seconds, done: (seen.append(json.loads(event)), done(None, lab.now))
    lab.run(5)
    (event,) = seen
    group = lab.world.applications["checkout"].lambda_group.arn
    assert event == {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": "GET",
        "path": "/pong",
        "queryStringParameters": {},
        "headers": {"user-agent": "ELB-HealthChecker/2.0"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_a_function_at_its_limit_fails_its_checks(lab):
    """A throttled invocation is an error to the load balancer, whoever asked for it."""
    function = lab.world.applications["checkout"].function
    for _ in range(2):
        lab.world.functions.begin(function, lab.now)
    lab.run(10)
    assert state(lab) == "unhealthy"


def test_a_function_that_fails_is_unhealthy_and_heals(lab):
    """A function that raises, or answers what a load balancer cannot read, is a 502 (see "Troubleshoot")."""
    lab.world.faults.set("function_errors", 100, "checkout")
    lab.run(10)
    assert state(lab) == "unhealthy"
    assert lab.world.applications["checkout"].function.in_flight == 0
    lab.world.faults.set("function_errors", None, "checkout")
    lab.run(10)
    assert state(lab) == "healthy"


def test_an_answer_that_comes_too_late_fails_the_check(lab):
    """HealthCheckTimeoutSeconds: no response within it is a failed check."""
    lab.environments.call = lambda _id, _event, _seconds, done: done(b'{"statusCode": 200, "headers": {}}', lab.now + 3)
    lab.run(10)
    assert state(lab) == "unhealthy"
