"""application.yaml, replayed as calls: what it makes, and what it refuses."""

import pytest

from failover.config import parse, read_text
from lab.alarms import OK
from tests.infra.conftest import APPLICATION
from tests.infra.template import ParameterError, load


def test_lambda_serves_and_ecs_waits_without_a_task(application, lab):
    found = lab.cloud.applications["checkout"]
    assert found.service.desired == 0
    assert found.service.deployments.breaker.rollback
    rule = found.listener.rules[0]
    assert not rule.is_default
    weights = [group["Weight"] for group in rule.actions[0]["ForwardConfig"]["TargetGroups"]]
    assert weights == [100, 0]
    assert found.lambda_group.health_check.enabled
    assert found.ecs_group.health_check.enabled
    assert found.function.reserved == 20


def test_requests_are_answered_by_lambda_from_the_start(application, lab):
    lab.run(30, "checkout", rate=5)
    assert {(each.status, each.pool) for each in lab.records} == {(200, "lambda")}


def test_idle_alarms_turn_ok_and_stay(application, lab):
    lab.run(600)
    assert {each.state.value for each in lab.cloud.applications["checkout"].alarms} == {OK}


def test_its_output_is_the_applications_configuration(application):
    text = application.stack.output("Toml")
    found = parse(read_text(text, "stack"), "stack")
    assert (found.slug, found.function_name, found.cluster, found.service) == (("checkout",) * 2 + ("checkout",) * 2)
    assert [route.arn for route in found.routes] == [application.stack.output("RuleArn")]
    assert found.role_arn == "arn:aws:iam::123456789012:role/failover-checkout"
    assert found.external_id == "team-web"
    assert len(text.encode()) < 4096


def test_without_an_external_id_no_role_is_assumed(deploy):
    made = deploy("application.yaml", **APPLICATION)
    assert parse(read_text(made.stack.output("Toml"), "stack"), "stack").role_arn == ""


def test_tasks_are_reached_by_the_load_balancer_alone(application):
    (ingress,) = application.noted["TaskSecurityGroup"]["SecurityGroupIngress"]
    assert (ingress["FromPort"], ingress["ToPort"]) == (8080, 8080)
    assert ingress["SourceSecurityGroupId"] == application.stack.made["LoadBalancerSecurityGroup"].ref
    assert "CidrIp" not in ingress


def test_an_account_may_give_its_own_network(deploy):
    network = {
        "VpcId": "vpc-0123456789abcdef0",
        "LoadBalancerSubnetIds": "subnet-1,subnet-2",
        "TaskSubnetIds": "subnet-3",
    }
    made = deploy("application.yaml", **APPLICATION, **network, Scheme="internal")
    assert "Vpc" not in made.stack.made
    assert "SubnetA" not in made.stack.made


def test_with_a_certificate_it_listens_by_https_alone(deploy, lab):
    certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
    deploy("application.yaml", **APPLICATION, CertificateArn=certificate)
    listener = lab.cloud.applications["checkout"].listener
    assert (listener.port, listener.protocol) == (443, "HTTPS")


def test_the_function_may_be_an_image(deploy, lab):
    image = {"LambdaImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lambda:1"}
    rest = {key: value for key, value in APPLICATION.items() if not key.startswith("Code")}
    assert deploy("application.yaml", **rest, **image).stack.made["Function"].ref == "checkout"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Slug": "Checkout"}, "Slug"),
        ({"Slug": "a" * 25}, "Slug"),
        ({"VpcId": "vpc-0123456789abcdef0"}, "LoadBalancerSubnetIds"),
        ({"CodeKey": ""}, "LambdaImageUri"),
        ({"MaxTasks": "0"}, "MaxTasks"),
        ({"LogRetentionDays": "2"}, "LogRetentionDays"),
        ({"ClientCidr": "everybody"}, "ClientCidr"),
        ({"Nothing": "1"}, "Nothing"),
    ],
)
def test_parameters_that_can_not_work_are_refused_before_anything_is_made(deploy, lab, changed, said):
    with pytest.raises(ParameterError, match=said):
        deploy("application.yaml", **{**APPLICATION, **changed})
    assert lab.world.load_balancers() == []


@pytest.mark.parametrize(
    ("resource", "changed", "said"),
    [
        ("Function", {"SnapStart": {"ApplyOn": "None"}}, "SnapStart"),
        ("Service", {"ServiceConnectConfiguration": {"Enabled": False}}, "serviceConnectConfiguration"),
        ("Rule", {"Tag": "x"}, "Tag"),
        ("Vpc", {"InstanceTenancy": "default"}, "InstanceTenancy"),
        ("ConcurrencyAlarm", {"Unit": "Count"}, "Unit"),
    ],
)
def test_a_property_that_nothing_reads_fails(deploy, resource, changed, said):
    document = load("application.yaml")
    document["Resources"][resource]["Properties"] |= changed
    with pytest.raises(Exception, match=said):
        deploy(document, **APPLICATION)


def test_the_function_is_not_registered_before_the_load_balancer_may_invoke_it(deploy):
    document = load("application.yaml")
    del document["Resources"]["LambdaTargetGroup"]["DependsOn"], document["Resources"]["LoadBalancerInvokes"]
    with pytest.raises(Exception, match="does not have permission to invoke"):
        deploy(document, **APPLICATION)


def test_the_service_waits_for_the_rule(deploy):
    document = load("application.yaml")
    document["Resources"]["Rule"]["DependsOn"] = "Service"
    del document["Resources"]["Service"]["DependsOn"]
    with pytest.raises(Exception, match="does not have an associated load balancer"):
        deploy(document, **APPLICATION)
