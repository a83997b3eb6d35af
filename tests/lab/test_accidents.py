"""What somebody or something does once; that AWS allows it is said by the API's own documentation of each call."""

import pytest

from lab import accidents
from lab.accidents import AccidentError
from tests.lab.conftest import WORLD

THIRD = """
[applications.checkout.third_group]
weight = 2
"""
COMPOSITE = """
[[applications.checkout.composite_alarms]]
name = "checkout-any"
rule = "ALARM(checkout-lambda-throttles)"
"""


@pytest.fixture
def lab(virtual_of):
    return virtual_of(WORLD + THIRD + COMPOSITE)


def application(lab):
    return lab.world.applications["checkout"]


def weights(lab, rule=-1):
    (action,) = application(lab).listener.rules[rule].actions
    return [group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]]


def test_a_third_group_stands_on_every_route_with_its_weight(lab):
    """ForwardActionConfig: up to five target groups, each with a weight from 0 to 999."""
    assert (weights(lab), weights(lab, 0)) == ([1, 0, 2], [9, 1, 2])
    lab.run(1)
    lab.run(10, "checkout", 30, mix=[("/bang", 1)])
    third = application(lab).third_group
    assert sum(target.requests for target in third.targets.values()) == pytest.approx(200, abs=40)


def test_weights_changed_by_hand_leave_the_third_group_alone_and_reach_the_nodes_later(lab):
    """ModifyListener replaces the action list; changes take a moment to reach every node."""
    accidents.set_weights(lab.world, "checkout", lab.now, lambda_=7, ecs=3)
    assert weights(lab) == [7, 3, 2]
    node = application(lab).load_balancer.nodes["b"]
    assert node.coming


def test_weights_of_a_rule_and_of_the_third_group_can_be_changed(lab):
    """ModifyRule, in the same way."""
    accidents.set_weights(lab.world, "checkout", lab.now, lambda_=0, ecs=0, third=999, path="/pong")
    assert (weights(lab), weights(lab, 0)) == ([1, 0, 2], [0, 0, 999])


def test_a_good_release_and_a_broken_one_are_new_revisions(lab):
    """RegisterTaskDefinition numbers revisions within a family; UpdateService rolls one out."""
    accidents.deploy(lab.world, "checkout", lab.now)
    accidents.deploy(lab.world, "checkout", lab.now, broken="exits")
    service = application(lab).service
    assert [each.definition.revision for each in service.deployments.all] == [3, 2, 1]
    assert service.definition.image == "api-service:exits"


def test_a_killed_task_ends_and_is_replaced(lab):
    """A service keeps its desired count: a task that ends is replaced."""
    accidents.set_desired_count(lab.world, "checkout", lab.now, count=1)
    lab.run(3)
    killed = accidents.kill_task(lab.world, "checkout", lab.now)
    lab.run(3)
    service = application(lab).service
    assert service.tasks[killed].stop_code == "EssentialContainerExited"
    assert sum(task.status == "RUNNING" for task in service.tasks.values()) == 1


def test_bounds_move_the_desired_count_and_can_be_removed(lab):
    """RegisterScalableTarget clamps the capacity; DeregisterScalableTarget leaves it."""
    accidents.set_bounds(lab.world, "checkout", lab.now, minimum=2, maximum=4)
    assert application(lab).service.desired == 2
    accidents.remove_bounds(lab.world, "checkout", lab.now)
    described = lab.call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")
    assert described["ScalableTargets"] == []
    assert application(lab).service.desired == 2


def test_a_reserved_concurrency_can_be_changed_and_taken_away(lab):
    """PutFunctionConcurrency and DeleteFunctionConcurrency; 0 lets no invocation through."""
    accidents.set_reserved_concurrency(lab.world, "checkout", lab.now, reserved=0)
    assert lab.world.functions.limit(application(lab).function) == 0
    accidents.set_reserved_concurrency(lab.world, "checkout", lab.now, reserved=None)
    assert lab.call("lambda", "GetFunctionConcurrency", FunctionName="checkout")["ReservedConcurrentExecutions"] is None


@pytest.mark.parametrize("name", ["checkout-lambda-throttles", "checkout-any"])
def test_an_alarms_actions_can_rest_and_its_state_be_set(lab, name):
    """DisableAlarmActions and SetAlarmState take metric alarms and composite ones."""
    lab.run(20)
    accidents.set_alarm_actions(lab.world, "checkout", lab.now, alarm=name, enabled=False)
    accidents.set_alarm_state(lab.world, "checkout", lab.now, alarm=name, state="ALARM")
    found = lab.call("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (alarm,) = found["MetricAlarms"] + found["CompositeAlarms"]
    assert (alarm["ActionsEnabled"], alarm["StateValue"]) == (False, "ALARM")


def test_an_alarm_can_be_muted(lab):
    """PutAlarmMuteRule: a one-time window, in whole minutes."""
    accidents.mute_alarm(lab.world, "checkout", lab.now, alarm="checkout-any", minutes=30)
    (rule,) = lab.call("cloudwatch", "ListAlarmMuteRules", AlarmName="checkout-any")["AlarmMuteRuleSummaries"]
    assert rule["Status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("set_weights", {"lambda_": 1000, "ecs": 0}, r"AWS refuses it \(ValidationError\): Weight '1000'"),
        ("set_weights", {"lambda_": 1, "ecs": 0, "path": "/none"}, "no rule for '/none'"),
        ("deploy", {"broken": "badly"}, "not as 'badly'"),
        ("kill_task", {}, "No task of checkout runs"),
        ("set_desired_count", {"count": -1}, "0 or more, not -1"),
        ("set_bounds", {"minimum": 9, "maximum": 1}, "Maximum capacity cannot be less"),
        ("set_reserved_concurrency", {"reserved": 999}, "below its minimum value"),
        ("set_alarm_actions", {"alarm": "none", "enabled": True}, "no alarm 'none'; there are checkout-lambda-conc"),
        ("mute_alarm", {"alarm": "checkout-any", "minutes": 0}, "'PT0M' is not between PT1M and P15D"),
        ("set_alarm_state", {"alarm": "checkout-any", "state": "BAD"}, "none of OK, ALARM"),
    ],
)
def test_what_cannot_happen_is_a_sentence(lab, name, values, sentence):
    """The lab's own contract: an accident that cannot happen changes nothing and says why."""
    with pytest.raises(AccidentError, match=sentence):
        accidents.ACCIDENTS[name](lab.world, "checkout", lab.now, **values)


def test_an_unknown_application_is_a_sentence(lab):
    """The lab's own contract."""
    with pytest.raises(AccidentError, match="no application 'none'; there are checkout, narrow"):
        accidents.deploy(lab.world, "none", lab.now)


def test_a_third_group_that_does_not_exist_is_a_sentence(virtual):
    """The lab's own contract."""
    with pytest.raises(AccidentError, match="has no third target group"):
        accidents.set_weights(virtual.world, "checkout", virtual.now, lambda_=1, ecs=1, third=1)


def test_a_deleted_service_refuses_a_deployment_and_registers_no_revision(lab):
    """UpdateService on a service that is not ACTIVE: ServiceNotActiveException."""
    accidents.delete_service(lab.world, "checkout", lab.now)
    with pytest.raises(AccidentError, match="ServiceNotActiveException"):
        accidents.deploy(lab.world, "checkout", lab.now)
    assert lab.world.task_definitions.find("checkout").revision == 1
