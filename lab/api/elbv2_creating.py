"""Elastic Load Balancing v2: load balancers, target groups, listeners and rules as calls create them.

Source: Elastic Load Balancing API Reference, the ``Create*`` actions, ``RegisterTargets``; Application Load Balancers
guide, "Use Lambda functions as targets" (the load balancer needs permission to invoke the function).
"""

from typing import Any

from lab.actions import accept
from lab.alb import Listener, Rule
from lab.api.elbv2 import describe_group, describe_listener, describe_one, describe_rule, find_group, find_listener
from lab.api.elbv2 import load_balancer_by_arn as by_arn
from lab.errors import AwsError
from lab.members import ALL, refuse_unread
from lab.policy import matches
from lab.targets import HealthCheck
from lab.world import World, identifier

INVOKER = "elasticloadbalancing.amazonaws.com"
PATTERN = "path-pattern"
GROUP_ATTRIBUTES = {
    "ip": {
        "deregistration_delay.timeout_seconds": "300",
        "slow_start.duration_seconds": "0",
        "stickiness.enabled": "false",
        "load_balancing.algorithm.type": "round_robin",
    },
    "lambda": {"lambda.multi_value_headers.enabled": "false"},
}
# What AWS takes where a target group says nothing, by target type.
CHECKS = {
    "ip": {"HealthCheckEnabled": True, "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5},
    "lambda": {"HealthCheckEnabled": False, "HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 30},
}
_TAGS = {"Tags": ALL}
_BALANCER = {"Name": ALL, "Type": ALL, "Scheme": ALL, "Subnets": ALL, "SecurityGroups": ALL, "IpAddressType": ALL}
_GROUP = {
    "Name": ALL, "TargetType": ALL, "Protocol": ALL, "Port": ALL, "VpcId": ALL, "Matcher": {"HttpCode": ALL},
    "HealthCheckEnabled": ALL, "HealthCheckPath": ALL, "HealthCheckIntervalSeconds": ALL,
    "HealthCheckTimeoutSeconds": ALL, "HealthyThresholdCount": ALL, "UnhealthyThresholdCount": ALL,
}  # fmt: skip
_LISTENER = {
    "LoadBalancerArn": ALL, "Port": ALL, "Protocol": ALL, "DefaultActions": ALL, "SslPolicy": ALL, "Certificates": ALL,
}  # fmt: skip
_RULE = {
    "ListenerArn": ALL, "Priority": ALL, "Actions": ALL,
    "Conditions": {"Field": ALL, "Values": ALL, "PathPatternConfig": {"Values": ALL}},
}  # fmt: skip


def create_load_balancer(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    refuse_unread(given, _BALANCER | _TAGS)
    name = given["Name"]
    if any(each.name == name for each in world.load_balancers()):
        raise AwsError("DuplicateLoadBalancerName", f"A load balancer with the name '{name}' already exists")
    if given.get("Type", "application") != "application":
        raise AwsError("ValidationError", "The lab has application load balancers alone")
    subnets = given.get("Subnets", [])
    if len(set(subnets)) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    created = world.builder.load_balancer(name)
    zones = zip(created.nodes, subnets, strict=False)
    created.described = {
        "Scheme": given.get("Scheme", "internet-facing"),
        "SecurityGroups": given.get("SecurityGroups", []),
        "IpAddressType": given.get("IpAddressType", "ipv4"),
        "AvailabilityZones": [
            {"ZoneName": f"{world.region}{node}", "SubnetId": subnet, "LoadBalancerAddresses": []}
            for node, subnet in zones
        ],
    }
    world.created.load_balancers.append(created)
    return {"LoadBalancers": [describe_one(world, created)]}


def create_target_group(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    refuse_unread(given, _GROUP | _TAGS)
    name, kind = given["Name"], given.get("TargetType", "instance")
    if any(each.name == name for each in world.groups.values()):
        raise AwsError("DuplicateTargetGroupName", f"A target group with the name '{name}' already exists")
    if kind not in GROUP_ATTRIBUTES:
        raise AwsError("ValidationError", f"The lab has target groups of type ip and lambda, not {kind}")
    _check_protocol(given, kind)
    if given.get("Matcher", {}).get("HttpCode", "200") != "200":
        raise AwsError("ValidationError", "The lab's health checks expect 200")
    group = world.builder.group(name, kind, _health_check(given, kind), dict(GROUP_ATTRIBUTES[kind]))
    return {"TargetGroups": [describe_group(world, group)]}


def _check_protocol(given: dict[str, Any], kind: str) -> None:
    of_network = {"Protocol", "Port", "VpcId"} & set(given)
    if kind == "lambda" and of_network:
        raise AwsError("ValidationError", f"A target group of type lambda has no {', '.join(sorted(of_network))}")
    if kind == "ip" and (len(of_network) < 3 or given["Protocol"] != "HTTP"):
        raise AwsError("ValidationError", "A target group of type ip needs Protocol HTTP, Port and VpcId")


def _health_check(given: dict[str, Any], kind: str) -> HealthCheck:
    said = {**CHECKS[kind], **given}
    check = HealthCheck(
        enabled=said["HealthCheckEnabled"],
        path=said.get("HealthCheckPath", "/"),
        interval=said["HealthCheckIntervalSeconds"],
        timeout=said["HealthCheckTimeoutSeconds"],
        healthy_threshold=said.get("HealthyThresholdCount", 5),
        unhealthy_threshold=said.get("UnhealthyThresholdCount", 2),
    )
    if check.timeout >= check.interval:
        raise AwsError("ValidationError", "Health check timeout must be smaller than the interval")
    return check


def modify_target_group_attributes(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    group = find_group(world, given["TargetGroupArn"])
    wanted = {each["Key"]: each["Value"] for each in given["Attributes"]}
    unknown = set(wanted) - set(GROUP_ATTRIBUTES[group.kind])
    if unknown:
        raise AwsError("ValidationError", f"The lab's groups of type {group.kind} have no {', '.join(sorted(unknown))}")
    if wanted.get("lambda.multi_value_headers.enabled", "false") != "false":
        raise AwsError("ValidationError", "The lab sets multi-value headers in its world file alone")
    group.attributes.update(wanted)
    return {"Attributes": [{"Key": key, "Value": value} for key, value in group.attributes.items()]}


def register_targets(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    """Targets of an IP group are ECS's to register."""
    refuse_unread(given, {"TargetGroupArn": ALL, "Targets": {"Id": ALL}})
    group = find_group(world, given["TargetGroupArn"])
    if group.kind != "lambda" or len(given["Targets"]) != 1:
        raise AwsError("ValidationError", "The lab registers one function in a target group of type lambda")
    function = world.functions.find(given["Targets"][0]["Id"])
    if not any(who == INVOKER and matches(source, group.arn) for who, source in function.invokers):
        raise AwsError(
            "AccessDenied", f"elasticloadbalancing principal does not have permission to invoke {function.settings.arn}"
        )
    group.register(function.settings.arn, None, now)
    return {}


def create_listener(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    refuse_unread(given, _LISTENER | _TAGS)
    load_balancer = by_arn(world, given["LoadBalancerArn"])
    port, protocol = given["Port"], given["Protocol"]
    if any(each.port == port for each in load_balancer.listeners):
        raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if (protocol == "HTTPS") != bool(given.get("Certificates")) or protocol not in {"HTTP", "HTTPS"}:
        raise AwsError("CertificateNotFound", "A listener is HTTP, or HTTPS with a certificate")
    path = load_balancer.dimension
    number = identifier(f"{load_balancer.name}-{port}")
    prefix = world.arn("elasticloadbalancing", f"listener-rule/{path}/{number}")
    default = Rule(f"{prefix}/{identifier(number)}", "default", (), accept(given["DefaultActions"], [], world.groups))
    listener = Listener(world.arn("elasticloadbalancing", f"listener/{path}/{number}"), port, [default], protocol)
    load_balancer.add(listener)
    return {"Listeners": [describe_listener(load_balancer, listener)]}


def create_rule(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    refuse_unread(given, _RULE | _TAGS)
    load_balancer, listener = find_listener(world, given["ListenerArn"])
    priority = str(given["Priority"])
    if any(each.priority == priority for each in listener.rules):
        raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
    arn = listener.default.arn.rpartition("/")[0] + f"/{identifier(f'{listener.arn} {priority}')}"
    rule = Rule(arn, priority, _paths(given["Conditions"]), accept(given["Actions"], [], world.groups))
    load_balancer.add_rule(listener, rule)
    return {"Rules": [describe_rule(rule)]}


def _paths(conditions: list[dict[str, Any]]) -> tuple[str, ...]:
    if [each.get("Field") for each in conditions] != [PATTERN]:
        raise AwsError("ValidationError", f"The lab's rules have one condition, {PATTERN}")
    (condition,) = conditions
    paths = condition.get("PathPatternConfig", condition).get("Values", [])
    if not paths:
        raise AwsError("ValidationError", "A condition value must be specified")
    return tuple(paths)


OPERATIONS = {
    "CreateLoadBalancer": create_load_balancer,
    "CreateTargetGroup": create_target_group,
    "ModifyTargetGroupAttributes": modify_target_group_attributes,
    "RegisterTargets": register_targets,
    "CreateListener": create_listener,
    "CreateRule": create_rule,
}
