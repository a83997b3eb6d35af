"""What the preconditions of one application are judged by, read from AWS.

Sources: STS, GetCallerIdentity (needs no permission); ELBv2, DescribeTargetGroups (HealthCheckEnabled, TargetType);
ECS, DescribeServices (loadBalancers, deploymentConfiguration); CloudWatch, DescribeAlarms; Service Quotas,
GetServiceQuota.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from failover.aws import alarms, clients, health, limits, listeners, metrics, routes, scaling, services, tasks, versions
from failover.aws.errors import FAILURES, translate
from failover.model import Application, Reading, Scaling
from failover.ports import AwsError
from failover.precondition_facts import AlarmFacts, Caller, Check, Facts, Group, ServiceFacts
from failover.preconditions import check

T = TypeVar("T")
BUDGET_SECONDS = 20.0
FARGATE = ("fargate", "L-3032A538")
LATE = f"AWS took more than {BUDGET_SECONDS:.0f} s for what was read before."
NOBODY = "Nothing is asked of AWS before it is known who asks: see the caller."


@dataclass
class Asker:
    """Asks once for each part, and no more once the time is up."""

    application: Application
    began: float
    stopped: str = ""

    def read(self, action: str, resource: str, read: Callable[[], T]) -> Reading[T]:
        if time.monotonic() - self.began > BUDGET_SECONDS:
            return Reading(problem=LATE)
        if self.stopped:
            return Reading(problem=self.stopped)
        try:
            return Reading.of(read(), time.time())
        except (*FAILURES, AwsError) as error:
            said = error if isinstance(error, AwsError) else translate(error, action, resource)
            return Reading(problem=f"{said} {said.remedy}".strip())


def checked(application: Application) -> tuple[Check, ...]:
    """Read what is judged, within half a minute, and judge it. Raises ConfigError where the SDK can't start."""
    return check(application, facts(application))


def facts(application: Application) -> Facts:
    asker = Asker(application, time.monotonic())
    identity = clients.once(application, "sts")
    caller = asker.read("sts:GetCallerIdentity", application.role_arn or "the credentials", lambda: caller_of(identity))
    if caller.value is None:
        asker.stopped = NOBODY
    return replace(_pools(asker), caller=caller, **_around(asker))


def caller_of(sts: Any) -> Caller:
    answer = sts.get_caller_identity()
    return Caller(answer["Arn"], answer["Account"])


def _pools(asker: Asker) -> Facts:
    application = asker.application
    elbv2, ecs = clients.once(application, "elbv2"), clients.once(application, "ecs")
    functions = clients.once(application, "lambda")
    names = f"{application.cluster}/{application.service}"
    described = asker.read("ecs:DescribeServices", names, lambda: _described(ecs, application))
    definition = (described.value or {}).get("taskDefinition", "")
    groups = [
        asker.read("elasticloadbalancing:DescribeTargetGroups", arn, lambda arn=arn: _group(elbv2, arn))  # type: ignore[misc]
        for arn in (application.lambda_target_group_arn, application.ecs_target_group_arn)
    ]
    return Facts(
        routes=asker.read(
            "elasticloadbalancing:DescribeListeners",
            ", ".join(route.arn for route in application.routes),
            lambda: routes.read(elbv2, application, time.time()),
        ),
        lambda_group=groups[0],
        ecs_group=groups[1],
        service=_service(described),
        tasks=asker.read("ecs:ListTasks", names, lambda: _tasks(ecs, application)),
        versions=asker.read(
            "lambda:GetFunction",
            application.function_name,
            lambda: versions.read(functions, ecs, application.function_name, definition),
        ),
    )


def _around(asker: Asker) -> dict[str, Any]:
    application, once = asker.application, clients.once
    cloudwatch, functions = once(application, "cloudwatch"), once(application, "lambda")
    scalable, quotas = once(application, "application-autoscaling"), once(application, "service-quotas")
    wanted = scaling.resource_id(application)
    return {
        "scaling": asker.read(
            "application-autoscaling:DescribeScalableTargets",
            wanted,
            lambda: scaling.read(scalable, [wanted]).get(wanted, Scaling()),
        ),
        "alarms": asker.read(
            "cloudwatch:DescribeAlarms", ", ".join(application.alarms), lambda: _alarms(cloudwatch, application)
        ),
        "metrics": asker.read(
            "cloudwatch:GetMetricData", "*", lambda: metrics.read(cloudwatch, application, time.time())
        ),
        "limits": asker.read(
            "lambda:GetFunctionConcurrency",
            application.function_name,
            lambda: limits.read(functions, application.function_name),
        ),
        "lease": asker.read("dynamodb:GetItem", application.lease_table, lambda: _lease(application)),
        "fargate_vcpus": asker.read("servicequotas:GetServiceQuota", "fargate/L-3032A538", lambda: _vcpus(quotas)),
    }


def _group(elbv2: Any, arn: str) -> Group:
    described = listeners.attachments(elbv2, [arn])[arn]
    return Group(
        kind=described.get("TargetType", "instance"),
        health_checks=described.get("HealthCheckEnabled", True),
        load_balancers=tuple(described.get("LoadBalancerArns", ())),
        targets=tuple(health.read(elbv2, arn)),
    )


def _described(ecs: Any, application: Application) -> dict[str, Any]:
    cluster, name = application.cluster, application.service
    return services.chosen(services.describe(ecs, cluster, [name]), cluster, name)


def _service(described: Reading[dict[str, Any]]) -> Reading[ServiceFacts]:
    found = described.value
    if found is None:
        return Reading(problem=described.problem)
    breaker = found.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
    facts = ServiceFacts(
        status=found["status"],
        target_groups=tuple(each.get("targetGroupArn", "") for each in found.get("loadBalancers", ())),
        circuit_breaker=bool(breaker.get("enable")),
        weight_writer=services.service(found, (), "").weight_writer,
    )
    return Reading.of(facts, described.at)


def _tasks(ecs: Any, application: Application) -> tuple[str, ...]:
    name = services.short(application.service)
    return tasks.addresses(ecs, application.cluster, [name]).get(name, ())


def _alarms(cloudwatch: Any, application: Application) -> dict[str, AlarmFacts]:
    described = alarms.described(cloudwatch, (*application.alarms, *application.prewarm_alarms))
    return {name: alarm_facts(each) for name, each in described.items()}


def alarm_facts(described: dict[str, Any]) -> AlarmFacts:
    dimensions = {each["Name"]: each["Value"] for each in described.get("Dimensions", ())}
    return AlarmFacts(
        name=described["AlarmName"],
        metric=described.get("MetricName", ""),
        statistic=described.get("Statistic") or described.get("ExtendedStatistic", ""),
        threshold=described.get("Threshold"),
        period=described.get("Period", 60),
        evaluation_periods=described.get("EvaluationPeriods", 1),
        missing_data=described.get("TreatMissingData", "missing"),
        actions_enabled=described.get("ActionsEnabled", True),
        function=dimensions.get("FunctionName", ""),
    )


def _lease(application: Application) -> bool:
    """Whether it is there and may be read is all that is asked; no table is named: nothing to ask."""
    if application.lease_table:
        key = {"application": {"S": application.slug}}
        clients.once(application, "dynamodb").get_item(TableName=application.lease_table, Key=key)
    return True


def _vcpus(quotas: Any) -> float:
    service, quota = FARGATE
    return float(quotas.get_service_quota(ServiceCode=service, QuotaCode=quota)["Quota"]["Value"])
