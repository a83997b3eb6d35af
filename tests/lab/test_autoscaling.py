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
    register(virtual, MinCapacity=2)
    assert desired(virtual) == 2


def test_registering_lowers_a_desired_count_over_the_maximum(virtual):
    scale(virtual, 5)
    register(virtual, MaxCapacity=3)
    assert desired(virtual) == 3


def test_any_registration_clamps_even_with_the_bounds_it_had(virtual):
    register(virtual, MinCapacity=2, MaxCapacity=6)
    scale(virtual, 0)
    virtual.run(5)
    assert desired(virtual) == 0, "a desired count under the minimum stays until something scales"
    register(virtual)
    assert desired(virtual) == 2


def test_a_minimum_over_the_maximum_is_refused(virtual):
    with pytest.raises(AwsError) as refused:
        register(virtual, MinCapacity=7)
    assert refused.value.code == "ValidationException"


def test_bounds_are_described(virtual):
    register(virtual, MinCapacity=1, MaxCapacity=4)
    (target,) = virtual.call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == ("service/apis/checkout", 1, 4)
