"""CloudWatch: alarms and metric data."""

import json
import math
from typing import Any

from botocore.utils import parse_to_aware_datetime

from lab.alarm_tables import STATISTICS
from lab.alarms import Alarm, AnyAlarm, State, Transition
from lab.api import datapoints, mute_rules
from lab.api.paging import page
from lab.cloudwatch import KEPT_SECONDS, Metric, Metrics, percentile_of
from lab.composite_alarms import CompositeAlarm
from lab.errors import AwsError
from lab.moments import offset
from lab.world import World

MOST_ALARMS = 100
MOST_QUERIES = 500
FINE_PERIODS = (1, 5, 10, 20, 30)
METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"


def describe_alarms(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """Without AlarmTypes composite alarms are left out, as AWS does."""
    names, prefix, state = given.get("AlarmNames"), given.get("AlarmNamePrefix", ""), given.get("StateValue")
    if names and len(names) > MOST_ALARMS:
        raise AwsError("ValidationError", f"AlarmNames may have at most {MOST_ALARMS} entries")
    if names and prefix:
        raise AwsError("ValidationError", "AlarmNames and AlarmNamePrefix exclude each other")
    found = [
        alarm
        for alarm in _of_types(world, given.get("AlarmTypes", [METRIC]))
        if (not names or alarm.settings.name in names)
        and alarm.settings.name.startswith(prefix)
        and state in {None, alarm.state.value}
    ]
    size = given.get("MaxRecords", len(names) if names else 50)
    shown, token = page(found, given.get("NextToken"), size, "InvalidNextToken")
    return {
        "MetricAlarms": [_alarm(alarm) for alarm in shown if isinstance(alarm, Alarm)],
        "CompositeAlarms": [_composite(alarm) for alarm in shown if isinstance(alarm, CompositeAlarm)],
        "NextToken": token,
    }


def enable_alarm_actions(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    return _switch_actions(world, given, enabled=True)


def disable_alarm_actions(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """The alarm goes on being evaluated, and its events go on: only its actions rest."""
    return _switch_actions(world, given, enabled=False)


def set_alarm_state(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    data = given.get("StateReasonData")
    world.set_alarm_state(given["AlarmName"], given["StateValue"], given["StateReason"], data, now)
    return {}


def describe_alarm_history(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """State changes alone: nothing in the lab reconfigures an alarm or runs an action."""
    wanted = given.get("HistoryItemType", "StateUpdate") == "StateUpdate"
    changes = [
        transition
        for alarm in _of_types(world, given.get("AlarmTypes", [METRIC]))
        if wanted and given.get("AlarmName", alarm.settings.name) == alarm.settings.name
        for transition in alarm.history
    ]
    start, end = _moment(given.get("StartDate", 0)), _moment(given.get("EndDate", 2**32))
    changes = [change for change in changes if start <= change.state.updated <= end]
    newest_first = given.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    changes.sort(key=lambda change: change.state.updated, reverse=newest_first)
    shown, token = page(changes, given.get("NextToken"), given.get("MaxRecords", 100), "InvalidNextToken")
    return {"AlarmHistoryItems": [_history_item(change) for change in shown], "NextToken": token}


def get_metric_data(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """A period without data has no entry; the newest may be incomplete, as on AWS."""
    queries = given["MetricDataQueries"]
    if len(queries) > MOST_QUERIES:
        raise AwsError("ValidationError", f"MetricDataQueries may have at most {MOST_QUERIES} entries")
    start, end = _moment(given["StartTime"]), _moment(given["EndTime"])
    if start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    newest_first = given.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = [
        _result(world.metrics, query, max(start, end - KEPT_SECONDS), end, newest_first=newest_first)
        for query in queries
        if query.get("ReturnData", True)
    ]
    return {**datapoints.page(results, given), "Messages": []}


def _of_types(world: World, types: list[str]) -> list[AnyAlarm]:
    metric: list[AnyAlarm] = list(world.alarms()) if METRIC in types else []
    return metric + (list(world.composite_alarms()) if COMPOSITE in types else [])


def _switch_actions(world: World, given: dict[str, Any], *, enabled: bool) -> dict[str, Any]:
    for alarm in _of_types(world, [METRIC, COMPOSITE]):
        if alarm.settings.name in given["AlarmNames"]:
            alarm.actions_enabled = enabled
    return {}


def _result(metrics: Metrics, query: dict[str, Any], start: float, end: float, *, newest_first: bool) -> dict[str, Any]:
    if "MetricStat" not in query:
        raise AwsError("ValidationError", f"The lab has no metric math: query '{query['Id']}' needs MetricStat")
    stat = query["MetricStat"]
    period = checked_period(stat["Period"])
    metric, statistic = metric_of(stat["Metric"]), checked_statistic(stat["Stat"])
    starts = range(math.floor(start / period) * period, math.ceil(end), period)
    points = [(at, metrics.statistic(metric, statistic, at, at + period)) for at in starts]
    present = [(at, value) for at, value in points if value is not None]
    if newest_first:
        present.reverse()
    return {
        "Id": query["Id"],
        "Label": query.get("Label", metric.name),
        "Timestamps": [at for at, _ in present],
        "Values": [value for _, value in present],
        "StatusCode": "Complete",
    }


def metric_of(described: dict[str, Any]) -> Metric:
    dimensions = {each["Name"]: each["Value"] for each in described.get("Dimensions", [])}
    return Metric.of(described.get("Namespace", ""), described.get("MetricName", ""), dimensions)


def checked_period(period: int) -> int:
    if period not in FINE_PERIODS and (period <= 0 or period % 60):
        raise AwsError("ValidationError", f"Period {period} must be 1, 5, 10, 20, 30 or a multiple of 60")
    return period


def checked_statistic(statistic: str) -> str:
    try:
        if statistic not in STATISTICS:
            percentile_of(statistic)
    except ValueError as error:
        raise AwsError("ValidationError", str(error)) from error
    return statistic


def _moment(given: Any) -> float:
    return float(parse_to_aware_datetime(given).timestamp())


def _alarm(alarm: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    plain = settings.statistic in STATISTICS
    return {
        **_common(alarm, alarm.created),
        "MetricName": settings.metric.name,
        "Namespace": settings.metric.namespace,
        "Statistic": settings.statistic if plain else None,
        "ExtendedStatistic": None if plain else settings.statistic,
        "Dimensions": [{"Name": name, "Value": value} for name, value in settings.metric.dimensions],
        "Period": settings.period,
        "EvaluationPeriods": settings.evaluation_periods,
        "DatapointsToAlarm": settings.datapoints_to_alarm,
        "Threshold": settings.threshold,
        "ComparisonOperator": settings.comparison,
        "TreatMissingData": settings.missing_data,
    }


def _composite(alarm: CompositeAlarm) -> dict[str, Any]:
    settings, by = alarm.settings, alarm.state.suppressed_by
    suppressor = {
        "ActionsSuppressor": settings.suppressor,
        "ActionsSuppressorWaitPeriod": int(settings.wait),
        "ActionsSuppressorExtensionPeriod": int(settings.extension),
    }
    return {
        **_common(alarm, alarm.created),
        "AlarmRule": settings.rule.text,
        **(suppressor if settings.suppressor else {}),
        "ActionsSuppressedBy": by or None,
        "ActionsSuppressedReason": f"Actions suppressed by {by}" if by else None,
    }


def _common(alarm: AnyAlarm, created: float) -> dict[str, Any]:
    state = alarm.state
    return {
        "AlarmName": alarm.settings.name,
        "AlarmArn": alarm.arn,
        "AlarmDescription": alarm.settings.description or None,
        "AlarmConfigurationUpdatedTimestamp": created,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "StateValue": state.value,
        "StateReason": state.reason,
        "StateReasonData": state.reason_data,
        "StateUpdatedTimestamp": state.updated,
        "StateTransitionedTimestamp": state.transitioned,
    }


def _history_item(change: Transition) -> dict[str, Any]:
    old, new = change.previous, change.state
    data = {"version": "1.0", "oldState": _history_state(old), "newState": _history_state(new)}
    return {
        "AlarmName": change.alarm.settings.name,
        "AlarmType": COMPOSITE if isinstance(change.alarm, CompositeAlarm) else METRIC,
        "Timestamp": new.updated,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {old.value} to {new.value}",
        "HistoryData": json.dumps(data),
    }


def _history_state(state: State) -> dict[str, str]:
    return {"stateValue": state.value, "stateReason": state.reason, "stateUpdated": offset(state.updated)}


OPERATIONS = {
    "DescribeAlarms": describe_alarms,
    "EnableAlarmActions": enable_alarm_actions,
    "DisableAlarmActions": disable_alarm_actions,
    "SetAlarmState": set_alarm_state,
    "DescribeAlarmHistory": describe_alarm_history,
    "GetMetricData": get_metric_data,
    **mute_rules.OPERATIONS,
}
