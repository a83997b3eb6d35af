"""Lambda's time per request, from what CloudWatch publishes."""

import pytest

from failover.demand import CONCURRENCY_METRIC, highest_rate, project, seconds_per_request
from failover.model import Alarm, AlarmState, Limits, Memory, Metrics, Policy, Reading, Snapshot

PERIOD = 5


def metrics(**series):
    """Each series as values of consecutive periods; None where nothing was published."""
    return Metrics(
        PERIOD,
        {
            name: tuple((index * PERIOD, value) for index, value in enumerate(values) if value is not None)
            for name, values in series.items()
        },
    )


def test_nothing_published_is_unknown():
    assert seconds_per_request(metrics()) is None


def test_a_few_slow_requests_outweigh_the_95th_percentile():
    found = metrics(duration_avg=[0.11, 0.11], duration_p95=[0.01, 0.01], invocations=[100, 100])
    assert seconds_per_request(found) == pytest.approx(0.11)


def test_the_mean_is_weighted_by_invocations():
    found = metrics(duration_avg=[0.1, 0.9], invocations=[900, 100])
    assert seconds_per_request(found) == pytest.approx(0.18)


def test_at_the_limit_concurrency_over_throughput_says_what_durations_do_not_yet():
    """A surge from idle: only its fast requests have ended, while 14 executions carry 130 requests a second."""
    found = metrics(
        duration_avg=[0.01, 0.01, 0.03],
        invocations=[650, 650, 100],
        concurrency=[14, 14, 14],
        throttles=[350, 350, 60],
    )
    assert seconds_per_request(found) == pytest.approx(14 / 130)


def test_the_newest_period_does_not_count_at_the_limit_because_it_may_be_incomplete():
    found = metrics(duration_avg=[0.1], invocations=[5], concurrency=[14], throttles=[1])
    assert seconds_per_request(found) == pytest.approx(0.1)


def test_away_from_the_limit_a_maximum_over_few_requests_says_nothing():
    found = metrics(duration_avg=[0.1, 0.1], invocations=[1, 1], concurrency=[1, 1], throttles=[0, 0])
    assert seconds_per_request(found) == pytest.approx(0.1)


def test_requests_that_met_no_target_are_demand_too():
    found = metrics(ecs_requests=[100, 10], unserved=[None, 90])
    assert highest_rate(found, 10.0, window=10) == 20


def test_the_busiest_period_of_the_window_counts():
    found = metrics(lambda_requests=[900, 50, 100, 50])
    assert highest_rate(found, 20.0, window=10) == 20


def test_requests_that_seem_to_take_no_time_do_not_speak_for_lambda():
    """Else any demand would fit: what is 0 was never measured."""
    series = metrics(ecs_requests=[1000, 1000, 1000])
    snapshot = Snapshot(
        at=15.0,
        alarms=Reading.of((Alarm("concurrency", AlarmState.OK, 0.0, threshold=10.0, metric=CONCURRENCY_METRIC),), 15.0),
        metrics=Reading.of(series, 15.0),
        limits=Reading.of(Limits(14, 900), 15.0),
    )
    projection = project(Policy(), snapshot, Memory(duration=0.0), 15.0)
    assert not projection.fits, projection.reason
