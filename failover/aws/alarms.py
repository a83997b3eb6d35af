"""Alarms by name, metric and composite ones alike.

Source: CloudWatch API reference, DescribeAlarms: at most 100 names a call; without AlarmTypes composite alarms are left
out; it pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from failover.aws.batches import chunks
from failover.model import Alarm, AlarmState
from failover.ports import AwsError

NAMES_A_CALL = 100


def read(cloudwatch: Any, names: Iterable[str]) -> dict[str, Alarm]:
    """The alarms that exist, by name."""
    return {name: _alarm(each) for name, each in described(cloudwatch, names).items()}


def described(cloudwatch: Any, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """As AWS describes those that exist, by name."""
    found: dict[str, dict[str, Any]] = {}
    for some in chunks(list(dict.fromkeys(names)), NAMES_A_CALL):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=list(some), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        for page in pages:
            for each in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                found[each["AlarmName"]] = each
    return found


def chosen(found: Mapping[str, Alarm], names: Iterable[str]) -> tuple[Alarm, ...]:
    """An application's alarms in the order of its configuration. Raises AwsError where none of them exists."""
    alarms = existing(found, names)
    if not alarms:
        raise AwsError("missing", "None of the application's alarms exists.", "Correct application.alarms.")
    return alarms


def existing(found: Mapping[str, Alarm], names: Iterable[str]) -> tuple[Alarm, ...]:
    """Those of these alarms that exist, in their order."""
    return tuple(found[name] for name in names if name in found)


def _alarm(found: dict[str, Any]) -> Alarm:
    since = found.get("StateTransitionedTimestamp") or found["StateUpdatedTimestamp"]
    return Alarm(
        name=found["AlarmName"],
        state=AlarmState(found["StateValue"]),
        since=since.timestamp(),
        reason=found.get("StateReason", ""),
        threshold=found.get("Threshold"),
        metric=found.get("MetricName", ""),
        actions_enabled=found.get("ActionsEnabled", True),
        suppressed_by=found.get("ActionsSuppressedBy", ""),
    )
