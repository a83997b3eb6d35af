from __future__ import annotations

from failover.model import Limits, Metrics, Reading, Snapshot, Split
from panel.fleet.snapshots import concurrency_limit
from panel.web import charts, panels
from tests.panel.web import examples


def shown(**series: tuple[tuple[float, float], ...]) -> Snapshot:
    metrics = Reading.of(Metrics(60, series), 1.0)
    return Snapshot(1.0, metrics=metrics, limits=Reading.of(Limits(reserved=50, unreserved=900), 1.0))


def test_a_sparkline_needs_two_points() -> None:
    assert charts.spark(None) is None
    assert charts.spark(shown(concurrency=((0, 5),))) is None


def test_a_sparkline_keeps_the_peak_of_a_long_series() -> None:
    series = tuple((float(i), 100.0 if i == 333 else 10.0) for i in range(720))
    spark = charts.spark(shown(concurrency=series))

    assert spark is not None
    heights = [float(point.split(",")[1]) for point in spark.line.split(" ")]
    assert len(heights) <= charts.SPARK_POINTS
    assert min(heights) < 10, "the one peak must reach the top"
    assert max(heights) > 80, "and the rest stay low"


def test_the_limit_line_stands_where_the_limit_is() -> None:
    spark = charts.spark(shown(concurrency=((0, 100), (1, 0))))

    assert spark is not None
    assert spark.words == "0 of 50 at once"
    top_to_zero = [float(point.split(",")[1]) for point in spark.line.split(" ")]
    assert abs(float(spark.limit_y) - sum(top_to_zero) / 2) < 0.2, "50 lies half-way between the points at 100 and 0"


def test_the_reservation_counts_and_not_the_accounts_pool() -> None:
    assert concurrency_limit(Limits(reserved=50, unreserved=900)) == 50
    assert concurrency_limit(Limits(reserved=None, unreserved=900)) == 900
    assert concurrency_limit(None) is None


def test_the_band_changes_pool_where_traffic_moved() -> None:
    chart = charts.chart(
        shown(
            concurrency=((0, 1), (60, 1), (120, 1), (180, 1), (240, 1)),
            lambda_requests=((0, 10), (60, 10), (120, 5)),
            ecs_requests=((120, 15), (180, 20)),
        ),
    )

    assert chart is not None
    assert [(band.x, band.width, band.ecs) for band in chart.bands] == [(0, 50, 0), (50, 25, 75), (75, 25, 100)]
    assert chart.bands[1].ecs_height == charts.BAND * 0.75


def test_a_time_without_requests_belongs_to_no_pool() -> None:
    chart = charts.chart(shown(concurrency=((0, 1), (60, 1), (120, 2)), lambda_requests=((0, 10),)))

    assert chart is not None
    assert [band.ecs for band in chart.bands] == [0, None]


def test_scale_steps_are_round_and_leave_air_above() -> None:
    chart = charts.chart(examples.snapshot(concurrency=(3, 61), limit=64))

    assert chart is not None
    assert [line.text for line in chart.grid] == ["0", "20", "40", "60", "80"]
    assert chart.limit is not None
    assert charts.TOP < chart.limit.at < charts.TOP + charts.PLOT
    assert chart.threshold is not None
    assert chart.threshold.text == "alarm at 51"


def test_the_table_has_the_newest_first_and_gaps_where_nothing_was_published() -> None:
    chart = charts.chart(shown(concurrency=((0, 1), (60, 2)), throttles=((60, 7),)))

    assert chart is not None
    assert [(row.at, *row.values[:2]) for row in chart.rows] == [(60, 2, 7), (0, 1, None)]


def test_after_a_move_concurrency_may_be_missing_and_the_chart_still_stands() -> None:
    chart = charts.chart(shown(ecs_requests=((0, 10), (60, 12))))

    assert chart is not None
    assert (chart.lines, chart.summary) == ((), "No concurrency reported in this time.")


def test_weights_split_in_the_examples_follow_the_split() -> None:
    chart = charts.chart(examples.snapshot(split=Split(0, 100), concurrency=(1, 1, 1, 1, 1, 1)))

    assert chart is not None
    assert [band.ecs for band in chart.bands] == [0, 100]


def test_where_nothing_was_published_nothing_is_drawn() -> None:
    chart = charts.chart(shown(concurrency=((0, 1), (60, 2), (300, 2), (360, 1))))

    assert chart is not None
    assert [len(line.points.split(" ")) for line in chart.lines] == [2, 2]


def test_what_is_so_now_ends_where_the_time_axis_does() -> None:
    frame = panels.Frame(0.0, 60.0, 4.0, panels.HEIGHT)
    line = panels.polyline(((30.0, 3.0), (65.0, 3.0)), frame)
    assert [float(point.split(",")[0]) for point in line.split(" ")] == [panels.WIDTH / 2, panels.WIDTH]
