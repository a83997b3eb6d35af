"""Alarms out of their tables in the world file."""

from lab.alarm_rules import parse
from lab.alarm_tables import ACCOUNT_METRICS, AlarmTable, CompositeAlarmTable
from lab.alarms import Alarm, AlarmSettings
from lab.cloudwatch import Metric
from lab.composite_alarms import CompositeAlarm, CompositeSettings


def metric_alarm(table: AlarmTable, function_name: str, arn: str, now: float) -> Alarm:
    """On a metric of the function, or of the whole account where the metric is the account's."""
    dimensions = {} if table.metric in ACCOUNT_METRICS else {"FunctionName": function_name}
    settings = AlarmSettings(
        name=table.name,
        metric=Metric.of("AWS/Lambda", table.metric, dimensions),
        statistic=table.statistic,
        threshold=table.threshold,
        comparison=table.comparison,
        period=table.period_seconds,
        evaluation_periods=table.evaluation_periods,
        datapoints_to_alarm=table.datapoints_to_alarm,
        missing_data=table.missing_data,
        description=table.description,
    )
    return Alarm(settings, arn, now, actions_enabled=table.actions_enabled)


def composite_alarm(table: CompositeAlarmTable, arn: str, now: float) -> CompositeAlarm:
    settings = CompositeSettings(
        name=table.name,
        rule=parse(table.rule),
        description=table.description,
        suppressor=table.suppressor,
        wait=table.wait_seconds,
        extension=table.extension_seconds,
    )
    return CompositeAlarm(settings, arn, now, actions_enabled=table.actions_enabled)
