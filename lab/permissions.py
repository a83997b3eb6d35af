"""What each call needs: the IAM action, the resources that it is checked against, and the condition keys.

Source: Service Authorization Reference, the pages of the services. An action without resource types is checked against
``*``. ``ecs:ListTasks`` has container instances for its resources, which Fargate has none of: ``*`` as well. Composite
alarms are shown only to who may describe all alarms (CloudWatch API Reference, ``DescribeAlarms``). Who may assume a
role is decided together with the role's trust, by ``lab.iam``; ``sts:GetCallerIdentity`` needs no permission.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.api.application_autoscaling import scalable_target_arn
from lab.world import World

Given = dict[str, Any]


def _anything(_world: World, _given: Given) -> list[str]:
    return ["*"]


def _no_context(_world: World, _given: Given) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Permission:
    """``resources`` are ARNs, each of which must be allowed; ``context`` are the request's condition keys.

    ``for_tags`` is the action that shows the tags in the answer: without it they are left out, and the call works.
    """

    action: str
    resources: Callable[[World, Given], list[str]] = _anything
    context: Callable[[World, Given], dict[str, str]] = _no_context
    for_tags: str = ""


def _member(name: str) -> Callable[[World, Given], list[str]]:
    """The resource is an ARN that the call itself has."""
    return lambda _world, given: [given[name]]


def _cluster(world: World, given: Given) -> dict[str, str]:
    return {"ecs:cluster": world.arn("ecs", f"cluster/{_cluster_name(given)}")}


def _cluster_name(given: Given) -> str:
    return str(given.get("cluster", "default")).rpartition("/")[2]


def _in_cluster(world: World, given: Given, kind: str, names: list[str]) -> list[str]:
    """Names or ARNs of services or tasks as ARNs."""
    ids = [name.rpartition("/")[2] for name in names]
    return [world.arn("ecs", f"{kind}/{_cluster_name(given)}/{each}") for each in ids]


def _services(world: World, given: Given) -> list[str]:
    return _in_cluster(world, given, "service", given["services"])


def _service(world: World, given: Given) -> list[str]:
    return _in_cluster(world, given, "service", [given["service"]])


def _new_service(world: World, given: Given) -> list[str]:
    return _in_cluster(world, given, "service", [given["serviceName"]])


def _tasks(world: World, given: Given) -> list[str]:
    return _in_cluster(world, given, "task", given["tasks"])


def _alarms(world: World, given: Given) -> list[str]:
    if "CompositeAlarm" in given.get("AlarmTypes", ()):
        return ["*"]
    return [world.arn("cloudwatch", f"alarm:{name}") for name in given.get("AlarmNames") or ["*"]]


def _named_alarms(world: World, given: Given) -> list[str]:
    return [world.arn("cloudwatch", f"alarm:{name}") for name in given["AlarmNames"]]


def _alarm(world: World, given: Given) -> list[str]:
    return [world.arn("cloudwatch", f"alarm:{given.get('AlarmName', '*')}")]


def _mute_rule(name: str) -> Callable[[World, Given], list[str]]:
    return lambda world, given: [world.arn("cloudwatch", f"alarm-mute-rule:{given[name]}")]


def _function(world: World, given: Given) -> list[str]:
    name = given["FunctionName"].rpartition(":function:")[2].partition(":")[0]
    return [world.arn("lambda", f"function:{name}")]


def _scalable_target(world: World, given: Given) -> list[str]:
    """A target that does not exist yet has no id to be named by."""
    known = given["ResourceId"] in world.scalable_targets.by_resource
    return [
        scalable_target_arn(world, given["ResourceId"])
        if known
        else world.arn("application-autoscaling", "scalable-target/*")
    ]


def _scalable(_world: World, given: Given) -> dict[str, str]:
    return {
        "application-autoscaling:service-namespace": given["ServiceNamespace"],
        "application-autoscaling:scalable-dimension": given["ScalableDimension"],
    }


def _leading_key(world: World, given: Given) -> dict[str, str]:
    """The one partition key that a call is about, where it names one that the table can have."""
    table = world.tables.get(given["TableName"].rpartition("/")[2])
    value = {**given.get("Item", {}), **given.get("Key", {})}.get(table.key if table else "", {})
    return {"dynamodb:LeadingKeys": str(value["S"])} if "S" in value else {}


def _in_region(service: str, prefix: str, name: str) -> Callable[[World, Given], list[str]]:
    """A resource that the call names."""
    return lambda world, given: [world.arn(service, f"{prefix}{given[name].rpartition('/')[2]}")]


def _quota(world: World, given: Given) -> list[str]:
    return [world.arn("servicequotas", f"{given['ServiceCode']}/{given['QuotaCode']}")]


def _table(world: World, given: Given) -> list[str]:
    return [world.arn("dynamodb", f"table/{given['TableName'].rpartition('/')[2]}")]


_ELB, _CLOUDWATCH, _SCALING = "elasticloadbalancing", "cloudwatch", "application-autoscaling"

PERMISSIONS = {
    ("ecs", "DescribeServices"): Permission("ecs:DescribeServices", _services, _cluster),
    ("ecs", "UpdateService"): Permission("ecs:UpdateService", _service, _cluster),
    ("ecs", "ListTasks"): Permission("ecs:ListTasks", context=_cluster),
    ("ecs", "DescribeTasks"): Permission("ecs:DescribeTasks", _tasks, _cluster),
    ("ecs", "DescribeTaskDefinition"): Permission("ecs:DescribeTaskDefinition"),
    ("ecs", "ListClusters"): Permission("ecs:ListClusters"),
    ("ecs", "ListServices"): Permission("ecs:ListServices", context=_cluster),
    ("elbv2", "DescribeLoadBalancers"): Permission(f"{_ELB}:DescribeLoadBalancers"),
    ("elbv2", "DescribeListeners"): Permission(f"{_ELB}:DescribeListeners"),
    ("elbv2", "DescribeRules"): Permission(f"{_ELB}:DescribeRules"),
    ("elbv2", "DescribeTargetGroups"): Permission(f"{_ELB}:DescribeTargetGroups"),
    ("elbv2", "DescribeTargetGroupAttributes"): Permission(f"{_ELB}:DescribeTargetGroupAttributes"),
    ("elbv2", "DescribeTargetHealth"): Permission(f"{_ELB}:DescribeTargetHealth"),
    ("elbv2", "ModifyListener"): Permission(f"{_ELB}:ModifyListener", _member("ListenerArn")),
    ("elbv2", "ModifyRule"): Permission(f"{_ELB}:ModifyRule", _member("RuleArn")),
    ("cloudwatch", "DescribeAlarms"): Permission(f"{_CLOUDWATCH}:DescribeAlarms", _alarms),
    ("cloudwatch", "DescribeAlarmHistory"): Permission(f"{_CLOUDWATCH}:DescribeAlarmHistory", _alarm),
    ("cloudwatch", "SetAlarmState"): Permission(f"{_CLOUDWATCH}:SetAlarmState", _alarm),
    ("cloudwatch", "EnableAlarmActions"): Permission(f"{_CLOUDWATCH}:EnableAlarmActions", _named_alarms),
    ("cloudwatch", "DisableAlarmActions"): Permission(f"{_CLOUDWATCH}:DisableAlarmActions", _named_alarms),
    ("cloudwatch", "PutAlarmMuteRule"): Permission(f"{_CLOUDWATCH}:PutAlarmMuteRule", _mute_rule("Name")),
    ("cloudwatch", "GetAlarmMuteRule"): Permission(f"{_CLOUDWATCH}:GetAlarmMuteRule", _mute_rule("AlarmMuteRuleName")),
    ("cloudwatch", "ListAlarmMuteRules"): Permission(f"{_CLOUDWATCH}:ListAlarmMuteRules"),
    ("cloudwatch", "DeleteAlarmMuteRule"): Permission(
        f"{_CLOUDWATCH}:DeleteAlarmMuteRule", _mute_rule("AlarmMuteRuleName")
    ),
    ("cloudwatch", "GetMetricData"): Permission(f"{_CLOUDWATCH}:GetMetricData"),
    ("lambda", "GetFunction"): Permission("lambda:GetFunction", _function, for_tags="lambda:ListTags"),
    ("lambda", "GetFunctionConcurrency"): Permission("lambda:GetFunctionConcurrency", _function),
    ("lambda", "PutFunctionConcurrency"): Permission("lambda:PutFunctionConcurrency", _function),
    ("lambda", "GetFunctionConfiguration"): Permission("lambda:GetFunctionConfiguration", _function),
    ("lambda", "GetAccountSettings"): Permission("lambda:GetAccountSettings"),
    (_SCALING, "DescribeScalableTargets"): Permission(f"{_SCALING}:DescribeScalableTargets"),
    (_SCALING, "RegisterScalableTarget"): Permission(f"{_SCALING}:RegisterScalableTarget", _scalable_target, _scalable),
    (_SCALING, "DeregisterScalableTarget"): Permission(
        f"{_SCALING}:DeregisterScalableTarget", _scalable_target, _scalable
    ),
    ("sts", "AssumeRole"): Permission("sts:AssumeRole", _member("RoleArn")),
    ("sts", "GetCallerIdentity"): Permission("sts:GetCallerIdentity"),
    ("dynamodb", "GetItem"): Permission("dynamodb:GetItem", _table, _leading_key),
    ("dynamodb", "PutItem"): Permission("dynamodb:PutItem", _table, _leading_key),
    ("dynamodb", "UpdateItem"): Permission("dynamodb:UpdateItem", _table, _leading_key),
    ("dynamodb", "DeleteItem"): Permission("dynamodb:DeleteItem", _table, _leading_key),
    ("ecs", "CreateCluster"): Permission("ecs:CreateCluster"),
    ("ecs", "RegisterTaskDefinition"): Permission("ecs:RegisterTaskDefinition"),
    ("ecs", "CreateService"): Permission("ecs:CreateService", _new_service, _cluster),
    ("elbv2", "CreateLoadBalancer"): Permission(f"{_ELB}:CreateLoadBalancer"),
    ("elbv2", "CreateTargetGroup"): Permission(f"{_ELB}:CreateTargetGroup"),
    ("elbv2", "ModifyTargetGroupAttributes"): Permission(
        f"{_ELB}:ModifyTargetGroupAttributes", _member("TargetGroupArn")
    ),
    ("elbv2", "RegisterTargets"): Permission(f"{_ELB}:RegisterTargets", _member("TargetGroupArn")),
    ("elbv2", "CreateListener"): Permission(f"{_ELB}:CreateListener", _member("LoadBalancerArn")),
    ("elbv2", "CreateRule"): Permission(f"{_ELB}:CreateRule", _member("ListenerArn")),
    ("cloudwatch", "PutMetricAlarm"): Permission(f"{_CLOUDWATCH}:PutMetricAlarm", _alarm),
    ("lambda", "CreateFunction"): Permission("lambda:CreateFunction", _function),
    ("lambda", "AddPermission"): Permission("lambda:AddPermission", _function),
    ("dynamodb", "CreateTable"): Permission("dynamodb:CreateTable", _table),
    ("service-quotas", "GetServiceQuota"): Permission("servicequotas:GetServiceQuota", _quota),
    ("events", "PutRule"): Permission("events:PutRule", _in_region("events", "rule/", "Name")),
    ("events", "PutTargets"): Permission("events:PutTargets", _in_region("events", "rule/", "Rule")),
    ("events", "CreateConnection"): Permission("events:CreateConnection"),
    ("events", "CreateApiDestination"): Permission("events:CreateApiDestination"),
}
TAG_ACTIONS = {each.for_tags for each in PERMISSIONS.values() if each.for_tags}
