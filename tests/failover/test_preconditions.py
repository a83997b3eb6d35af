"""Each thing that a failover rests on: broken, its line says so with the remedy, and no other line changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from failover import text
from failover.model import (
    Application,
    Bounds,
    Code,
    Limits,
    Metrics,
    Policy,
    Reading,
    Route,
    Routes,
    RouteState,
    Scaling,
    Split,
    Versions,
)
from failover.precondition_facts import AlarmFacts, Caller, Check, Facts, Group, Result, ServiceFacts
from failover.preconditions import check, failed

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
LAMBDA_GROUP, ECS_GROUP = f"{ELB}:targetgroup/l/1", f"{ELB}:targetgroup/e/2"
ROUTE = RouteState(f"{ELB}:listener/app/a/1/2", "HTTPS :443, default", Split(100, 0), "f")
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
BUSY = AlarmFacts("busy", "ConcurrentExecutions", "Maximum", 50, 60, 3, "notBreaching", function="checkout")
THROTTLED = AlarmFacts("throttled", "Throttles", "Sum", 1, 60, 1, "notBreaching", function="checkout")


def application(**more: Any) -> Application:
    return Application(
        slug="checkout", name="Checkout", region="eu-west-1", alarms=("busy", "throttled"), function_name="checkout",
        lambda_target_group_arn=LAMBDA_GROUP, cluster="apis", service="checkout", ecs_target_group_arn=ECS_GROUP,
        routes=(Route(ROUTE.arn),), policy=Policy(failover_count=4), **more,
    )  # fmt: skip


def known(value: Any) -> Reading[Any]:
    return Reading.of(value, 0.0)


SOUND = Facts(
    caller=known(Caller("arn:aws:sts::123456789012:assumed-role/panel/x", "123456789012")),
    routes=known(Routes((ROUTE,))),
    lambda_group=known(Group("lambda", True, ("lb",), ((FUNCTION, "healthy"),))),
    ecs_group=known(Group("ip", True, ("lb",))),
    service=known(ServiceFacts("ACTIVE", (ECS_GROUP,), True)),
    tasks=known(()),
    versions=known(Versions(Code(), Code(), 512)),
    scaling=known(Scaling(Bounds(0, 10))),
    alarms=known({"busy": BUSY, "throttled": THROTTLED}),
    metrics=known(Metrics(60)),
    limits=known(Limits(64, 900)),
    lease=known(True),
    fargate_vcpus=known(6.0),
)


def found(facts: Facts, result: Result, **more: Any) -> list[Check]:
    return [each for each in check(application(**more), facts) if each.result is result]


def alarms(*which: AlarmFacts) -> Reading[Any]:
    return known({each.name: each for each in which})


def test_where_all_is_sound_nothing_fails_and_what_no_read_shows_is_said() -> None:
    checks = check(application(), SOUND)
    assert not failed(checks)
    assert {each.result for each in checks} == {Result.PASS, Result.UNKNOWN}
    (unknown,) = found(SOUND, Result.UNKNOWN)
    assert "ecs:UpdateService, elasticloadbalancing:ModifyListener" in unknown.says
    assert "ModifyRule" not in unknown.says


def service(**change: Any) -> Reading[Any]:
    return known(replace(SOUND.service.value, **change))


BROKEN = [
    ("caller", known(Caller("arn:aws:iam::9:user/x", "9")), "Caller", "in account 9", "Name a role of account 1"),
    ("routes", known(Routes((replace(ROUTE, split=None, problem="is gone"),))), "Routes", "is gone", "forward to"),
    ("lambda_group", known(Group("ip", True, ())), "Lambda target group", "the kind ip", "the group of the function"),
    ("lambda_group", known(Group("lambda", True, ())), "Lambda target group", "is not registered", "register-targets"),
    (
        "lambda_group", known(Group("lambda", True, (), ((f"{FUNCTION}2", "healthy"),))),
        "Lambda target group", "is not registered", "register-targets",
    ),
    ("ecs_group", known(Group("instance", True, ())), "ECS target group", "of the kind instance", "TargetType ip"),
    ("ecs_group", known(Group("ip", False, ())), "ECS target group", "Health checks are off", "Switch them on"),
    ("service", service(status="INACTIVE"), "ECS service", "is INACTIVE", "Create it again"),
    ("service", service(target_groups=("other",)), "ECS service", "in other, not in", f"Put {ECS_GROUP} on"),
    ("service", service(target_groups=()), "ECS service", "in none, not in", "loadBalancers"),
    ("service", service(circuit_breaker=False), "ECS service", "circuit breaker is off", "aws ecs update-service"),
    ("service", service(weight_writer="ECS itself rewrites."), "ECS service", "ECS itself rewrites", "ROLLING"),
    ("alarms", alarms(BUSY), "Alarms", "There is no alarm throttled", "correct application.alarms"),
    ("alarms", alarms(replace(BUSY, statistic="Average"), THROTTLED), "Alarms", "the Average of Conc", "to Maximum"),
    ("alarms", alarms(BUSY, replace(THROTTLED, statistic="Maximum")), "Alarms", "the Maximum of Throttles", "to Sum"),
    ("alarms", alarms(BUSY, replace(THROTTLED, missing_data="missing")), "Alarms", "INSUFFICIENT_DATA", "notBreaching"),
    ("alarms", alarms(replace(BUSY, missing_data="ignore"), THROTTLED), "Alarms", "stays in ALARM", "notBreaching"),
    ("alarms", alarms(replace(BUSY, missing_data="breaching"), THROTTLED), "Alarms", "goes to ALARM", "notBreaching"),
    ("alarms", alarms(replace(BUSY, actions_enabled=False), THROTTLED), "Alarms", "disabled", "enable-alarm-actions"),
    ("alarms", alarms(replace(BUSY, threshold=64), THROTTLED), "Alarms", "throttles at 64", "Lower the threshold"),
    ("limits", known(Limits(0, 900)), "Concurrency", "it never runs", "Reserve more"),
    ("fargate_vcpus", known(1.0), "Fargate quota", "needs 2 vCPU, and the account may run 1", "raised"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "reading", "about", "says", "remedy"), BROKEN, ids=[f"{each[0]} {each[3]}" for each in BROKEN]
)
def test_what_is_broken_fails_with_its_remedy_and_nothing_else_does(
    part: str, reading: Reading[Any], about: str, says: str, remedy: str
) -> None:
    failures = found(replace(SOUND, **{part: reading}), Result.FAIL)
    assert {each.about for each in failures} - {"Alarms"} == {about} - {"Alarms"}
    assert any(says in each.says and remedy in each.remedy for each in failures), failures


WARNED = [
    ("routes", known(Routes((replace(ROUTE, sticky=True),))), "is sticky", "Switch target group stickiness off"),
    ("routes", known(Routes((replace(ROUTE, other_weight=7),))), "the weight 7", "Give them 0"),
    ("routes", known(Routes((ROUTE,), foreign=("HTTP :80, /x forwards",))), "no route of this", "[[routes]]"),
    ("routes", known(Routes((ROUTE,), elsewhere=("It is on lb2",))), "on lb2", "detach"),
    (
        "lambda_group",
        known(Group("lambda", False, (), ((FUNCTION, "unavailable"),))),
        "are off",
        "health-check-enabled",
    ),
    ("scaling", known(Scaling(Bounds(0, 2))), "maximum 2 is under the 4 tasks", "above 4"),
    ("scaling", known(Scaling(Bounds(1, 9))), "minimum 1 keeps more", "standby_count to 1"),
    ("scaling", known(Scaling(Bounds(0, 9), ("scaling out",))), "Suspended: scaling out", "Resume"),
    ("limits", known(Limits(None, 900)), "Nothing is reserved", "Reserve concurrency"),
    ("alarms", alarms(replace(BUSY, function="other"), THROTTLED), "the function other", "Check that"),
    ("alarms", alarms(replace(BUSY, period=300), THROTTLED), "take 15 minutes", "Shorten"),
]


@pytest.mark.parametrize(("part", "reading", "says", "remedy"), WARNED, ids=[each[2] for each in WARNED])
def test_what_may_be_meant_is_a_warning_and_fails_nothing(
    part: str, reading: Reading[Any], says: str, remedy: str
) -> None:
    facts = replace(SOUND, **{part: reading})
    assert not failed(check(application(), facts))
    (warning,) = found(facts, Result.WARN)
    assert says in warning.says
    assert remedy in warning.remedy


PARTS = [name for name in vars(SOUND) if name not in ("lease", "fargate_vcpus")]


@pytest.mark.parametrize("part", PARTS)
def test_what_can_not_be_read_fails_with_what_aws_said(part: str) -> None:
    denied: Reading[Any] = Reading(problem="ecs:X on y: AccessDenied: no. Grant ecs:X on y to z.")
    failures = found(replace(SOUND, **{part: denied}), Result.FAIL)
    assert [each.says for each in failures] == [f"It can't be read: {denied.problem}"]


def test_a_quota_that_can_not_be_read_was_not_checked() -> None:
    facts = replace(SOUND, fargate_vcpus=Reading(problem="AccessDenied."))
    assert not failed(check(application(), facts))
    assert any("need 2 vCPU" in each.says and "L-3032A538" in each.remedy for each in found(facts, Result.UNKNOWN))


def test_a_lease_table_counts_where_there_is_one() -> None:
    facts = replace(SOUND, lease=Reading(problem="no such table"))
    assert not found(facts, Result.FAIL)
    assert [each.about for each in found(facts, Result.FAIL, lease_table="leases")] == ["Lease table"]


def test_the_terminal_shows_each_with_its_remedy_below() -> None:
    lines = text.checks(check(application(), replace(SOUND, service=service(status="INACTIVE")))).splitlines()
    index = next(number for number, line in enumerate(lines) if line.startswith("FAIL"))
    assert lines[index] == "FAIL        ECS service: apis/checkout is INACTIVE."
    assert lines[index + 1] == "            → Create it again, or name another one in [ecs]."
