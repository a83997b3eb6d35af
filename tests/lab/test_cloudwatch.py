"""Statistics as CloudWatch computes them (User Guide, "CloudWatch statistics definitions")."""

import pytest

from lab.cloudwatch import Metric, Metrics

DURATION = Metric.of("AWS/Lambda", "Duration", {"FunctionName": "checkout"})


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    for value in range(1, 101):
        metrics.put(DURATION, value, at=1000.0)
    return metrics


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 5050),
        ("SampleCount", 100),
        ("Average", 50.5),
        ("Maximum", 100),
        ("Minimum", 1),
        ("p95", 95),
        ("p50", 50),
    ],
)
def test_statistic_summarises_what_was_published(metrics, statistic, expected):
    assert metrics.statistic(DURATION, statistic, 1000, 1005) == expected


def test_a_period_without_data_is_none_and_not_zero(metrics):
    """GetMetricData returns no value for a period without data."""
    assert metrics.statistic(DURATION, "Sum", 1005, 1010) is None


def test_other_dimensions_are_another_metric(metrics):
    """CloudWatch concepts, "Dimensions": part of a metric's identity."""
    other = Metric.of("AWS/Lambda", "Duration", {"FunctionName": "search"})
    assert metrics.statistic(other, "Sum", 1000, 1005) is None


def test_the_order_of_dimensions_does_not_matter():
    assert Metric.of("N", "M", {"a": "1", "b": "2"}) == Metric.of("N", "M", {"b": "2", "a": "1"})


def test_data_older_than_three_hours_is_forgotten():
    """CloudWatch concepts, "Metrics retention": data points under 60 seconds are kept for three hours."""
    metrics = Metrics()
    for at in range(0, 4 * 3600, 5):
        metrics.put(DURATION, 1, at)
    assert metrics.statistic(DURATION, "Sum", 0, 5) is None
    assert metrics.statistic(DURATION, "Sum", 3 * 3600, 3 * 3600 + 5) == 1


def test_an_unknown_statistic_is_an_error(metrics):
    with pytest.raises(ValueError, match="Unknown statistic"):
        metrics.statistic(DURATION, "Median", 1000, 1005)


def test_the_lab_publishes_every_five_seconds_and_counts_truly(virtual):
    """CloudWatch metrics for your Application Load Balancer: reported in 60-second intervals. The lab's are 5 seconds
    long and its time is not scaled, so a rate is the true one."""
    virtual.run(20, "checkout", 10, mix=[("/bang", 1)])
    load_balancer = virtual.world.applications["checkout"].load_balancer
    metric = Metric.of("AWS/ApplicationELB", "RequestCount", {"LoadBalancer": load_balancer.dimension})
    end = virtual.now // 5 * 5
    counts = [virtual.world.metrics.statistic(metric, "Sum", end - back, end - back + 5) for back in (15, 10)]
    assert counts == [50, 50]
