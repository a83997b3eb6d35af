"""The time series that decisions and charts use.

Source: CloudWatch API reference, GetMetricData (500 queries a call) and MetricDataResult.StatusCode.
Statistics: CloudWatch metrics for Lambda and for Application Load Balancers. A sum without a data point is nothing
happening; Lambda publishes nothing while a function is idle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from failover.aws.batches import chunks
from failover.aws.routes import load_balancer_dimension
from failover.model import Application, Metrics, Series
from failover.ports import AwsError

_LAMBDA = {
    "concurrency": ("ConcurrentExecutions", "Maximum"),
    "throttles": ("Throttles", "Sum"),
    "invocations": ("Invocations", "Sum"),
    "errors": ("Errors", "Sum"),
    "duration_p95": ("Duration", "p95"),
    "duration_avg": ("Duration", "Average"),
}
_GROUP = {"requests": ("RequestCount", "Sum"), "5xx": ("HTTPCode_Target_5XX_Count", "Sum")}
# Requests that met a target group without a target: no group's own count has them. Asked for where ECS has traffic.
_UNSERVED = ("HTTPCode_ELB_503_Count", "Sum")
# How long ECS takes to answer; of Lambda its own duration says it. In seconds.
_ECS_SECONDS = ("TargetResponseTime", "p95")
_MILLISECONDS = frozenset({"duration_p95", "duration_avg"})
_FAILED = frozenset({"InternalError", "Forbidden"})
QUERIES = len(_LAMBDA) + 2 * len(_GROUP)  # an application's, all of whose traffic is on Lambda
QUERIES_A_CALL = 500
POINTS = 60  # how many periods back are read at least


def read(cloudwatch: Any, application: Application, now: float) -> Metrics:
    return read_many(cloudwatch, [application], now, on_ecs={application.slug})[application.slug]


def read_many(
    cloudwatch: Any, applications: Sequence[Application], now: float, on_ecs: Collection[str] = ()
) -> dict[str, Metrics]:
    """Metrics by slug; `on_ecs` are the slugs whose ECS pool may have traffic.

    Raises AwsError where CloudWatch answers for a query that it failed: no data is not nothing.
    """
    found: dict[str, Metrics] = {}
    for some in chunks(applications, QUERIES_A_CALL // (QUERIES + 2 * bool(on_ecs))):
        results = _results(cloudwatch, some, now, on_ecs)
        for index, application in enumerate(some):
            series = {name: points for (of, name), points in results.items() if of == index}
            found[application.slug] = Metrics(application.policy.metric_period_seconds, series)
    return found


def _results(
    cloudwatch: Any, applications: Sequence[Application], now: float, on_ecs: Collection[str]
) -> dict[tuple[int, str], Series]:
    """Series by the application's index and the series' name."""
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[
            query
            for index, each in enumerate(applications)
            for query in _queries(each, index, with_unserved=each.slug in on_ecs)
        ],
        StartTime=datetime.fromtimestamp(min(_start(each, now) for each in applications), UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
        ScanBy="TimestampAscending",
    )
    series: dict[tuple[int, str], Series] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            if result.get("StatusCode") in _FAILED:
                raise AwsError("unanswered", f"CloudWatch could not read {result['Label']}: {result['StatusCode']}.")
            index, name = _named(result["Id"])
            series[index, name] = series.get((index, name), ()) + _points(name, result)
    return series


def _start(application: Application, now: float) -> float:
    period = application.policy.metric_period_seconds
    span = max(POINTS * period, application.policy.dwell_seconds + 3 * period)
    return (now - span) // period * period


def _named(query_id: str) -> tuple[int, str]:
    index, name = query_id.removeprefix("a").split("_", 1)
    return int(index), name


def _points(name: str, result: dict[str, Any]) -> Series:
    scale = 1000 if name in _MILLISECONDS else 1
    pairs = zip(result["Timestamps"], result["Values"], strict=True)
    return tuple((at.timestamp(), value / scale) for at, value in pairs)


def _queries(application: Application, index: int, *, with_unserved: bool) -> Iterator[dict[str, Any]]:
    period = application.policy.metric_period_seconds
    function = {"FunctionName": application.function_name}
    for name, what in _LAMBDA.items():
        yield _query(f"a{index}_{name}", name, "AWS/Lambda", *what, function, period)
    balancer = {"LoadBalancer": load_balancer_dimension(application)}
    if with_unserved:
        yield _query(f"a{index}_unserved", "unserved", "AWS/ApplicationELB", *_UNSERVED, balancer, period)
        ecs = {"TargetGroup": application.ecs_target_group_arn.rsplit(":", 1)[-1], **balancer}
        yield _query(f"a{index}_ecs_seconds", "ecs_seconds", "AWS/ApplicationELB", *_ECS_SECONDS, ecs, period)
    groups = {"lambda": application.lambda_target_group_arn, "ecs": application.ecs_target_group_arn}
    for pool, arn in groups.items():
        dimensions = {"TargetGroup": arn.rsplit(":", 1)[-1], **balancer}
        for kind, what in _GROUP.items():
            name = f"{pool}_{kind}"
            yield _query(f"a{index}_{name}", name, "AWS/ApplicationELB", *what, dimensions, period)


def _query(
    query_id: str, label: str, namespace: str, metric: str, statistic: str, dimensions: dict[str, str], period: int
) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {
        "Id": query_id,
        "Label": label,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": period,
            "Stat": statistic,
        },
    }
