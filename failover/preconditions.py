"""Whether an application can be failed over at all: each thing that it takes, as AWS shows it now, with its remedy.

What is judged was read before (failover.aws.checking). Nothing is kept back because of an answer: an operation reads
for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from failover.cautions import CPU_UNITS, FARGATE_QUOTA
from failover.model import Application, Limits, Reading, Routes, RouteState, Scaling, Versions
from failover.permissions import Access, of
from failover.precondition_alarms import alarms
from failover.precondition_facts import Caller, Check, Facts, Group, Result, ServiceFacts, unread


def check(application: Application, facts: Facts) -> tuple[Check, ...]:
    """What a failover and a failback of this application rest on, in the order in which one would mend it."""
    return (
        *_caller(application, facts.caller),
        *_routes(facts.routes),
        *_lambda_group(application, facts.lambda_group),
        *_ecs_group(facts.ecs_group),
        *_service(application, facts.service),
        *_readable("Tasks", "The service's tasks can be listed.", facts.tasks),
        *_versions(facts.versions),
        *_scaling(application, facts.scaling),
        *alarms(application, facts),
        *_readable("Metrics", "Requests, errors and concurrency can be read.", facts.metrics),
        *_limits(application, facts.limits),
        *_lease(application, facts.lease),
        *_fargate(application, facts),
        *_writes(application, facts.scaling.value),
    )


def failed(checks: tuple[Check, ...]) -> bool:
    return any(each.result is Result.FAIL for each in checks)


# ---- who asks ----


def _caller(application: Application, reading: Reading[Caller]) -> Iterator[Check]:
    caller = reading.value
    if caller is None:
        yield unread("Caller", reading)
    elif caller.account != application.account:
        yield Check(
            "Caller",
            Result.FAIL,
            f"{caller.arn} is in account {caller.account}, but the target groups are in {application.account}.",
            f"Name a role of account {application.account} in application.role_arn, or use its credentials.",
        )
    else:
        yield Check("Caller", Result.PASS, f"Acts as {caller.arn}.")


def _writes(application: Application, scaling: Scaling | None) -> Iterator[Check]:
    """IAM answers whether somebody may write only by letting them, or to who may ask IAM."""
    wanted = [each.action for each in of(Access.CONTROL) if _wants(application, each.when, scaling)]
    yield Check(
        "Writing",
        Result.UNKNOWN,
        f"No read shows whether {_listed(wanted)} are granted.",
        "Compare the role's policy with the application's (the onboarding page shows it), or try a drill.",
    )


def _wants(application: Application, when: str, scaling: Scaling | None) -> bool:
    rules = [route.is_rule for route in application.routes]
    return {
        "rule_route": any(rules),
        "listener_route": not all(rules),
        "lease_table": bool(application.lease_table),
        "scalable_target": scaling is None or scaling.bounds is not None,
    }.get(when, True)


# ---- where weights live ----


def _routes(reading: Reading[Routes]) -> Iterator[Check]:
    routes = reading.value
    if routes is None:
        yield unread("Routes", reading)
        return
    for route in routes.managed:
        yield from _route(route)
    for each in routes.foreign:
        yield Check(
            "Routes",
            Result.WARN,
            f"{each}, and is no route of this application.",
            "Add it to [[routes]], or take the target groups out of it: its weights stay as they are in a failover.",
        )
    for each in routes.elsewhere:
        yield Check("Routes", Result.WARN, f"{each}.", "Name its listener or rule in [[routes]], or detach the group.")


def _route(route: RouteState) -> Iterator[Check]:
    if route.split is None:
        yield Check(
            "Routes",
            Result.FAIL,
            f"{route.label}: {route.problem}.",
            "Have this one action forward to both target groups, each with a weight; 0 is one.",
        )
        return
    yield Check("Routes", Result.PASS, f"{route.label} forwards to both target groups, with {route.split}.")
    if route.sticky:
        yield Check(
            "Routes",
            Result.WARN,
            f"{route.label} is sticky: users may stay on a pool whose weight is 0.",
            "Switch target group stickiness off, or expect that a shift takes as long as it lasts.",
        )
    if route.other_weight:
        yield Check(
            "Routes",
            Result.WARN,
            f"{route.label} gives other target groups the weight {route.other_weight}.",
            "That stays as it is: a failover moves only what is left. Give them 0 if it is to move everything.",
        )


# ---- pools ----


def _lambda_group(application: Application, reading: Reading[Group]) -> Iterator[Check]:
    group, about = reading.value, "Lambda target group"
    if group is None:
        yield unread(about, reading)
        return
    if group.kind != "lambda":
        yield Check(about, Result.FAIL, f"It has targets of the kind {group.kind}.", "Name the group of the function.")
    elif not any(_is_function(target, application.function_name) for target, _ in group.targets):
        yield Check(
            about,
            Result.FAIL,
            f"The function {application.function_name} is not registered in it.",
            "Register it: aws elbv2 register-targets, once lambda add-permission lets elasticloadbalancing invoke it.",
        )
    else:
        yield Check(about, Result.PASS, f"The function {application.function_name} is registered in it.")
    if group.health_checks:
        yield Check(about, Result.PASS, "Health checks are on.")
    else:
        yield Check(
            about,
            Result.WARN,
            "Health checks are off: nothing shows that Lambda answers before traffic returns to it.",
            "Switch them on: aws elbv2 modify-target-group --health-check-enabled. Without them a failback begins "
            "with a small step, or rests on the probe.",
        )


def _is_function(target: str, function: str) -> bool:
    """A target is a function's ARN, perhaps with an alias; the configuration has a name or an ARN."""
    parts = target.split(":")
    return function in (target, ":".join(parts[:7])) or (
        len(parts) > 6 and parts[6] == function.rsplit(":", maxsplit=1)[-1]
    )


def _ecs_group(reading: Reading[Group]) -> Iterator[Check]:
    group, about = reading.value, "ECS target group"
    if group is None:
        yield unread(about, reading)
    elif group.kind != "ip":
        yield Check(
            about,
            Result.FAIL,
            f"It has targets of the kind {group.kind}; Fargate's tasks are addresses.",
            "Make a target group with TargetType ip.",
        )
    elif not group.health_checks:
        yield Check(about, Result.FAIL, "Health checks are off: no task ever counts as healthy.", "Switch them on.")
    else:
        yield Check(about, Result.PASS, "It takes addresses, and health checks are on.")


def _service(application: Application, reading: Reading[ServiceFacts]) -> Iterator[Check]:
    service, about = reading.value, "ECS service"
    if service is None:
        yield unread(about, reading)
        return
    name = f"{application.cluster}/{application.service}"
    if service.status == "ACTIVE":
        yield Check(about, Result.PASS, f"{name} is ACTIVE.")
    else:
        yield Check(
            about, Result.FAIL, f"{name} is {service.status}.", "Create it again, or name another one in [ecs]."
        )
    if application.ecs_target_group_arn in service.target_groups:
        yield Check(about, Result.PASS, "It registers its tasks in the ECS target group.")
    else:
        others = _listed(service.target_groups) or "none"
        yield Check(
            about,
            Result.FAIL,
            f"It registers its tasks in {others}, not in the ECS target group.",
            f"Put {application.ecs_target_group_arn} on the service's loadBalancers, or name its group in [ecs].",
        )
    if service.circuit_breaker:
        yield Check(about, Result.PASS, "Its deployment circuit breaker is on.")
    else:
        yield Check(
            about,
            Result.FAIL,
            "Its deployment circuit breaker is off: a broken release starts tasks without end.",
            f"aws ecs update-service --cluster {application.cluster} --service {application.service} "
            '--deployment-configuration "deploymentCircuitBreaker={enable=true,rollback=true}"',
        )
    if service.weight_writer:
        yield Check(about, Result.FAIL, service.weight_writer, "Let it deploy with the strategy ROLLING.")


def _versions(reading: Reading[Versions]) -> Iterator[Check]:
    yield from _readable("Code", "The function and the task definition exist.", reading)
    hidden = reading.value.function.problem if reading.value else ""
    if hidden:
        yield Check("Code", Result.WARN, hidden, "Until then nobody is told when the pools have different versions.")


def _scaling(application: Application, reading: Reading[Scaling]) -> Iterator[Check]:
    scaling, about, policy = reading.value, "Auto scaling", application.policy
    if scaling is None:
        yield unread(about, reading)
        return
    bounds = scaling.bounds
    if bounds is None:
        yield Check(about, Result.PASS, "The service has no scalable target: the desired count is set directly.")
        return
    yield Check(about, Result.PASS, f"Its bounds are {bounds.minimum} and {bounds.maximum}.")
    if bounds.maximum < policy.failover_count:
        yield Check(
            about,
            Result.WARN,
            f"Its maximum {bounds.maximum} is under the {policy.failover_count} tasks of a failover.",
            f"It is raised meanwhile and leaves autoscaling none to add: set it above {policy.failover_count}.",
        )
    if bounds.minimum > policy.standby_count:
        yield Check(
            about,
            Result.WARN,
            f"Its minimum {bounds.minimum} keeps more tasks than standby_count {policy.standby_count}.",
            f"Lower it to {policy.standby_count}, or set policy.standby_count to {bounds.minimum}.",
        )
    if scaling.suspended:
        yield Check(
            about, Result.WARN, f"Suspended: {_listed(scaling.suspended)}.", "Resume it once its reason is gone."
        )


# ---- limits ----


def _limits(application: Application, reading: Reading[Limits]) -> Iterator[Check]:
    limits, about = reading.value, "Concurrency"
    if limits is None:
        yield unread(about, reading)
    elif limits.reserved == 0:
        yield Check(about, Result.FAIL, "0 is reserved for the function: it never runs.", "Reserve more, or nothing.")
    elif limits.reserved is not None:
        yield Check(about, Result.PASS, f"{limits.reserved} is reserved for {application.function_name}.")
    else:
        shared = "unknown" if limits.unreserved is None else f"{limits.unreserved}"
        yield Check(
            about,
            Result.WARN,
            f"Nothing is reserved for {application.function_name}: it shares {shared} with others.",
            "Reserve concurrency for it, so that another function's surge is not its own.",
        )


def _lease(application: Application, reading: Reading[bool]) -> Iterator[Check]:
    if application.lease_table:
        yield from _readable("Lease table", f"The table {application.lease_table} can be read.", reading)


def _fargate(application: Application, facts: Facts) -> Iterator[Check]:
    about, versions, quota = "Fargate quota", facts.versions.value, facts.fargate_vcpus
    units = versions.cpu_units if versions else 0
    needed = application.policy.failover_count * units / CPU_UNITS
    if not units or quota.value is None:
        need = f"A failover's {application.policy.failover_count} tasks need {needed:g} vCPU. " if units else ""
        why = quota.problem or "the task definition names no size"
        yield Check(
            about,
            Result.UNKNOWN,
            f"{need}Whether there are as many was not checked: {why.rstrip('.')}.",
            f"Look at the quota {FARGATE_QUOTA} of {application.region}.",
        )
    elif needed > quota.value:
        yield Check(
            about,
            Result.FAIL,
            f"A failover needs {needed:g} vCPU, and the account may run {quota.value:g}.",
            f"Have the quota {FARGATE_QUOTA} of {application.region} raised.",
        )
    else:
        yield Check(
            about, Result.PASS, f"A failover needs {needed:g} vCPU of {quota.value:g}, shared with the account."
        )


# ---- words ----


def _readable(about: str, says: str, reading: Reading[Any]) -> Iterator[Check]:
    yield Check(about, Result.PASS, says) if reading.value is not None else unread(about, reading)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
