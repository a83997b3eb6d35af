"""Elastic Load Balancing v2: load balancers, listeners, rules, target groups and target health."""

from collections.abc import Callable
from typing import Any, TypeVar

from lab.actions import accept, shown
from lab.alb import Listener, LoadBalancer, Rule
from lab.api.paging import page
from lab.errors import AwsError
from lab.targets import Target, TargetGroup
from lab.world import World

PAGE_SIZE = 400
VPC = "vpc-lab"

Item = TypeVar("Item")


def describe_load_balancers(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    arns, names = given.get("LoadBalancerArns"), given.get("Names")
    found = world.load_balancers()
    if arns is not None:
        found = _named(arns, found, lambda each: each.arn, "LoadBalancerNotFound", "Load balancer")
    if names is not None:
        found = _named(names, found, lambda each: each.name, "LoadBalancerNotFound", "Load balancer")
    items, marker = _page(found, given)
    return {"LoadBalancers": [describe_one(world, each) for each in items], "NextMarker": marker}


def describe_listeners(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    pairs = [(each, listener) for each in world.load_balancers() for listener in each.listeners]
    if "ListenerArns" in given:
        pairs = _named(given["ListenerArns"], pairs, lambda pair: pair[1].arn, "ListenerNotFound", "Listener")
    elif "LoadBalancerArn" in given:
        owner = load_balancer_by_arn(world, given["LoadBalancerArn"])
        pairs = [pair for pair in pairs if pair[0] is owner]
    else:
        raise AwsError("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    items, marker = _page(pairs, given)
    return {"Listeners": [describe_listener(*pair) for pair in items], "NextMarker": marker}


def describe_rules(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """A listener's default actions appear as a rule of their own."""
    if ("ListenerArn" in given) == ("RuleArns" in given):
        raise AwsError("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
    if "ListenerArn" in given:
        _, listener = find_listener(world, given["ListenerArn"])
        found = listener.rules
    else:
        rules = [rule for each in world.load_balancers() for rule in each.rules()]
        found = _named(given["RuleArns"], rules, lambda rule: rule.arn, "RuleNotFound", "Rule")
    items, marker = _page(found, given)
    return {"Rules": [describe_rule(rule) for rule in items], "NextMarker": marker}


def modify_listener(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    load_balancer, listener = find_listener(world, given["ListenerArn"])
    _only(given, {"ListenerArn", "DefaultActions"})
    if "DefaultActions" in given:
        _write(world, load_balancer, listener.default, given["DefaultActions"], now)
    return {"Listeners": [describe_listener(load_balancer, listener)]}


def modify_rule(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    load_balancer, rule = _find_rule(world, given["RuleArn"])
    _only(given, {"RuleArn", "Actions"})
    if rule.is_default:
        raise AwsError("OperationNotPermitted", "Default rule's actions must be modified through its listener")
    if "Actions" in given:
        _write(world, load_balancer, rule, given["Actions"], now)
    return {"Rules": [describe_rule(rule)]}


def describe_target_groups(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    found = list(world.groups.values())
    if "TargetGroupArns" in given:
        found = _named(given["TargetGroupArns"], found, lambda each: each.arn, "TargetGroupNotFound", "Target group")
    if "Names" in given:
        found = _named(given["Names"], found, lambda each: each.name, "TargetGroupNotFound", "Target group")
    if "LoadBalancerArn" in given:
        named = load_balancer_by_arn(world, given["LoadBalancerArn"]).named_groups()
        found = [group for group in found if group.arn in named]
    items, marker = _page(found, given)
    return {"TargetGroups": [describe_group(world, group) for group in items], "NextMarker": marker}


def describe_target_group_attributes(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    group = find_group(world, given["TargetGroupArn"])
    return {"Attributes": [{"Key": key, "Value": value} for key, value in group.attributes.items()]}


def describe_target_health(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    group = find_group(world, given["TargetGroupArn"])
    targets = list(group.targets.values())
    if "Targets" in given:
        ids = [each["Id"] for each in given["Targets"]]
        targets = _named(ids, targets, lambda target: target.id, "InvalidTarget", "Target")
    return {"TargetHealthDescriptions": [_target_health(group, target) for target in targets]}


def _write(world: World, load_balancer: LoadBalancer, rule: Rule, actions: list[dict[str, Any]], now: float) -> None:
    load_balancer.write(rule, accept(actions, rule.actions, world.groups), now)


def _only(given: dict[str, Any], allowed: set[str]) -> None:
    unknown = set(given) - allowed
    if unknown:
        raise AwsError("ValidationError", f"The lab changes actions alone, not {', '.join(sorted(unknown))}")


def _named(wanted: list[str], items: list[Item], key: Callable[[Item], str], code: str, what: str) -> list[Item]:
    """The items asked for, in that order. Raises AwsError for one that does not exist."""
    known = {key(item): item for item in items}
    for name in wanted:
        if name not in known:
            raise AwsError(code, f"{what} '{name}' not found")
    return [known[name] for name in wanted]


def _page(items: list[Item], given: dict[str, Any]) -> tuple[list[Item], str | None]:
    return page(items, given.get("Marker"), given.get("PageSize", PAGE_SIZE), "ValidationError")


def load_balancer_by_arn(world: World, arn: str) -> LoadBalancer:
    return _named([arn], world.load_balancers(), lambda each: each.arn, "LoadBalancerNotFound", "Load balancer")[0]


def find_listener(world: World, arn: str) -> tuple[LoadBalancer, Listener]:
    for load_balancer in world.load_balancers():
        for listener in load_balancer.listeners:
            if listener.arn == arn:
                return load_balancer, listener
    raise AwsError("ListenerNotFound", f"Listener '{arn}' not found")


def _find_rule(world: World, arn: str) -> tuple[LoadBalancer, Rule]:
    for load_balancer in world.load_balancers():
        for rule in load_balancer.rules():
            if rule.arn == arn:
                return load_balancer, rule
    raise AwsError("RuleNotFound", f"Rule '{arn}' not found")


def find_group(world: World, arn: str) -> TargetGroup:
    if arn not in world.groups:
        raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")
    return world.groups[arn]


def describe_one(world: World, load_balancer: LoadBalancer) -> dict[str, Any]:
    return {
        "LoadBalancerArn": load_balancer.arn,
        "DNSName": f"{load_balancer.name}.{world.region}.elb.amazonaws.com",
        "LoadBalancerName": load_balancer.name,
        "Scheme": "internal",
        "VpcId": VPC,
        "State": {"Code": "active"},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": f"{world.region}{name}", "SubnetId": f"subnet-lab-{name}", "LoadBalancerAddresses": []}
            for name in load_balancer.nodes
        ],
        "SecurityGroups": [],
        "IpAddressType": "ipv4",
        **load_balancer.described,
    }


def describe_listener(load_balancer: LoadBalancer, listener: Listener) -> dict[str, Any]:
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": load_balancer.arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": shown(listener.default.actions),
    }


def describe_rule(rule: Rule) -> dict[str, Any]:
    paths = list(rule.paths)
    condition = {"Field": "path-pattern", "Values": paths, "PathPatternConfig": {"Values": paths}}
    return {
        "RuleArn": rule.arn,
        "Priority": rule.priority,
        "Conditions": [condition] if paths else [],
        "Actions": shown(rule.actions),
        "IsDefault": rule.is_default,
    }


def describe_group(world: World, group: TargetGroup) -> dict[str, Any]:
    check = group.health_check
    users = [each.arn for each in world.load_balancers() if group.arn in each.named_groups()]
    ip_only = {
        "Protocol": "HTTP",
        "Port": 8080,
        "VpcId": VPC,
        "HealthCheckPort": "traffic-port",
        "ProtocolVersion": "HTTP1",
    }
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        **(ip_only if group.kind == "ip" else {}),
        "HealthCheckProtocol": "HTTP" if group.kind == "ip" else None,
        "HealthCheckEnabled": check.enabled,
        "HealthCheckIntervalSeconds": int(check.interval),
        "HealthCheckTimeoutSeconds": int(check.timeout),
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckPath": check.path,
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": users,
        "TargetType": group.kind,
        "IpAddressType": "ipv4",
    }


def _target_health(group: TargetGroup, target: Target) -> dict[str, Any]:
    health = group.health(target)
    return {
        "Target": {"Id": target.id, "Port": target.port},
        "HealthCheckPort": str(target.port) if target.port else None,
        "TargetHealth": {"State": health.state, "Reason": health.reason, "Description": health.description},
    }


OPERATIONS = {
    "DescribeLoadBalancers": describe_load_balancers,
    "DescribeListeners": describe_listeners,
    "DescribeRules": describe_rules,
    "ModifyListener": modify_listener,
    "ModifyRule": modify_rule,
    "DescribeTargetGroups": describe_target_groups,
    "DescribeTargetGroupAttributes": describe_target_group_attributes,
    "DescribeTargetHealth": describe_target_health,
}
