"""Alarms for the lab's page: the data points that the next evaluation sees, when it comes, what it would say."""

from typing import Any

from lab.alarms import ALARM, COMPARISONS, EXTRA_PERIODS, Alarm, AnyAlarm, DataPoint
from lab.application import Application
from lab.cloudwatch import Metrics
from lab.composite_alarms import CompositeAlarm


def is_firing(application: Application) -> bool:
    return any(each.state.value == ALARM for each in application.alarms)


def metric_alarm(alarm: Alarm, metrics: Metrics, now: float) -> dict[str, Any]:
    """``would_be`` is the state that the data of this moment make; the last period may not be over."""
    settings = alarm.settings
    window = alarm.window(metrics, alarm.next_end)
    return {
        **_common(alarm),
        "metric": settings.metric.name,
        "statistic": settings.statistic,
        "threshold": settings.threshold,
        "comparison": COMPARISONS[settings.comparison][1],
        "needed": settings.datapoints_to_alarm,
        "of": settings.evaluation_periods,
        "missing_data": settings.missing_data,
        "period": settings.period,
        "periods": [_period(alarm, metrics, at, window, now) for at in _starts(alarm)],
        "breaching": sum(map(alarm.breaches, window)),
        "evaluated_in": max(0.0, alarm.due - now),
        "would_be": alarm.judge(window),
    }


def composite_alarm(alarm: CompositeAlarm) -> dict[str, Any]:
    settings = alarm.settings
    return {
        **_common(alarm),
        "rule": settings.rule.text,
        "suppressor": settings.suppressor,
        "suppressed_by": alarm.state.suppressed_by,
    }


def _common(alarm: AnyAlarm) -> dict[str, Any]:
    return {
        "name": alarm.settings.name,
        "state": alarm.state.value,
        "since": alarm.state.transitioned,
        "reason": alarm.state.reason,
        "actions_enabled": alarm.actions_enabled,
    }


def _starts(alarm: Alarm) -> list[float]:
    """Of the periods that the next evaluation looks at, the oldest first."""
    settings = alarm.settings
    first = settings.evaluation_periods + EXTRA_PERIODS
    return [alarm.next_end - ago * settings.period for ago in range(first, 0, -1)]


def _period(alarm: Alarm, metrics: Metrics, at: float, window: list[DataPoint], now: float) -> dict[str, Any]:
    settings = alarm.settings
    value = metrics.statistic(settings.metric, settings.statistic, at, at + settings.period)
    return {
        "at": at,
        "value": value,
        "breaches": value is not None and alarm.breaches(DataPoint(at, value)),
        "counts": any(point.at == at for point in window),
        "open": now < at + settings.period,
    }
