"""Samples: what CloudWatch shows late is filled in, rolling up loses no request, and nothing is kept for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from failover.model import Metrics, Reading, Routes, RouteState, Service, Snapshot, Split, Targets
from panel.fleet import history
from panel.fleet.applications import import_document
from panel.fleet.models import Application, Sample
from tests.panel.conftest import DOCUMENT

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY, WEEK, MONTH, YEAR = history.SPANS[2:]


def seen(at: datetime, series: dict, period: int = 60, **more) -> Snapshot:
    now = at.timestamp()
    split = more.get("split", Split(100, 0))
    return Snapshot(
        now,
        metrics=Reading.of(Metrics(period, series), now),
        routes=Reading.of(Routes((RouteState("arn", "listener", split, ""),)), now),
        service=Reading.of(Service(more.get("desired", 0), 0, 0), now),
        targets=Reading.of(Targets(more.get("healthy", 0)), now),
    )


def points(since: datetime, values: list[float], period: int = 60) -> tuple[tuple[float, float], ...]:
    return tuple((since.timestamp() + n * period, value) for n, value in enumerate(values))


def test_points_of_seconds_make_a_minute(application: Application) -> None:
    series = {"lambda_requests": points(NOON, [2.0] * 24, 5), "concurrency": points(NOON, [3.0, 9.0, 4.0], 5)}
    history.record(application, seen(NOON + timedelta(seconds=119), series, 5, split=Split(0, 100), healthy=2))
    first, second = Sample.objects.order_by("at")
    assert (first.lambda_requests, first.concurrency, first.ecs_percent) == (24.0, 9.0, None)
    assert (second.lambda_requests, second.ecs_percent, second.healthy) == (24.0, 100.0, 2)


def test_what_comes_late_is_filled_in_and_what_was_seen_then_stays(application: Application) -> None:
    history.record(application, seen(NOON, {}, desired=4))
    later = NOON + timedelta(minutes=3)
    history.record(application, seen(later, {"ecs_requests": points(NOON, [7.0])}, desired=1))
    sample = Sample.objects.get(at=NOON)
    assert (sample.ecs_requests, sample.desired) == (7.0, 4)


def test_a_minute_without_a_point_is_unknown_and_not_zero(application: Application) -> None:
    history.record(application, seen(NOON, {}))
    assert Sample.objects.get().lambda_requests is None


def test_unknown_metrics_leave_no_sample(application: Application) -> None:
    history.record(application, replace(seen(NOON, {}), metrics=Reading(problem="denied")))
    assert not Sample.objects.exists()


class RollingUp(TestCase):
    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=100))
    def test_no_request_is_lost_or_counted_twice_however_often_it_runs(self, counts: list[int]) -> None:
        application = import_document(DOCUMENT, "checkout.toml").application
        Sample.objects.all().delete()
        for minute, count in enumerate(counts):
            at = NOON + timedelta(minutes=minute)
            history.record(application, seen(at, {"lambda_requests": points(at, [float(count)])}))
            if minute % 4 == 0:
                history.roll_up(at)
        history.roll_up(at)
        history.roll_up(at)
        for seconds in (60, 300, 3600):
            rolled = Sample.objects.filter(seconds=seconds).values_list("lambda_requests", flat=True)
            assert sum(rolled) == sum(counts), seconds


def test_each_kind_of_sample_is_kept_as_long_as_it_is_said(application: Application) -> None:
    for seconds, kept in history.KEPT.items():
        for age in (kept - timedelta(minutes=1), kept + timedelta(minutes=1)):
            Sample.objects.create(application=application, seconds=seconds, at=NOON - age)
    history.forget(NOON)
    assert Sample.objects.count() == len(history.KEPT)


@pytest.mark.parametrize(("span", "seconds"), [(DAY, 60), (WEEK, 300), (MONTH, 3600), (YEAR, 3600)])
def test_a_longer_span_is_read_from_longer_samples(application: Application, span: history.Span, seconds: int) -> None:
    for each in history.KEPT:
        Sample.objects.create(application=application, seconds=each, at=NOON, ecs_requests=each)
    metrics = history.read(application, span, NOON + timedelta(hours=1))
    assert (metrics.period, metrics.series["ecs_requests"]) == (seconds, ((NOON.timestamp(), float(seconds)),))


def test_totals_say_which_pool_answered(application: Application) -> None:
    found = history.totals(
        Metrics(60, {"lambda_requests": ((1.0, 30.0),), "ecs_requests": ((1.0, 10.0),), "failed": ((1.0, 2.0),)})
    )
    assert (found.requests, found.ecs_share, found.failed) == (40.0, 25.0, 2.0)
    assert history.totals(Metrics(60)).ecs_share is None


def test_failures_and_times_are_kept_by_pool(application: Application) -> None:
    series = {
        "lambda_5xx": points(NOON, [3.0]), "ecs_5xx": points(NOON, [1.0]),
        "duration_p95": points(NOON, [0.4]), "ecs_seconds": points(NOON, [0.2]),
    }  # fmt: skip
    history.record(application, seen(NOON + timedelta(seconds=30), series))
    sample = Sample.objects.get(at=NOON)
    assert (sample.lambda_5xx, sample.ecs_5xx, sample.failed) == (3.0, 1.0, 4.0)
    assert (sample.lambda_seconds, sample.ecs_seconds) == (0.4, 0.2)


def test_what_happened_between_two_moments_is_read_from_the_minute_in_which_it_began(application: Application) -> None:
    for minute in range(4):
        at = NOON + timedelta(minutes=minute)
        Sample.objects.create(application=application, seconds=60, at=at, lambda_requests=1.0)
    metrics = history.between(application, NOON + timedelta(seconds=90), NOON + timedelta(seconds=130))
    assert [at for at, _ in metrics.points("lambda_requests")] == [
        (NOON + timedelta(minutes=m)).timestamp() for m in (1, 2)
    ]
