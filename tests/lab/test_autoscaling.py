"""Scalable targets (Application Auto Scaling API Reference, RegisterScalableTarget)."""

import pytest

from lab.errors import AwsError


def register(virtual, **bounds):
    virtual.call(
        "application-autoscaling",
        "RegisterScalableTarget",
        ServiceNamespace="ecs",
        ResourceId="service/apis/checkout",
        ScalableDimension="ecs:service:DesiredCount",
        **bounds,
    )


def desired(virtual):
    return virtual.world.applications["checkout"].service.desired


def scale(virtual, count):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)


def test_registering_raises_a_desired_count_under_the_minimum(virtual):
    """RegisterScalableTarget: a capacity under the minimum is scaled out to it."""
    register(virtual, MinCapacity=2)
    assert desired(virtual) == 2


def test_registering_lowers_a_desired_count_over_the_maximum(virtual):
    """RegisterScalableTarget: a capacity over the maximum is scaled in to it."""
    scale(virtual, 5)
    register(virtual, MaxCapacity=3)
    assert desired(virtual) == 3


def test_any_registration_clamps_even_with_the_bounds_it_had(virtual):
    """RegisterScalableTarget: a count set under the minimum by hand stays until something scales."""
    register(virtual, MinCapacity=2, MaxCapacity=6)
    scale(virtual, 0)
    virtual.run(5)
    assert desired(virtual) == 0, "a desired count under the minimum stays until something scales"
    register(virtual)
    assert desired(virtual) == 2


def test_a_minimum_over_the_maximum_is_refused(virtual):
    """RegisterScalableTarget: ValidationException."""
    with pytest.raises(AwsError) as refused:
        register(virtual, MinCapacity=7)
    assert refused.value.code == "ValidationException"


def test_bounds_are_described(virtual):
    """DescribeScalableTargets."""
    register(virtual, MinCapacity=1, MaxCapacity=4)
    (target,) = virtual.call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == ("service/apis/checkout", 1, 4)


def described(virtual):
    return virtual.call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]


def test_the_suspended_state_is_kept_part_by_part(virtual):
    """RegisterScalableTarget, SuspendedState: what a call leaves out stays as it was; at first all is off."""
    assert not any(described(virtual)[0]["SuspendedState"].values())
    register(virtual, SuspendedState={"DynamicScalingInSuspended": True})
    register(virtual, SuspendedState={"ScheduledScalingSuspended": True})
    (target,) = described(virtual)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 6)


def test_a_deregistered_target_is_gone_and_the_desired_count_stays(virtual):
    """DeregisterScalableTarget: deletes the target and its policies, not the capacity."""
    scale(virtual, 3)
    given = {"ResourceId": "service/apis/checkout", "ScalableDimension": "ecs:service:DesiredCount"}
    virtual.call("application-autoscaling", "DeregisterScalableTarget", ServiceNamespace="ecs", **given)
    assert (described(virtual), desired(virtual)) == ([], 3)
    with pytest.raises(AwsError) as refused:
        virtual.call("application-autoscaling", "DeregisterScalableTarget", ServiceNamespace="ecs", **given)
    assert refused.value.code == "ObjectNotFoundException"
