"""CloudWatch: metric alarms as calls create them.

Source: CloudWatch API Reference, ``PutMetricAlarm``: an alarm of that name is replaced whole.
"""

from typing import Any

from lab.alarms import COMPARISONS, MISSING_DATA, Alarm, AlarmSettings
from lab.api.cloudwatch import checked_period, checked_statistic, metric_of
from lab.errors import AwsError
from lab.members import ALL, refuse_unread
from lab.world import World

_ALARM = {
    "AlarmName": ALL, "AlarmDescription": ALL, "ActionsEnabled": ALL, "Namespace": ALL, "MetricName": ALL,
    "Dimensions": {"Name": ALL, "Value": ALL}, "Statistic": ALL, "ExtendedStatistic": ALL, "Period": ALL,
    "EvaluationPeriods": ALL, "DatapointsToAlarm": ALL, "Threshold": ALL, "ComparisonOperator": ALL,
    "TreatMissingData": ALL,
}  # fmt: skip


def put_metric_alarm(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    """Its state, where it was there before, stays until it is evaluated."""
    refuse_unread(given, _ALARM)
    settings = _settings(given)
    known = next((each for each in world.alarms() if each.settings.name == settings.name), None)
    alarm = Alarm(settings, world.arn("cloudwatch", f"alarm:{settings.name}"), now)
    if known is None:
        alarm.actions_enabled = given.get("ActionsEnabled", True)
        world.created.alarms.append(alarm)
    else:
        known.settings, known.due = settings, alarm.due
        known.actions_enabled = given.get("ActionsEnabled", True)
    return {}


def _settings(given: dict[str, Any]) -> AlarmSettings:
    if "MetricName" not in given or ("Statistic" in given) == ("ExtendedStatistic" in given):
        raise AwsError("ValidationError", "The lab's alarms have MetricName and either Statistic or ExtendedStatistic")
    evaluated = given["EvaluationPeriods"]
    settings = AlarmSettings(
        name=given["AlarmName"],
        metric=metric_of(given),
        statistic=checked_statistic(given.get("Statistic") or given["ExtendedStatistic"]),
        threshold=float(given["Threshold"]),
        comparison=given["ComparisonOperator"],
        period=checked_period(given["Period"]),
        evaluation_periods=evaluated,
        datapoints_to_alarm=given.get("DatapointsToAlarm", evaluated),
        missing_data=given.get("TreatMissingData", "missing"),
        description=given.get("AlarmDescription", ""),
    )
    if settings.comparison not in COMPARISONS or settings.missing_data not in MISSING_DATA:
        raise AwsError(
            "ValidationError", "The lab's alarms compare with a threshold, and treat missing data as AWS does"
        )
    if not 1 <= settings.datapoints_to_alarm <= evaluated:
        raise AwsError("ValidationError", f"DatapointsToAlarm must be 1 to {evaluated}")
    return settings


OPERATIONS = {"PutMetricAlarm": put_metric_alarm}
