"""Every error of the calls that the lab answers, as boto3 reads it: code, HTTP status, and a word of the sentence.

Codes and statuses are those of the API References ("Errors" of each action) and of AWS's service models.
"""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from lab import api
from tests.lab.on_virtual import Wire
from tests.lab.wire.calls import metric_data

CLUSTER = {"cluster": "apis"}
SCALABLE = {
    "ServiceNamespace": "ecs",
    "ScalableDimension": "ecs:service:DesiredCount",
    "ResourceId": "service/apis/none",
}
NOW = 1_800_000_000


def actions(*weights, **forward):
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}, **forward}]


def of(virtual):
    application = virtual.world.applications["checkout"]
    return application.listener.arn, application.lambda_group.arn, application.ecs_group.arn


def elb_writes(virtual):
    """Action lists that Elastic Load Balancing refuses."""
    listener, function, tasks = of(virtual)
    default_rule = virtual.world.applications["checkout"].listener.default.arn
    good = actions((function, 1), (tasks, 0))
    oidc = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc_config()}
    final = [good[0] | {"Order": 2}]
    invalid = [
        ("InvalidLoadBalancerAction", "exactly one forward", good * 2),
        ("InvalidLoadBalancerAction", "its own 'Order'", [oidc | {"Order": 2}, *final]),
        ("InvalidLoadBalancerAction", "must be the last", [oidc | {"Order": 3}, *final]),
        ("InvalidLoadBalancerAction", "client secret must be specified", [oidc, *final]),
        ("InvalidLoadBalancerAction", "of type 'redirect'", [{"Type": "redirect"}]),
        (
            "InvalidLoadBalancerAction",
            "only one target group",
            actions((function, 1), (tasks, 0), TargetGroupArn=tasks),
        ),
        ("ValidationError", "must be between 0 and 999", actions((function, 1000))),
        ("ValidationError", "may be named once", actions((function, 1), (function, 2))),
        ("TargetGroupNotFound", "not found", actions(("arn:none", 1))),
        ("TooManyTargetGroups", "1 to 5", actions(*((f"arn:{n}", 1) for n in range(6)))),
    ]
    for code, word, given in invalid:
        yield "elbv2", "ModifyListener", {"ListenerArn": listener, "DefaultActions": given}, code, 400, word
    yield "elbv2", "ModifyListener", {"ListenerArn": "arn:none"}, "ListenerNotFound", 400, "arn:none"
    yield "elbv2", "ModifyListener", {"ListenerArn": listener, "Port": 81}, "ValidationError", 400, "not Port"
    yield "elbv2", "ModifyRule", {"RuleArn": "arn:none"}, "RuleNotFound", 400, "arn:none"
    yield "elbv2", "ModifyRule", {"RuleArn": default_rule, "Actions": good}, "OperationNotPermitted", 400, "listener"


def oidc_config():
    names = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")
    return dict.fromkeys(names, "https://login.example") | {"ClientId": "panel"}


def elb_reads(virtual):
    listener, function, _ = of(virtual)
    unknown = {"TargetGroupArn": "arn:none"}
    both = {"ListenerArn": listener, "RuleArns": ["arn:none"]}
    yield "elbv2", "DescribeLoadBalancers", {"Names": ["none"]}, "LoadBalancerNotFound", 400, "none"
    yield "elbv2", "DescribeListeners", {}, "ValidationError", 400, "either listener ARNs or"
    yield "elbv2", "DescribeListeners", {"ListenerArns": ["arn:none"]}, "ListenerNotFound", 400, "arn:none"
    yield "elbv2", "DescribeRules", both, "ValidationError", 400, "either"
    yield "elbv2", "DescribeRules", {"RuleArns": ["arn:none"]}, "RuleNotFound", 400, "arn:none"
    yield "elbv2", "DescribeTargetGroups", {"Names": ["none"]}, "TargetGroupNotFound", 400, "none"
    yield "elbv2", "DescribeTargetGroupAttributes", unknown, "TargetGroupNotFound", 400, "arn:none"
    yield "elbv2", "DescribeTargetHealth", unknown, "TargetGroupNotFound", 400, "arn:none"
    target = {"TargetGroupArn": function, "Targets": [{"Id": "10.9.9.9"}]}
    yield "elbv2", "DescribeTargetHealth", target, "InvalidTarget", 400, "10.9.9.9"


def ecs(_virtual):
    nobody = CLUSTER | {"service": "none", "desiredCount": 1}
    negative = CLUSTER | {"service": "checkout", "desiredCount": -1}
    elsewhere = CLUSTER | {"service": "checkout", "platformVersion": "1.4.0"}
    invalid = "InvalidParameterException"
    yield "ecs", "UpdateService", nobody, "ServiceNotFoundException", 400, "Service not found."
    yield "ecs", "UpdateService", negative, invalid, 400, "negative"
    yield "ecs", "UpdateService", elsewhere, invalid, 400, "platformVersion"
    yield "ecs", "UpdateService", nobody | {"cluster": "x"}, "ClusterNotFoundException", 400, "Cluster not found."
    yield "ecs", "DescribeServices", CLUSTER | {"services": ["x"] * 11}, invalid, 400, "1 to 10"
    yield "ecs", "DescribeServices", CLUSTER | {"services": []}, invalid, 400, "1 to 10"
    yield "ecs", "DescribeTasks", CLUSTER | {"tasks": ["x"] * 101}, invalid, 400, "1 to 100"
    yield "ecs", "DescribeTasks", {"tasks": ["x"]}, "ClusterNotFoundException", 400, "Cluster not found."
    yield "ecs", "ListTasks", CLUSTER | {"serviceName": "none"}, "ServiceNotFoundException", 400, "Service not found."


def cloudwatch(_virtual):
    state = {"AlarmName": "none", "StateValue": "OK", "StateReason": "r"}
    (query, _) = metric_data(NOW)["MetricDataQueries"]
    span = {"StartTime": NOW - 60, "EndTime": NOW}
    math = {"Id": "sum", "Expression": "SUM(METRICS())"}
    odd = query | {"MetricStat": query["MetricStat"] | {"Period": 61}}
    vague = query | {"MetricStat": query["MetricStat"] | {"Stat": "Median"}}
    both = {"AlarmNames": ["a"], "AlarmNamePrefix": "a"}
    yield "cloudwatch", "SetAlarmState", state, "ResourceNotFound", 404, "none"
    yield "cloudwatch", "DescribeAlarms", {"AlarmNames": ["a"] * 101}, "ValidationError", 400, "at most 100"
    yield "cloudwatch", "DescribeAlarms", both, "ValidationError", 400, "exclude"
    for queries, word in ([math], "metric math"), ([odd], "61"), ([vague], "Median"), ([query] * 501, "500"):
        yield "cloudwatch", "GetMetricData", {"MetricDataQueries": queries, **span}, "ValidationError", 400, word
    backwards = {"MetricDataQueries": [query], "StartTime": NOW, "EndTime": NOW}
    yield "cloudwatch", "GetMetricData", backwards, "ValidationError", 400, "StartTime must be less"


def others(_virtual):
    missing, invalid = "ResourceNotFoundException", "InvalidParameterValueException"
    everything = {"FunctionName": "checkout", "ReservedConcurrentExecutions": 901}
    for name in ("GetFunction", "GetFunctionConcurrency", "GetFunctionConfiguration"):
        yield "lambda", name, {"FunctionName": "none"}, missing, 404, "Function not found: none"
    yield "lambda", "PutFunctionConcurrency", everything, invalid, 400, "below its minimum value of [100]"
    scaling, register = "application-autoscaling", "RegisterScalableTarget"
    theirs = SCALABLE | {"ResourceId": "service/apis/narrow"}
    tables = SCALABLE | {"ServiceNamespace": "dynamodb"}
    yield scaling, register, SCALABLE, "ValidationException", 400, "doesn't exist: service/apis/none"
    yield scaling, register, theirs, "ValidationException", 400, "required for a new scalable target"
    yield scaling, register, theirs | {"MinCapacity": 2, "MaxCapacity": 1}, "ValidationException", 400, "less than"
    yield scaling, register, tables, "ValidationException", 400, "alone"


KINDS = (elb_writes, elb_reads, ecs, cloudwatch, others)


@pytest.mark.parametrize("kind", KINDS)
def test_what_aws_refuses_is_refused_with_code_and_status(virtual, kind):
    wire = Wire(virtual)
    for service, operation, given, *expected in kind(virtual):
        client = wire.client(service, parameter_validation=False)
        with pytest.raises(ClientError) as refused:
            getattr(client, xform_name(operation))(**given)
        error, metadata = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
        assert [error["Code"], metadata["HTTPStatusCode"]] == expected[:2], f"{service}:{operation} {given}"
        assert expected[2] in error["Message"]
        virtual.now += 1  # the buckets fill again


REQUIRED = [
    ("ecs", "describe_services", "InvalidParameterException", "services"),
    ("elbv2", "describe_target_health", "ValidationError", "TargetGroupArn"),
    ("cloudwatch", "get_metric_data", "ValidationError", "MetricDataQueries"),
    ("application-autoscaling", "describe_scalable_targets", "ValidationException", "ServiceNamespace"),
    ("sts", "assume_role", "ValidationError", "RoleArn"),
    ("dynamodb", "get_item", "ValidationException", "TableName"),
]


@pytest.mark.parametrize(("service", "operation", "code", "member"), REQUIRED)
def test_a_member_that_is_missing_is_refused_by_the_service_too(virtual, service, operation, code, member):
    client = Wire(virtual).client(service, parameter_validation=False)
    with pytest.raises(ClientError, match=member) as refused:
        getattr(client, operation)()
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("service", sorted(api.answered()))
def test_an_operation_that_the_lab_does_not_have_says_so(virtual, service):
    calls = {
        "ecs": ("describe_clusters", {}),
        "elbv2": ("describe_account_limits", {}),
        "cloudwatch": ("list_dashboards", {}),
        "lambda": ("list_functions", {}),
        "application-autoscaling": ("describe_scaling_policies", {"ServiceNamespace": "ecs"}),
        "sts": ("get_session_token", {}),
        "dynamodb": ("list_tables", {}),
        "events": ("list_rules", {}),
        "service-quotas": ("list_services", {}),
    }
    operation, given = calls[service]
    with pytest.raises(ClientError, match=f"The lab does not answer {service}:"):
        getattr(Wire(virtual).client(service), operation)(**given)
