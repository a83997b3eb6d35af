"""Alarm state changes as EventBridge events.

Source: CloudWatch User Guide, "Alarm events and EventBridge". The newer optional keys (``muteDetail``, ``alarmTags``,
``state.evaluationState``) are left out, as AWS may do.
"""

import uuid
from typing import Any

from lab.alarms import Alarm, AnyAlarm, State, Transition
from lab.composite_alarms import CompositeAlarm
from lab.moments import offset

DETAIL_TYPE = "CloudWatch Alarm State Change"


def detail(transition: Transition) -> dict[str, Any]:
    """What changed, for a metric alarm or a composite one."""
    alarm = transition.alarm
    return {
        "alarmName": alarm.settings.name,
        "configuration": _configuration(alarm),
        "previousState": _state(transition.previous),
        "state": _state(transition.state),
    }


def _configuration(alarm: AnyAlarm) -> dict[str, Any]:
    match alarm:
        case Alarm():
            return _metric(alarm)
        case CompositeAlarm():
            return _composite(alarm)
    raise TypeError(f"{alarm!r} is neither a metric alarm nor a composite one.")


def _metric(alarm: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    metric = {
        "namespace": settings.metric.namespace,
        "name": settings.metric.name,
        "dimensions": dict(settings.metric.dimensions),
    }
    stat = {"metric": metric, "period": settings.period, "stat": settings.statistic}
    query = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm.arn)), "metricStat": stat, "returnData": True}
    return {"description": settings.description, "metrics": [query]}


def _composite(alarm: CompositeAlarm) -> dict[str, Any]:
    settings = alarm.settings
    described = {"description": settings.description} if settings.description else {}
    if not settings.suppressor:
        return {"alarmRule": settings.rule.text, **described}
    return {
        "alarmRule": settings.rule.text,
        "actionsSuppressor": settings.suppressor,
        "actionsSuppressorWaitPeriod": int(settings.wait),
        "actionsSuppressorExtensionPeriod": int(settings.extension),
        **described,
    }


def _state(state: State) -> dict[str, str]:
    shown = {"value": state.value, "reason": state.reason, "timestamp": offset(state.updated)}
    if state.reason_data is not None:
        shown["reasonData"] = state.reason_data
    if state.suppressed_by:
        shown["actionsSuppressedBy"] = state.suppressed_by
        shown["actionsSuppressedReason"] = f"Actions suppressed by {state.suppressed_by}"
    return shown
