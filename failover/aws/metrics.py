"""The time series that decisions and charts use, in one GetMetricData call (500 queries at most).

Statistics: CloudWatch metrics for Lambda and for Application Load Balancers. A sum without a data point is nothing
happening; Lambda publishes nothing while a function is idle.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from failover.aws.routes import load_balancer_dimension
from failover.model import Application, Metrics, Series

_LAMBDA = {
    "concurrency": ("ConcurrentExecutions", "Maximum"),
    "throttles": ("Throttles", "Sum"),
    "invocations": ("Invocations", "Sum"),
    "errors": ("Errors", "Sum"),
    "duration_p95": ("Duration", "p95"),
    "duration_avg": ("Duration", "Average"),
}
_GROUP = {"requests": ("RequestCount", "Sum"), "5xx": ("HTTPCode_Target_5XX_Count", "Sum")}
_MILLISECONDS = frozenset({"duration_p95", "duration_avg"})
POINTS = 60  # how many periods back are read at least


def read(cloudwatch: Any, application: Application, now: float) -> Metrics:
    policy = application.policy
    period = policy.metric_period_seconds
    span = max(POINTS * period, policy.dwell_seconds + 3 * period)
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=_queries(application),
        StartTime=datetime.fromtimestamp((now - span) // period * period, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
        ScanBy="TimestampAscending",
    )
    series: dict[str, Series] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            name = result["Label"]
            series[name] = series.get(name, ()) + _points(name, result)
    return Metrics(period, series)


def _points(name: str, result: dict[str, Any]) -> Series:
    scale = 1000 if name in _MILLISECONDS else 1
    pairs = zip(result["Timestamps"], result["Values"], strict=True)
    return tuple((at.timestamp(), value / scale) for at, value in pairs)


def _queries(application: Application) -> list[dict[str, Any]]:
    function = {"FunctionName": application.function_name}
    queries = [_query(name, "AWS/Lambda", *what, function, application) for name, what in _LAMBDA.items()]
    groups = {"lambda": application.lambda_target_group_arn, "ecs": application.ecs_target_group_arn}
    for pool, arn in groups.items():
        dimensions = {"TargetGroup": arn.rsplit(":", 1)[-1], "LoadBalancer": load_balancer_dimension(application)}
        for name, what in _GROUP.items():
            queries.append(_query(f"{pool}_{name}", "AWS/ApplicationELB", *what, dimensions, application))
    return queries


def _query(
    label: str, namespace: str, metric: str, statistic: str, dimensions: dict[str, str], application: Application
) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {
        "Id": f"m_{label}",
        "Label": label,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": application.policy.metric_period_seconds,
            "Stat": statistic,
        },
    }
