"""A load that is counted step by step, against what the same requests come to one by one."""

from collections import Counter

import pytest

from lab.flow import erlang_b

MIX = (("/bang", 0.9), ("/sleep", 0.1))


def shift(virtual, lambda_weight, ecs_weight):
    application = virtual.world.applications["checkout"]
    groups = [
        {"TargetGroupArn": application.lambda_group.arn, "Weight": lambda_weight},
        {"TargetGroupArn": application.ecs_group.arn, "Weight": ecs_weight},
    ]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    virtual.call("elbv2", "ModifyListener", ListenerArn=application.listener.arn, DefaultActions=[action])


def metric(virtual, namespace, name, statistic, seconds=60, **dimensions):
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": 60,
            "Stat": statistic,
        },
    }
    start = virtual.now - seconds
    answer = virtual.call(
        "cloudwatch", "GetMetricData", MetricDataQueries=[query], StartTime=start, EndTime=virtual.now
    )
    return sum(answer["MetricDataResults"][0]["Values"])


def test_every_request_is_counted_once(virtual):
    flow = virtual.flow("checkout", 5, MIX)
    virtual.run(60)
    virtual.flow("checkout", 0)
    virtual.run(10)
    assert sum(flow.answered.values()) == pytest.approx(300, abs=5)
    assert flow.losses == []
    invocations = metric(virtual, "AWS/Lambda", "Invocations", "Sum", 120, FunctionName="checkout")
    assert invocations == flow.answered["lambda", 200]


def test_concurrency_is_rate_times_duration(virtual):
    virtual.flow("checkout", 10, MIX, slow=5)
    virtual.run(120)
    assert metric(virtual, "AWS/Lambda", "ConcurrentExecutions", "Maximum", FunctionName="checkout") == 6


def test_what_exceeds_the_concurrency_is_throttled_and_answered_502(virtual):
    flow = virtual.flow("checkout", 60, MIX, slow=5)
    virtual.run(60)
    lost = Counter(each.status for each in flow.losses)
    assert set(lost) == {502}
    share = sum(each.count for each in flow.losses) / 3600
    assert share == pytest.approx(erlang_b(60 * 0.1 * 5, 14), abs=0.02)
    assert {alarm.state.value for alarm in virtual.world.alarms()} == {"ALARM"}


@pytest.mark.parametrize(("load", "servers", "blocked"), [(0, 5, 0), (1, 1, 0.5), (2, 2, 0.4), (10, 10, 0.2146)])
def test_erlangs_loss_formula(load, servers, blocked):
    """Known values of the formula, such as 10 erlangs on 10 servers: 21.46 % are lost."""
    assert erlang_b(load, servers) == pytest.approx(blocked, abs=0.0001)


def test_traffic_follows_what_each_node_knows(virtual):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=2)
    virtual.run(5)
    flow = virtual.flow("checkout", 100, (("/bang", 1),))
    shift(virtual, 0, 1)
    virtual.run(0.6)
    between = Counter({key: count for key, count in flow.answered.items() if count})
    virtual.run(5)
    assert between["lambda", 200] > between["ecs", 200] > 0, "one node of two has learnt of it"
    flow.answered.clear()
    virtual.run(10)
    assert flow.answered["ecs", 200] == pytest.approx(1000, abs=60)
    assert flow.losses == []


def test_weight_on_an_empty_group_loses_the_requests_with_503(virtual):
    shift(virtual, 0, 1)
    virtual.run(2)
    flow = virtual.flow("checkout", 10, (("/bang", 1),))
    virtual.run(10)
    assert {(each.pool, each.status) for each in flow.losses} == {("ecs", 503)}
    assert sum(each.count for each in flow.losses) == 100


def test_a_slow_request_on_a_task_that_is_killed_is_lost(virtual):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=1)
    shift(virtual, 0, 1)
    virtual.run(5)
    flow = virtual.flow("checkout", 20, MIX, slow=4)
    virtual.run(6)
    flow.losses.clear()
    [task] = virtual.world.applications["checkout"].service.tasks.values()
    virtual.containers.kill(task.id)
    virtual.flow("checkout", 0)
    virtual.run(5)
    assert sum(each.count for each in flow.losses) >= 6
    assert {each.status for each in flow.losses} == {502}
