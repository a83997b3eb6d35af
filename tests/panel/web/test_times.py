from datetime import UTC, datetime

import pytest

from panel.web import times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (62, "1 min 02 s"), (3600, "1 h 00 min"), (11_100, "3 h 05 min"), (800_000, "9 d")],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert times.duration(seconds) == text


def test_a_coarse_duration_leaves_seconds_out_beside_minutes() -> None:
    assert (times.coarse(42), times.coarse(62), times.coarse(3661)) == ("42 s", "1 min", "1 h 01 min")


def test_a_limit_in_a_sentence_has_no_empty_unit() -> None:
    assert (times.span(30), times.span(300), times.span(5400)) == ("30 s", "5 min", "1 h 30 min")


def test_a_clock_that_runs_ahead_shows_no_negative_age() -> None:
    assert times.duration(-3) == "0 s"


def test_a_moment_is_utc_without_the_script_and_keeps_utc_on_hover() -> None:
    told = times.moment(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))

    assert 'datetime="2026-03-04T05:06:07+00:00"' in told
    assert 'title="2026-03-04 05:06:07 UTC"' in told
    assert ">04 Mar 05:06:07 UTC<" in told
