"""A whole failover and failback on what the templates made, under the policies that they grant; and deployments."""

from dataclasses import replace

import boto3
import pytest

from failover import environment
from lab.iam import role_arn
from tests.infra.conftest import ACCOUNT, APPLICATION, KEY, configuration, of_application
from tests.infra.incident import CALM, SURGE, Incident, play


def test_the_panels_role_moves_traffic_to_ecs_and_back(application, connected, lab, aws):
    incident = Incident(lab, configuration(application.stack))
    play(incident)
    assert incident.weights[1] == 0
    assert incident.found.service.desired == 0
    assert lab.world.scalable_targets.by_resource["service/checkout/checkout"].minimum == 0
    assert {status for (pool, status) in lab.flows["checkout"].answered if pool == "ecs"} == {200}
    headers, events = zip(*incident.delivered, strict=True)
    assert {each["X-Api-Key"] for each in headers} == {KEY}
    assert {"CloudWatch Alarm State Change", "ECS Task State Change"} <= {each["detail-type"] for each in events}


# ---- the controller as a function of its own ----


@pytest.fixture
def controller(deploy, lab, aws, monkeypatch):
    """controller.yaml beside application.yaml: what its function is configured with, and its role's credentials."""
    stack = deploy("application.yaml", **APPLICATION).stack
    outputs = {name: stack.output(name) for name in ("LambdaTargetGroupArn", "EcsTargetGroupArn")}
    code = {"CodeBucket": "artefacts", "CodeKey": "controller.zip"}
    made = deploy("controller.yaml", **of_application(stack), **outputs, **code, Mode="auto")
    for name, value in _execution_role(lab).items():
        monkeypatch.setenv(name, value)
    variables = dict(lab.world.functions.find("failover-checkout").settings.variables)
    return made, environment.application(variables, str)


def _execution_role(lab):
    """Lambda takes the role for the function; the lab has no such service, so anybody may take it here."""
    access = lab.cloud.access
    access.add_role("Role", replace(access._roles[role_arn(ACCOUNT, "Role")], trust=("*",)))
    session = boto3.client("sts", region_name="eu-west-1").assume_role(
        RoleArn=role_arn(ACCOUNT, "Role"), RoleSessionName="controller"
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def test_a_controller_without_the_panel_moves_traffic_under_its_own_role(controller, lab):
    _, application = controller
    assert application.lease_table == "failover-checkout"
    incident = Incident(lab, application)
    incident.load(*CALM)
    incident.until(lambda: all(each.state.value == "OK" for each in incident.found.alarms), 600)
    incident.load(*SURGE)
    incident.until(lambda: incident.weights == (0, 100), 1800)
    assert {each["X-Function"] for each, _ in incident.delivered} == {
        f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:failover-checkout"
    }
    assert lab.world.tables["failover-checkout"].items["checkout"]["holder"] == {"S": ""}


def test_the_controllers_schedule_and_queue_are_as_the_handler_needs_them(controller):
    made, _ = controller
    assert made.noted["Schedule"]["ScheduleExpression"] == "rate(1 minute)"
    assert made.noted["Controller"]["DeadLetterConfig"] == {"TargetArn": made.stack.made["Failed"].attributes["Arn"]}


def test_several_routes_are_all_the_controllers(deploy, lab):
    stack = deploy("application.yaml", **APPLICATION).stack
    rule = stack.output("RuleArn")
    listener = rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
    given = {**of_application(stack), "RuleArns": f"{rule},{rule}2", "ListenerArns": listener}
    outputs = {name: stack.output(name) for name in ("LambdaTargetGroupArn", "EcsTargetGroupArn")}
    deploy("controller.yaml", **given, **outputs, CodeBucket="artefacts", CodeKey="controller.zip")
    variables = dict(lab.world.functions.find("failover-checkout").settings.variables)
    found = environment.application(variables, str)
    assert [each.arn for each in found.routes] == [rule, f"{rule}2", listener]
    assert found.mode == "observe"


# ---- deployments while traffic is on ECS ----


@pytest.fixture
def on_ecs(application, connected, lab, aws):
    """Traffic is on ECS, and the alarm still calls for that."""
    incident = Incident(lab, configuration(application.stack))
    incident.load(*CALM)
    incident.until(lambda: all(each.state.value == "OK" for each in incident.found.alarms), 600)
    incident.load(*SURGE)
    incident.until(lambda: incident.weights == (0, 100) and incident.state.operation is None, 1800)
    return incident


def test_weights_that_a_deployment_reset_are_a_foreign_change(on_ecs, application, lab):
    """CloudFormation writes a rule's whole action list where the rule changed in the template."""
    lab.run(5)
    stack = application.stack
    rule = stack.resolve(stack.document["Resources"]["Rule"]["Properties"])
    lab.call("elbv2", "ModifyRule", RuleArn=stack.output("RuleArn"), Actions=rule["Actions"])
    result = on_ecs.invoke()
    assert result.outcome == "refused"
    assert "foreign_change" in result.reason
    assert on_ecs.weights == (100, 0)
    assert on_ecs.state.hold is not None
    lab.run(120)
    assert on_ecs.invoke().outcome == "refused"
    assert on_ecs.weights == (100, 0)


def test_a_later_deployment_says_no_desired_count(deploy, application):
    again = type(application.stack)("application.yaml", {**APPLICATION, "Creating": "no"})
    again.made = application.stack.made
    assert "DesiredCount" not in again.resolve(again.document["Resources"]["Service"]["Properties"])


def test_tasks_that_a_deployment_took_away_are_brought_back(on_ecs, lab):
    """What a deployment with Creating=yes would do: the desired count becomes 0 under the traffic."""
    lab.call("ecs", "UpdateService", cluster="checkout", service="checkout", desiredCount=0)
    on_ecs.until(lambda: on_ecs.found.service.desired >= 2, 600)
    lab.run(60)
    assert on_ecs.weights == (0, 100)
