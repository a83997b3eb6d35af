"""A template's resources as calls on the lab, each property read by a call or by what is stated here.

A property that no call reads is refused by botocore's model or by the lab; one of a resource that the lab has no notion
of must be in `STATED`. What the lab does not act on is kept in `noted`, for tests to look at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.model import ListShape, MapShape, StructureShape
from botocore.session import get_session
from botocore.validate import ParamValidator

from lab.event_rules import Destination, RetryPolicy
from lab.iam import RoleTable
from lab.policy import Statement
from lab.virtual import VirtualLab
from tests.infra.template import ACCOUNT, REGION, Made, Stack
from tests.lab.on_virtual import LOADER

# Of what the lab has no notion of: every property that these templates may use, and what it is.
STATED: dict[str, set[str]] = {
    "AWS::EC2::VPC": {"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "Tags"},
    "AWS::EC2::InternetGateway": {"Tags"},
    "AWS::EC2::VPCGatewayAttachment": {"VpcId", "InternetGatewayId"},
    "AWS::EC2::RouteTable": {"VpcId"},
    "AWS::EC2::Route": {"RouteTableId", "DestinationCidrBlock", "GatewayId"},
    "AWS::EC2::Subnet": {"VpcId", "CidrBlock", "AvailabilityZone", "Tags"},
    "AWS::EC2::SubnetRouteTableAssociation": {"SubnetId", "RouteTableId"},
    "AWS::EC2::SecurityGroup": {
        "GroupDescription", "VpcId", "SecurityGroupIngress", "SecurityGroupIngress.Description",
        "SecurityGroupIngress.IpProtocol", "SecurityGroupIngress.FromPort", "SecurityGroupIngress.ToPort",
        "SecurityGroupIngress.CidrIp", "SecurityGroupIngress.SourceSecurityGroupId",
    },
    "AWS::Logs::LogGroup": {"LogGroupName", "RetentionInDays"},
    "AWS::ECR::Repository": {
        "RepositoryName", "ImageTagMutability", "ImageScanningConfiguration", "LifecyclePolicy",
        "ImageScanningConfiguration.ScanOnPush", "LifecyclePolicy.LifecyclePolicyText",
    },
    "AWS::SQS::Queue": {"QueueName", "MessageRetentionPeriod", "SqsManagedSseEnabled"},
    "AWS::SQS::QueuePolicy": {"Queues", "PolicyDocument"},
    "AWS::ApplicationAutoScaling::ScalingPolicy": {
        "PolicyName", "PolicyType", "ScalingTargetId", "TargetTrackingScalingPolicyConfiguration",
        "TargetTrackingScalingPolicyConfiguration.TargetValue",
        "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification",
        "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType",
        "TargetTrackingScalingPolicyConfiguration.ScaleInCooldown",
        "TargetTrackingScalingPolicyConfiguration.ScaleOutCooldown",
    },
}  # fmt: skip
_WHOLE = {"PolicyDocument", "AssumeRolePolicyDocument", "Tags"}  # IAM's language, and AWS's key and value
_STATEMENT = {"Effect", "Action", "Resource", "Condition"}

Properties = dict[str, Any]


@dataclass
class Replay:
    """What replaying has made. `policies` are role names with all their statements."""

    stack: Stack
    lab: VirtualLab
    noted: dict[str, Properties] = field(default_factory=dict)
    policies: dict[str, tuple[Statement, ...]] = field(default_factory=dict)

    def run(self) -> Replay:
        for name, resource in self.stack.resources().items():
            kind, properties = resource["Type"], self.stack.resolve(resource.get("Properties", {}))
            make = HANDLERS.get(kind, _stated)
            self.stack.made[name] = make(self, name, kind, properties)
        self.lab.cloud.gather()
        return self

    def call(self, service: str, operation: str, properties: Properties) -> dict[str, Any]:
        """One call, its input as the service's model spells it. Fails on what the model or the lab does not know."""
        model = _model(service).operation_model(operation)
        given = as_input(model.input_shape, properties, operation)
        report = ParamValidator().validate(given, model.input_shape)
        assert not report.has_errors(), f"{operation}: {report.generate_report()}"
        return self.lab.call(service, operation, region=REGION, **given)

    def note(self, name: str, properties: Properties, *keys: str) -> Properties:
        """The properties without these, which are kept for the tests to look at."""
        self.noted[name] = {key: properties[key] for key in keys if key in properties}
        return {key: value for key, value in properties.items() if key not in keys}


def replay(
    template: str | dict[str, Any], lab: VirtualLab, secrets: dict[str, str] | None = None, **parameters: str
) -> Replay:
    return Replay(Stack(template, parameters, secrets), lab).run()


# ---- from CloudFormation's spelling to an API's ----


def _model(service: str) -> Any:
    core = get_session()
    core.register_component("data_loader", LOADER)
    return core.get_service_model(service)


def as_input(shape: Any, value: Any, where: str) -> Any:
    """Names by their first letter's case; numbers and texts as the shape wants them, as CloudFormation does it."""
    if isinstance(shape, StructureShape):
        return {
            (member := _member(shape, name, where)): as_input(shape.members[member], each, f"{where}.{name}")
            for name, each in value.items()
        }
    if isinstance(shape, ListShape):
        return [as_input(shape.member, each, f"{where}[]") for each in value]
    if isinstance(shape, MapShape):
        return dict(value)
    convert: dict[str, Callable[[Any], Any]] = {"integer": int, "long": int, "double": float, "float": float}
    return convert.get(shape.type_name, str if shape.type_name == "string" else lambda it: it)(value)


def _member(shape: Any, name: str, where: str) -> str:
    for spelled in (name, name[0].lower() + name[1:]):
        if spelled in shape.members:
            return spelled
    raise AssertionError(f"{where}.{name}: nothing reads this property")


# ---- resources that the lab has ----


def _load_balancer(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    made = run.call("elbv2", "CreateLoadBalancer", given)["LoadBalancers"][0]
    return Made(made["LoadBalancerArn"], {"DNSName": made["DNSName"], "LoadBalancerName": made["LoadBalancerName"]})


def _target_group(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    later = {key: given.pop(key) for key in ("Targets", "TargetGroupAttributes") if key in given}
    arn = run.call("elbv2", "CreateTargetGroup", given)["TargetGroups"][0]["TargetGroupArn"]
    if "TargetGroupAttributes" in later:
        attributes = {"TargetGroupArn": arn, "Attributes": later["TargetGroupAttributes"]}
        run.call("elbv2", "ModifyTargetGroupAttributes", attributes)
    if "Targets" in later:
        run.call("elbv2", "RegisterTargets", {"TargetGroupArn": arn, "Targets": later["Targets"]})
    return Made(arn)


def _listener(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    return Made(run.call("elbv2", "CreateListener", given)["Listeners"][0]["ListenerArn"])


def _listener_rule(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    return Made(run.call("elbv2", "CreateRule", given)["Rules"][0]["RuleArn"])


def _function(run: Replay, name: str, _kind: str, given: Properties) -> Made:
    """A dead-letter queue and a description change nothing about what the function does."""
    rest = run.note(name, given, "DeadLetterConfig", "Description")
    reserved = rest.pop("ReservedConcurrentExecutions", None)
    rest["Tags"] = {each["Key"]: each["Value"] for each in rest.get("Tags", [])}
    made = run.call("lambda", "CreateFunction", rest)
    if reserved is not None:
        wanted = {"FunctionName": made["FunctionName"], "ReservedConcurrentExecutions": reserved}
        run.call("lambda", "PutFunctionConcurrency", wanted)
    return Made(made["FunctionName"], {"Arn": made["FunctionArn"]})


def _permission(run: Replay, name: str, _kind: str, given: Properties) -> Made:
    run.call("lambda", "AddPermission", {"StatementId": name, **given})
    return Made(name)


def _cluster(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    made = run.call("ecs", "CreateCluster", given)["cluster"]
    return Made(made["clusterName"], {"Arn": made["clusterArn"]})


def _task_definition(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    return Made(run.call("ecs", "RegisterTaskDefinition", given)["taskDefinition"]["taskDefinitionArn"])


def _service(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    """CloudFormation's own default where a template does not say a count."""
    made = run.call("ecs", "CreateService", {"DesiredCount": 1, **given})["service"]
    return Made(made["serviceArn"], {"Name": made["serviceName"], "ServiceArn": made["serviceArn"]})


def _scalable_target(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    made = run.call("application-autoscaling", "RegisterScalableTarget", given)
    return Made(f"{given['ResourceId']}|{given['ScalableDimension']}|ecs", {"Id": made["ScalableTargetARN"]})


def _alarm(run: Replay, name: str, _kind: str, given: Properties) -> Made:
    rest = run.note(name, given, "AlarmActions")
    run.call("cloudwatch", "PutMetricAlarm", rest)
    run.noted[name] |= rest
    return Made(given["AlarmName"], {"Arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{given['AlarmName']}"})


def _table(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    made = run.call("dynamodb", "CreateTable", given)["TableDescription"]
    return Made(made["TableName"], {"Arn": made["TableArn"]})


def _connection(run: Replay, name: str, _kind: str, given: Properties) -> Made:
    return Made(given["Name"], {"Arn": run.call("events", "CreateConnection", given)["ConnectionArn"]})


def _api_destination(run: Replay, _name: str, _kind: str, given: Properties) -> Made:
    return Made(given["Name"], {"Arn": run.call("events", "CreateApiDestination", given)["ApiDestinationArn"]})


def _event_rule(run: Replay, name: str, _kind: str, given: Properties) -> Made:
    """A schedule and a function as target are the tests' to play: the lab has neither."""
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{given['Name']}"
    made = Made(given["Name"], {"Arn": arn})
    if "ScheduleExpression" in given:
        rest = run.note(name, given, "Name", "Description", "State", "ScheduleExpression", "Targets")
        assert not rest, f"{name}: nothing reads {rest}"
        return made
    targets = given.pop("Targets")
    run.call("events", "PutRule", {**given, "EventPattern": json.dumps(given["EventPattern"])})
    if ":function:" in targets[0]["Arn"]:
        _invokes(run, name, given["Name"], targets)
    else:
        run.call("events", "PutTargets", {"Rule": given["Name"], "Targets": targets})
    return made


def _invokes(run: Replay, name: str, rule: str, targets: list[Properties]) -> None:
    """A rule whose events the virtual lab's receiver gets, as it would get those of an API destination."""
    (target,) = targets
    rest = {key: value for key, value in target.items() if key not in {"Id", "Arn", "RetryPolicy", "DeadLetterConfig"}}
    assert not rest, f"{name}: nothing reads {rest}"
    policy = target["RetryPolicy"]
    bus = run.lab.world.bus
    retry = RetryPolicy(policy["MaximumRetryAttempts"], policy["MaximumEventAgeInSeconds"])
    destination = Destination("https://lambda.invalid", "X-Function", target["Arn"])
    bus.rules = [
        replace(each, retry=retry, destination=destination, dead_letter_queue="DeadLetterConfig" in target)
        if each.name == rule
        else each
        for each in bus.rules
    ]


# ---- resources that it has no notion of ----


def _role(run: Replay, name: str, _kind: str, given: Properties) -> Made:
    """A role that the lab lets be assumed, with the statements of all its policies."""
    role_name = given.get("RoleName", name)
    rest = run.note(
        name, given, "RoleName", "Description", "MaxSessionDuration", "AssumeRolePolicyDocument", "Policies"
    )
    assert not rest, f"{name}: nothing reads {rest}"
    assert all(set(each) == {"PolicyName", "PolicyDocument"} for each in given.get("Policies", []))
    documents = [each["PolicyDocument"] for each in given.get("Policies", [])]
    run.policies[role_name] = statements(*documents)
    trusted, external_id = _trust(given["AssumeRolePolicyDocument"])
    run.lab.cloud.access.add_role(
        role_name,
        RoleTable(
            trust=trusted,
            external_id=external_id,
            max_session_seconds=given.get("MaxSessionDuration", 3600),
            policy=run.policies[role_name],
        ),
    )
    return Made(role_name, {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{role_name}"})


def _trust(document: Properties) -> tuple[tuple[str, ...], str]:
    (statement,) = document["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    external_id = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId", "")
    return tuple(statement["Principal"].values()), external_id


def statements(*documents: Properties) -> tuple[Statement, ...]:
    """IAM policies in the lab's words. Fails on what the lab would not look at."""
    return tuple(_statement(each) for document in documents for each in document["Statement"])


def _statement(given: Properties) -> Statement:
    assert set(given) <= _STATEMENT, set(given) - _STATEMENT
    conditions = {
        operator: {key: tuple(_list(value)) for key, value in tests.items()}
        for operator, tests in given.get("Condition", {}).items()
    }
    statement = Statement(tuple(_list(given["Action"])), tuple(_list(given["Resource"])), given["Effect"], conditions)
    assert statement.problems() == []
    return statement


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _stated(run: Replay, name: str, kind: str, given: Properties) -> Made:
    unread = set(_paths(given)) - STATED[kind]
    assert not unread, f"{name}: nothing reads {unread}"
    run.noted[name] = given
    ref, attributes = _REFS.get(kind, lambda _name, _given: (f"{name}-id", {}))(name, given)
    return Made(ref, attributes)


def _paths(given: Any, where: str = "") -> Iterator[str]:
    if isinstance(given, list):
        for each in given:
            yield from _paths(each, where)
    elif isinstance(given, dict):
        for name, value in given.items():
            yield f"{where}{name}"
            if name not in _WHOLE:
                yield from _paths(value, f"{where}{name}.")


def _log_group(_name: str, given: Properties) -> tuple[str, dict[str, str]]:
    name = given["LogGroupName"]
    return name, {"Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"}


def _repository(_name: str, given: Properties) -> tuple[str, dict[str, str]]:
    name = given["RepositoryName"]
    uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}"
    return name, {"Arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}", "RepositoryUri": uri}


def _queue(_name: str, given: Properties) -> tuple[str, dict[str, str]]:
    name = given["QueueName"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}", {"Arn": arn, "QueueName": name}


_REFS: dict[str, Callable[[str, Properties], tuple[str, dict[str, str]]]] = {
    "AWS::Logs::LogGroup": _log_group,
    "AWS::ECR::Repository": _repository,
    "AWS::SQS::Queue": _queue,
}
HANDLERS: dict[str, Callable[[Replay, str, str, Properties], Made]] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _listener_rule,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::ECS::Cluster": _cluster,
    "AWS::ECS::TaskDefinition": _task_definition,
    "AWS::ECS::Service": _service,
    "AWS::ApplicationAutoScaling::ScalableTarget": _scalable_target,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Connection": _connection,
    "AWS::Events::ApiDestination": _api_destination,
    "AWS::Events::Rule": _event_rule,
    "AWS::IAM::Role": _role,
}
