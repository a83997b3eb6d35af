"""Token buckets in front of AWS's APIs, for each account, region and bucket.

Sources: ECS API Reference, "Request throttling for the Amazon ECS API"; Elastic Load Balancing User Guide, "Request
throttling for the Elastic Load Balancing API"; CloudWatch endpoints and quotas; Lambda Developer Guide, "Lambda quotas"
("across all APIs"); IAM User Guide, "IAM and AWS STS quotas". Where AWS documents a rate and no burst, the bucket holds
one second of it. Mute rules have no documented rate: the lab assumes those of alarms. Application Auto Scaling has none
either: the lab assumes that of ECS's services, which it reads and writes; ECS's calls that create share one assumed
bucket, and so do EventBridge's. DynamoDB throttles tables and not the
account, which the lab leaves out.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """``capacity`` requests at once, ``refill`` requests a second."""

    name: str
    capacity: float
    refill: float


_ECS_WRITES = Limit("ecs service modify", 50, 5)
_ECS_SERVICES = Limit("ecs service read", 100, 20)
_ECS_TASKS = Limit("ecs cluster resource read", 100, 20)
_ECS_CREATES = Limit("ecs create", 20, 1)
_EVENTS = Limit("events modify", 5, 5)
_ELB_WRITES = Limit("elbv2 mutating", 20, 3)
_ELB_READS = Limit("elbv2 non-mutating", 40, 10)
_LAMBDA = Limit("lambda control plane", 15, 15)
_STS = Limit("sts", 600, 600)

LIMITS = {
    ("ecs", "UpdateService"): _ECS_WRITES,
    ("ecs", "DescribeServices"): _ECS_SERVICES,
    ("ecs", "ListTasks"): _ECS_TASKS,
    ("ecs", "DescribeTasks"): _ECS_TASKS,
    ("ecs", "DescribeTaskDefinition"): _ECS_TASKS,
    ("ecs", "ListClusters"): _ECS_TASKS,
    ("ecs", "ListServices"): _ECS_SERVICES,
    ("elbv2", "DescribeLoadBalancers"): _ELB_READS,
    ("elbv2", "DescribeListeners"): _ELB_READS,
    ("elbv2", "DescribeRules"): _ELB_READS,
    ("elbv2", "DescribeTargetGroups"): _ELB_READS,
    ("elbv2", "DescribeTargetGroupAttributes"): _ELB_READS,
    ("elbv2", "DescribeTargetHealth"): _ELB_READS,
    ("elbv2", "ModifyListener"): _ELB_WRITES,
    ("elbv2", "ModifyRule"): _ELB_WRITES,
    ("elbv2", "CreateLoadBalancer"): _ELB_WRITES,
    ("elbv2", "CreateTargetGroup"): _ELB_WRITES,
    ("elbv2", "ModifyTargetGroupAttributes"): _ELB_WRITES,
    ("elbv2", "RegisterTargets"): _ELB_WRITES,
    ("elbv2", "CreateListener"): _ELB_WRITES,
    ("elbv2", "CreateRule"): _ELB_WRITES,
    ("ecs", "CreateService"): _ECS_WRITES,
    ("ecs", "CreateCluster"): _ECS_CREATES,
    ("ecs", "RegisterTaskDefinition"): _ECS_CREATES,
    ("service-quotas", "GetServiceQuota"): Limit("service-quotas GetServiceQuota", 5, 5),
    ("events", "PutRule"): _EVENTS,
    ("events", "PutTargets"): _EVENTS,
    ("events", "CreateConnection"): _EVENTS,
    ("events", "CreateApiDestination"): _EVENTS,
    ("lambda", "CreateFunction"): _LAMBDA,
    ("lambda", "AddPermission"): _LAMBDA,
    ("cloudwatch", "PutMetricAlarm"): Limit("cloudwatch PutMetricAlarm", 3, 3),
    ("cloudwatch", "DescribeAlarms"): Limit("cloudwatch DescribeAlarms", 9, 9),
    ("cloudwatch", "DescribeAlarmHistory"): Limit("cloudwatch DescribeAlarmHistory", 20, 20),
    ("cloudwatch", "SetAlarmState"): Limit("cloudwatch SetAlarmState", 3, 3),
    ("cloudwatch", "EnableAlarmActions"): Limit("cloudwatch EnableAlarmActions", 3, 3),
    ("cloudwatch", "DisableAlarmActions"): Limit("cloudwatch DisableAlarmActions", 3, 3),
    ("cloudwatch", "PutAlarmMuteRule"): Limit("cloudwatch PutAlarmMuteRule", 3, 3),
    ("cloudwatch", "DeleteAlarmMuteRule"): Limit("cloudwatch DeleteAlarmMuteRule", 3, 3),
    ("cloudwatch", "GetAlarmMuteRule"): Limit("cloudwatch GetAlarmMuteRule", 9, 9),
    ("cloudwatch", "ListAlarmMuteRules"): Limit("cloudwatch ListAlarmMuteRules", 9, 9),
    ("cloudwatch", "GetMetricData"): Limit("cloudwatch GetMetricData", 500, 500),
    ("lambda", "GetFunction"): Limit("lambda GetFunction", 100, 100),
    ("lambda", "GetFunctionConcurrency"): _LAMBDA,
    ("lambda", "PutFunctionConcurrency"): _LAMBDA,
    ("lambda", "GetFunctionConfiguration"): _LAMBDA,
    ("lambda", "GetAccountSettings"): _LAMBDA,
    ("application-autoscaling", "DescribeScalableTargets"): Limit("application-autoscaling read", 100, 20),
    ("application-autoscaling", "RegisterScalableTarget"): Limit("application-autoscaling modify", 50, 5),
    ("application-autoscaling", "DeregisterScalableTarget"): Limit("application-autoscaling modify", 50, 5),
    ("sts", "AssumeRole"): _STS,
    ("sts", "GetCallerIdentity"): _STS,
}


@dataclass
class Bucket:
    """Starts full."""

    limit: Limit
    tokens: float
    filled: float

    def level(self, now: float) -> float:
        """How many tokens there are."""
        gained = max(0.0, now - self.filled) * self.limit.refill
        return min(self.limit.capacity, self.tokens + gained)

    def take(self, now: float) -> bool:
        self.tokens = self.level(now)
        self.filled = max(now, self.filled)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Throttling:
    """All buckets; an operation without a limit is never throttled."""

    def __init__(self, *, on: bool) -> None:
        self._on = on
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def admits(self, account: str, region: str, service: str, operation: str, now: float) -> bool:
        """Takes a token; false when there is none."""
        limit = LIMITS.get((service, operation))
        if limit is None or not self._on:
            return True
        key = account, region, limit.name
        return self._buckets.setdefault(key, Bucket(limit, limit.capacity, now)).take(now)

    def levels(self, account: str, region: str, now: float) -> dict[Limit, float]:
        """The tokens in every bucket of an account's region; one that nobody has used is full."""
        used = {key: bucket.level(now) for key, bucket in self._buckets.items()}
        return {limit: used.get((account, region, limit.name), limit.capacity) for limit in LIMITS.values()}
