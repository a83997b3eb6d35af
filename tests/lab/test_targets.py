"""Target health and draining (Application Load Balancers guide, "Health checks for target groups")."""

import pytest

from lab.actions import accept


@pytest.fixture
def group(virtual):
    return virtual.world.applications["checkout"].ecs_group


def states(virtual, group):
    described = virtual.call("elbv2", "DescribeTargetHealth", TargetGroupArn=group.arn)["TargetHealthDescriptions"]
    return [(each["TargetHealth"]["State"], each["TargetHealth"]["Reason"]) for each in described]


def scale(virtual, count):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)


def test_a_target_is_initial_until_enough_checks_passed(virtual, group):
    scale(virtual, 1)
    virtual.run(0.6)
    assert states(virtual, group) == [("initial", "Elb.InitialHealthChecking")]
    virtual.run(1)
    assert states(virtual, group) == [("healthy", None)]


def test_a_target_that_fails_its_checks_is_unhealthy_with_the_reason(virtual, group):
    group.register("10.9.9.9", 8080, virtual.now)
    virtual.run(2)
    assert states(virtual, group) == [("unhealthy", "Target.FailedHealthChecks")]


def test_a_lambda_target_without_checks_is_unavailable(virtual):
    lambda_group = virtual.world.applications["checkout"].lambda_group
    virtual.run(1)
    assert states(virtual, lambda_group) == [("unavailable", "Target.HealthCheckDisabled")]


def test_targets_of_a_group_that_no_rule_names_are_unused_and_unchecked(virtual, group):
    application = virtual.world.applications["checkout"]
    only_lambda = [{"Type": "forward", "TargetGroupArn": application.lambda_group.arn}]
    for rule in application.listener.rules:
        application.load_balancer.write(rule, accept(only_lambda, [], virtual.world.groups), virtual.now)
    scale(virtual, 1)
    virtual.run(3)
    assert states(virtual, group) == [("unused", "Target.NotInUse")]
    assert [target.passed for target in group.targets.values()] == [0]


def test_a_group_at_weight_zero_is_still_checked(virtual, group):
    scale(virtual, 1)
    virtual.run(3)
    assert group.count("healthy") == 1


def test_a_draining_target_keeps_its_request_in_flight_and_gets_no_new_one(virtual, group):
    scale(virtual, 2)
    virtual.run(3)
    first, _ = group.targets.values()
    first.in_flight = 1
    group.deregister(first.id, virtual.now)
    assert {group.pick(virtual.now).id for _ in range(10)} == set(group.targets) - {first.id}
    virtual.run(9)
    assert ("draining", "Target.DeregistrationInProgress") in states(virtual, group)
    virtual.run(2)
    assert first.id not in group.targets, "the deregistration delay of ten seconds is over"


def test_deregistration_ends_at_once_without_a_request_in_flight(virtual, group):
    scale(virtual, 1)
    virtual.run(3)
    (target,) = group.targets.values()
    group.deregister(target.id, virtual.now)
    virtual.run(0.2)
    assert target.id not in group.targets
