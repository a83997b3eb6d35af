"""Target health, draining and slow start.

Application Load Balancers guide, "Health checks for target groups" and "Target group attributes".
"""

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
    """Target health status: `initial` while the first health checks run, `healthy` after the healthy threshold."""
    scale(virtual, 1)
    virtual.run(0.6)
    assert states(virtual, group) == [("initial", "Elb.InitialHealthChecking")]
    virtual.run(1)
    assert states(virtual, group) == [("healthy", None)]


def test_a_target_that_fails_its_checks_is_unhealthy_with_the_reason(virtual, group):
    """Target health status: `unhealthy` with reason code Target.FailedHealthChecks after the unhealthy threshold."""
    group.register("10.9.9.9", 8080, virtual.now)
    virtual.run(2)
    assert states(virtual, group) == [("unhealthy", "Target.FailedHealthChecks")]


def test_a_lambda_target_without_checks_is_unavailable(virtual):
    """Target health reason codes: Target.HealthCheckDisabled; health checks of a function are off by default."""
    lambda_group = virtual.world.applications["checkout"].lambda_group
    virtual.run(1)
    assert states(virtual, lambda_group) == [("unavailable", "Target.HealthCheckDisabled")]


def test_targets_of_a_group_that_no_rule_names_are_unused_and_unchecked(virtual, group):
    """Target health status: `unused`, Target.NotInUse, where no listener rule names the group."""
    application = virtual.world.applications["checkout"]
    only_lambda = [{"Type": "forward", "TargetGroupArn": application.lambda_group.arn}]
    for rule in application.listener.rules:
        application.load_balancer.write(rule, accept(only_lambda, [], virtual.world.groups), virtual.now)
    scale(virtual, 1)
    virtual.run(3)
    assert states(virtual, group) == [("unused", "Target.NotInUse")]
    assert [target.passed for target in group.targets.values()] == [0]


def test_a_group_at_weight_zero_is_still_checked(virtual, group):
    """Health checks: the targets of a group that a rule names are checked; that weight 0 is enough is inferred."""
    scale(virtual, 1)
    virtual.run(3)
    assert group.count("healthy") == 1


def test_a_draining_target_keeps_its_request_in_flight_and_gets_no_new_one(virtual, group):
    """Target group attributes, "Deregistration delay": no new requests, those in flight may end within the delay."""
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
    """Target group attributes, "Deregistration delay": without requests in flight it completes immediately."""
    scale(virtual, 1)
    virtual.run(3)
    (target,) = group.targets.values()
    group.deregister(target.id, virtual.now)
    virtual.run(0.2)
    assert target.id not in group.targets


SLOW = """
[applications.checkout.task]
provisioning_seconds = 0.2
pending_seconds = 0.2
health_check_interval_seconds = 0.3
slow_start_seconds = 100
desired_count = 1
"""


def share_of(group, target, now, picks=1000):
    return sum(group.pick(now) is target for _ in range(picks)) / picks


def test_a_new_target_gets_a_share_that_grows_linearly_in_slow_start(virtual_of):
    """Target group attributes, "Slow start mode": the requests sent to a new target increase linearly for 30 to 900
    seconds, then it gets its full share."""
    lab = virtual_of(SLOW)
    group = lab.world.applications["checkout"].ecs_group
    lab.run(5)
    scale(lab, 2)
    lab.run(3)
    new = list(group.targets.values())[-1]
    begun = new.slow_from
    assert share_of(group, new, begun) < 0.05
    assert share_of(group, new, begun + 50) == pytest.approx(1 / 3, abs=0.02)
    assert share_of(group, new, begun + 100) == pytest.approx(1 / 2, abs=0.02)


def test_the_first_targets_of_an_empty_group_do_not_start_slowly(virtual_of):
    """Target group attributes, "Slow start mode": it needs a healthy target that is not in slow start mode; targets
    registered in an empty group do not enter it."""
    lab = virtual_of(SLOW)
    scale(lab, 2)
    lab.run(5)
    group = lab.world.applications["checkout"].ecs_group
    assert group.count("healthy") == 2
    assert [target.slow_from for target in group.targets.values()].count(None) >= 1


def test_a_target_can_be_unhealthy_draining_before_it_is_unhealthy(virtual_of):
    """TargetHealth, state `unhealthy.draining`, and attribute target_health_state.unhealthy.draining_interval_seconds,
    which AWS documents for Network Load Balancers alone: assumed to look the same here."""
    lab = virtual_of("[applications.checkout.task]\nunhealthy_draining_seconds = 10")
    group = lab.world.applications["checkout"].ecs_group
    group.register("10.9.9.9", 8080, lab.now)
    lab.run(8)
    assert states(lab, group) == [("unhealthy.draining", "Target.FailedHealthChecks")]
    lab.run(10)
    assert states(lab, group) == [("unhealthy", "Target.FailedHealthChecks")]
