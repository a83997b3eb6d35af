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
    found: dict[str, Alarm] = {}
    for some in chunks(list(dict.fromkeys(names)), NAMES_A_CALL):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=list(some), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        for page in pages:
            described = [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]
            found.update({each["AlarmName"]: _alarm(each) for each in described})
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


def _alarm(described: dict[str, Any]) -> Alarm:
    since = described.get("StateTransitionedTimestamp") or described["StateUpdatedTimestamp"]
    return Alarm(
        name=described["AlarmName"],
        state=AlarmState(described["StateValue"]),
        since=since.timestamp(),
        reason=described.get("StateReason", ""),
        threshold=described.get("Threshold"),
        metric=described.get("MetricName", ""),
        actions_enabled=described.get("ActionsEnabled", True),
        suppressed_by=described.get("ActionsSuppressedBy", ""),
    )
