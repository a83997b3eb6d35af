"""Accounts and regions kept apart: a call reaches the account of its caller and the region that it is signed for.

IAM User Guide, "Cross-account resource access in IAM": none of the calls that the lab answers takes a resource of
another account; one gets there by assuming a role of that account.
"""

import json

import pytest

from lab.errors import AwsError
from lab.eventbridge import Destination
from lab.ports import Answer
from tests.lab.on_virtual import Wire

WORLD = """
account = "111111111111"

[users.ops]
access_key_id = "AKIAOPS"
[users.shop]
access_key_id = "AKIASHOP"
account = "222222222222"

[roles.panel]
account = "222222222222"
trust = ["111111111111"]

[applications.checkout]
[[applications.checkout.alarms]]
name = "load"
metric = "Throttles"
statistic = "Sum"
threshold = 1

[applications.search]
account = "222222222222"
[[applications.search.alarms]]
name = "load"
metric = "Throttles"
statistic = "Sum"
threshold = 1

[applications.payments]
region = "sa-east-1"
"""


@pytest.fixture
def virtual(virtual_of):
    return virtual_of(WORLD)


def balancers(virtual, **caller):
    return [
        each["LoadBalancerName"] for each in virtual.call("elbv2", "DescribeLoadBalancers", **caller)["LoadBalancers"]
    ]


def test_each_account_and_region_has_its_own(virtual):
    assert balancers(virtual, access_key="AKIAOPS") == ["checkout"]
    assert balancers(virtual, access_key="AKIASHOP") == ["search"]
    assert balancers(virtual, access_key="AKIAOPS", region="sa-east-1") == ["payments"]
    assert balancers(virtual, access_key="AKIAOPS", region="us-east-1") == [], "a region without anything is empty"


def test_an_arn_of_another_account_is_not_found(virtual):
    group = virtual.cloud.applications["search"].ecs_group.arn
    assert "222222222222" in group
    with pytest.raises(AwsError, match=f"Target group '{group}' not found"):
        virtual.call("elbv2", "DescribeTargetHealth", access_key="AKIAOPS", TargetGroupArn=group)
    assert virtual.call("elbv2", "DescribeTargetHealth", access_key="AKIASHOP", TargetGroupArn=group)


def test_one_gets_into_another_account_by_a_role(virtual):
    wire = Wire(virtual)
    role = "arn:aws:iam::222222222222:role/panel"
    given = wire.client("sts", "AKIAOPS").assume_role(RoleArn=role, RoleSessionName="night")
    found = wire.as_session("elbv2", given["Credentials"]).describe_load_balancers()["LoadBalancers"]
    assert [each["LoadBalancerName"] for each in found] == ["search"]


def test_alarms_of_the_same_name_are_two_alarms_and_their_events_say_whose(virtual):
    told = []
    virtual.http.receiver = lambda _headers, body, at: told.append(body) or Answer(202, at)
    for world in virtual.cloud.worlds.values():
        world.bus.destination = Destination("http://panel/hook", "X-Api-Key", "k3y")
    given = {"AlarmName": "load", "StateValue": "ALARM", "StateReason": "drill"}
    virtual.call("cloudwatch", "SetAlarmState", access_key="AKIASHOP", **given)
    (ours,) = virtual.call("cloudwatch", "DescribeAlarms", access_key="AKIAOPS")["MetricAlarms"]
    assert ours["StateValue"] != "ALARM"
    virtual.run(1)
    drill = next(event for event in map(json.loads, told) if event["detail"]["state"]["reason"] == "drill")
    assert (drill["account"], drill["resources"]) == (
        "222222222222",
        ["arn:aws:cloudwatch:eu-west-1:222222222222:alarm:load"],
    )


def test_applications_of_all_accounts_are_known_by_their_slugs(virtual):
    assert list(virtual.cloud.applications) == ["checkout", "search", "payments"]
    assert virtual.cloud.home("search").account == "222222222222"
    assert virtual.cloud.home("payments").region == "sa-east-1"


def test_traffic_flows_and_time_passes_in_every_account(virtual):
    virtual.run(10, "search", rate=5)
    assert {record.status for record in virtual.records} == {200}
    assert virtual.cloud.home("search").functions.by_name["search"].invocations > 0


def test_a_switch_breaks_every_account(virtual):
    virtual.faults.set("api_outage", ["elasticloadbalancing"])
    for key in ("AKIAOPS", "AKIASHOP"):
        with pytest.raises(AwsError) as down:
            balancers(virtual, access_key=key)
        assert down.value.status == 503
