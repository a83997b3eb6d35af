"""Every call that pages, with pages of one: boto3's own paginators see each item once, in order.

API References: ``Marker`` and ``PageSize`` (Elastic Load Balancing v2), ``nextToken`` and ``maxResults`` (ECS),
``NextToken`` and ``MaxRecords`` (CloudWatch alarms), ``MaxDatapoints`` (GetMetricData, which counts data points over
all results and calls a result that goes on ``PartialData``), ``NextToken`` and ``MaxResults`` (Application Auto
Scaling).
"""

import pytest
from botocore.exceptions import ClientError

from tests.lab.on_virtual import Wire
from tests.lab.wire.calls import metric_data


@pytest.fixture
def wire(virtual):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=3)
    narrow = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    virtual.call(
        "application-autoscaling",
        "RegisterScalableTarget",
        ResourceId="service/apis/narrow",
        MinCapacity=0,
        MaxCapacity=1,
        **narrow,
    )
    virtual.run(10, "checkout", rate=5)
    return Wire(virtual)


def listener(virtual):
    return {"ListenerArn": virtual.world.applications["checkout"].listener.arn}


PAGED = [
    ("elbv2", "describe_load_balancers", "LoadBalancers", lambda _virtual: {}, 2),
    ("elbv2", "describe_target_groups", "TargetGroups", lambda _virtual: {}, 4),
    ("elbv2", "describe_rules", "Rules", listener, 2),
    ("ecs", "list_tasks", "taskArns", lambda _virtual: {"cluster": "apis"}, 3),
    ("cloudwatch", "describe_alarms", "MetricAlarms", lambda _virtual: {}, 2),
    ("cloudwatch", "describe_alarm_history", "AlarmHistoryItems", lambda _virtual: {}, 2),
    (
        "application-autoscaling",
        "describe_scalable_targets",
        "ScalableTargets",
        lambda _v: {"ServiceNamespace": "ecs"},
        2,
    ),
]
paged = pytest.mark.parametrize(("service", "operation", "member", "given", "count"), PAGED, ids=[p[1] for p in PAGED])


@paged
def test_pages_of_one_together_are_the_whole(wire, virtual, service, operation, member, given, count):
    client, asked = wire.client(service), given(virtual)
    whole = getattr(client, operation)(**asked)[member]
    pages = list(client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": 1}))
    assert [len(page[member]) for page in pages] == [1] * count
    assert [item for page in pages for item in page[member]] == whole


@pytest.mark.parametrize(
    ("service", "operation", "given", "code"),
    [
        ("elbv2", "describe_load_balancers", {"Marker": "x"}, "ValidationError"),
        ("ecs", "list_tasks", {"cluster": "apis", "nextToken": "x"}, "InvalidParameterException"),
        ("cloudwatch", "describe_alarms", {"NextToken": "x"}, "InvalidNextToken"),
        ("cloudwatch", "describe_alarm_history", {"NextToken": "x"}, "InvalidNextToken"),
        ("cloudwatch", "get_metric_data", metric_data(1_800_000_000) | {"NextToken": "x"}, "InvalidNextToken"),
        (
            "application-autoscaling",
            "describe_scalable_targets",
            {"ServiceNamespace": "ecs", "NextToken": "x"},
            "InvalidNextTokenException",
        ),
    ],
)
def test_a_token_that_no_call_returned_is_refused(wire, service, operation, given, code):
    with pytest.raises(ClientError) as refused:
        getattr(wire.client(service), operation)(**given)
    assert refused.value.response["Error"]["Code"] == code


def test_a_load_balancers_only_listener_is_one_page(wire, virtual):
    arn = virtual.world.applications["checkout"].load_balancer.arn
    pages = (
        wire.client("elbv2")
        .get_paginator("describe_listeners")
        .paginate(LoadBalancerArn=arn, PaginationConfig={"PageSize": 1})
    )
    assert [len(page["Listeners"]) for page in pages] == [1]


def test_metric_data_pages_by_data_points_and_says_what_is_partial(wire, virtual):
    client, asked = wire.client("cloudwatch"), metric_data(virtual.now)
    whole = {each["Id"]: each["Values"] for each in client.get_metric_data(**asked)["MetricDataResults"]}
    pages = list(client.get_paginator("get_metric_data").paginate(**asked, PaginationConfig={"PageSize": 1}))
    parts = [result for page in pages for result in page["MetricDataResults"]]
    assert len(pages) == len(parts) == sum(map(len, whole.values()))
    assert {name: [v for part in parts if part["Id"] == name for v in part["Values"]] for name in whole} == whole
    status = [part["StatusCode"] for part in parts if part["Id"] == "invocations"]
    assert status == ["PartialData"] * (len(status) - 1) + ["Complete"]
