"""A whole incident in virtual time: surge, alarm, tasks, weights, calm, and back."""

import json
from collections import Counter

from lab.eventbridge import Destination
from lab.ports import Answer

BUSY, CALM = 150, 52


def incident(virtual):
    """Notifies through EventBridge, and scripts what an operator would do by hand."""
    told = []

    def receive(_headers, body, at):
        event = json.loads(body)
        if event["source"] == "aws.cloudwatch":
            told.append((event["detail"]["alarmName"], event["detail"]["state"]["value"], at))
        return Answer(202, at)

    virtual.http.receiver = receive
    virtual.world.bus.destination = Destination("http://panel/hook", "X-Api-Key", "key")
    return told


def shift(virtual, lambda_weight, ecs_weight):
    application = virtual.world.applications["checkout"]
    groups = [
        {"TargetGroupArn": application.lambda_group.arn, "Weight": lambda_weight},
        {"TargetGroupArn": application.ecs_group.arn, "Weight": ecs_weight},
    ]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    virtual.call("elbv2", "ModifyListener", ListenerArn=application.listener.arn, DefaultActions=[action])
    rule = application.listener.rules[0].arn
    virtual.call("elbv2", "ModifyRule", RuleArn=rule, Actions=[action])


def scale(virtual, count):
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=count)


def healthy(virtual):
    group = virtual.world.applications["checkout"].ecs_group.arn
    health = virtual.call("elbv2", "DescribeTargetHealth", TargetGroupArn=group)["TargetHealthDescriptions"]
    return sum(each["TargetHealth"]["State"] == "healthy" for each in health)


def outcomes(virtual, seconds, rate):
    virtual.records.clear()
    virtual.run(seconds, "checkout", rate)
    return Counter((record.status, record.pool) for record in virtual.records)


def test_a_surge_is_answered_by_tasks_and_calm_returns_to_the_function(virtual):
    """All of it together: throttled Lambda is 502, its alarm clears by itself once traffic has left."""
    told = incident(virtual)
    shift(virtual, 1, 0)
    virtual.run(5)
    assert set(outcomes(virtual, 60, CALM)) == {(200, "lambda")}
    assert [state for _, state, _ in told] == ["OK", "OK"], "calm traffic raises no alarm"

    surge_began = virtual.now
    assert (502, "lambda") in outcomes(virtual, 20, BUSY)
    alarmed = {name: at for name, state, at in told if state == "ALARM"}
    assert set(alarmed) == {"checkout-lambda-concurrency", "checkout-lambda-throttles"}
    assert max(alarmed.values()) - surge_began <= 16

    scale(virtual, 2)
    virtual.run(3, "checkout", BUSY)
    assert healthy(virtual) == 2
    shift(virtual, 0, 1)
    virtual.run(10, "checkout", BUSY)
    assert set(outcomes(virtual, 30, BUSY)) == {(200, "ecs")}
    assert [state for _, state, _ in told[-2:]] == ["OK", "OK"], "off the function, its alarms clear by themselves"

    shift(virtual, 1, 0)
    virtual.run(2, "checkout", CALM)
    scale(virtual, 0)
    outcomes(virtual, 30, CALM)
    assert {record.status for record in virtual.records} == {200}, "no request was cut when the tasks ended"
    assert virtual.call("ecs", "ListTasks", cluster="apis", serviceName="checkout")["taskArns"] == []


def test_scaling_to_zero_before_the_second_node_knows_answers_503(virtual):
    """Troubleshoot, "HTTP 503": weight on a group that has no targets any more, on a node that does not know yet."""
    scale(virtual, 1)
    shift(virtual, 0, 1)
    virtual.run(5)
    shift(virtual, 1, 0)
    scale(virtual, 0)
    virtual.records.clear()
    virtual.run(2, "checkout", CALM, mix=[("/bang", 1)])
    assert {record.node for record in virtual.records if record.status == 503} == {"a", "b"}
