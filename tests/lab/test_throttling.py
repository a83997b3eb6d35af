"""Token buckets with AWS's figures.

ECS API Reference, "Request throttling for the Amazon ECS API"; Elastic Load Balancing User Guide, "Request throttling
for the Elastic Load Balancing API"; CloudWatch endpoints and quotas; Lambda Developer Guide, "Lambda quotas".
"""

import itertools

import pytest

from lab import api
from lab.throttling import LIMITS, Throttling

HERE = ("111111111111", "eu-west-1")


def burst(throttling, service, operation, now=0.0, place=HERE):
    """How many calls are admitted at one moment."""
    return next(n for n in itertools.count() if not throttling.admits(*place, service, operation, now))


@pytest.fixture
def throttling():
    return Throttling(on=True)


@pytest.mark.parametrize(
    ("service", "operation", "at_once", "a_second_later"),
    [
        ("ecs", "UpdateService", 50, 5),
        ("ecs", "DescribeServices", 100, 20),
        ("ecs", "DescribeTasks", 100, 20),
        ("elbv2", "DescribeTargetHealth", 40, 10),
        ("elbv2", "ModifyListener", 20, 3),
        ("cloudwatch", "DescribeAlarms", 9, 9),
        ("cloudwatch", "DescribeAlarmHistory", 20, 20),
        ("cloudwatch", "SetAlarmState", 3, 3),
        ("cloudwatch", "GetMetricData", 500, 500),
        ("lambda", "GetFunction", 100, 100),
        ("lambda", "GetFunctionConcurrency", 15, 15),
        ("sts", "AssumeRole", 600, 600),
    ],
)
def test_a_bucket_holds_and_refills_as_documented(throttling, service, operation, at_once, a_second_later):
    assert burst(throttling, service, operation) == at_once
    assert burst(throttling, service, operation, now=1.0) == a_second_later


def test_operations_of_one_group_share_a_bucket(throttling):
    assert burst(throttling, "elbv2", "DescribeRules") == 40
    assert burst(throttling, "elbv2", "DescribeListeners") == 0
    assert burst(throttling, "elbv2", "ModifyRule") == 20


def test_accounts_and_regions_have_buckets_of_their_own(throttling):
    burst(throttling, "ecs", "UpdateService")
    assert burst(throttling, "ecs", "UpdateService", place=("222222222222", "eu-west-1")) == 50
    assert burst(throttling, "ecs", "UpdateService", place=("111111111111", "sa-east-1")) == 50


def test_a_bucket_never_holds_more_than_its_capacity(throttling):
    burst(throttling, "ecs", "UpdateService")
    assert burst(throttling, "ecs", "UpdateService", now=3600.0) == 50


def test_nothing_is_throttled_where_it_is_off():
    throttling = Throttling(on=False)
    assert all(throttling.admits(*HERE, "cloudwatch", "SetAlarmState", 0.0) for _ in range(100))


def test_every_operation_but_dynamodbs_has_a_limit():
    operations = {(service, name) for service, names in api.answered().items() for name in names}
    assert operations - set(LIMITS) == {("dynamodb", name) for name in api.answered()["dynamodb"]}
    assert set(LIMITS) <= operations
