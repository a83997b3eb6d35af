"""What is read of an application to judge its preconditions by, and what judging answers with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from failover.model import Limits, Metrics, Reading, Routes, Scaling, Versions

UNREAD: Reading[Any] = Reading()


class Result(StrEnum):
    """`unknown`: it was not checked, and the sentence says why."""

    PASS = "pass"  # noqa: S105 # nosec B105 # a word, not a secret
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """`about` groups what belongs together; `remedy` is empty where nothing is to be done."""

    about: str
    result: Result
    says: str
    remedy: str = ""


@dataclass(frozen=True)
class Caller:
    """Who the calls are made as: an ARN, and its account."""

    arn: str
    account: str


@dataclass(frozen=True)
class Group:
    """A target group; `targets` are ids with their state."""

    kind: str
    health_checks: bool
    load_balancers: tuple[str, ...]
    targets: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ServiceFacts:
    status: str
    target_groups: tuple[str, ...]
    circuit_breaker: bool
    weight_writer: str = ""


@dataclass(frozen=True)
class AlarmFacts:
    """`function` is the FunctionName dimension. A composite alarm has no metric."""

    name: str
    metric: str = ""
    statistic: str = ""
    threshold: float | None = None
    period: int = 60
    evaluation_periods: int = 1
    missing_data: str = "missing"
    actions_enabled: bool = True
    function: str = ""


@dataclass(frozen=True)
class Facts:
    """What AWS said, each part by itself: a part that can't be read is unknown, with the sentence that helps."""

    caller: Reading[Caller] = UNREAD
    routes: Reading[Routes] = UNREAD
    lambda_group: Reading[Group] = UNREAD
    ecs_group: Reading[Group] = UNREAD
    service: Reading[ServiceFacts] = UNREAD
    tasks: Reading[tuple[str, ...]] = UNREAD
    versions: Reading[Versions] = UNREAD
    scaling: Reading[Scaling] = UNREAD
    alarms: Reading[dict[str, AlarmFacts]] = UNREAD
    metrics: Reading[Metrics] = UNREAD
    limits: Reading[Limits] = UNREAD
    lease: Reading[bool] = UNREAD
    fargate_vcpus: Reading[float] = UNREAD


def unread(about: str, reading: Reading[Any]) -> Check:
    """A part's problem ends with what helps: `failover.aws.readings`."""
    return Check(about, Result.FAIL, f"It can't be read: {reading.problem}")
