"""The month's judge, that every table has its rule, and a day of the month as it is played."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.month.judge import Figures, judge
from bench.month.tables import KEPT, tables

FIRST = Figures(5, 200, 100_000, {"events that wait": 0}, {"fleet_heartbeat": 6})
LAST = Figures(30, 205, 101_000, {"events that wait": 0}, {"fleet_heartbeat": 6})


def told(first=FIRST, last=LAST, beyond=(), unknown=()):
    return " ".join(judge([first, last], ["fleet_heartbeat"], beyond, unknown))


def changed(**values):
    return Figures(**{**vars(LAST), **values})


def test_what_does_not_grow_is_well():
    assert told() == ""


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (changed(memory_mb=260), "Memory grew from 200 MB on day 5 to 260"),
        (changed(objects=150_000), "150000 objects"),
        (changed(backlog={"events that wait": 3}), "On day 30 there were 3 events that wait"),
        (changed(rows={"fleet_heartbeat": 400}), "fleet_heartbeat grew from 6 rows to 400"),
    ],
)
def test_what_grows_is_told(last, said):
    assert said in told(last=last)


def test_what_should_be_gone_and_a_table_without_a_rule_are_told():
    assert "old rows" in told(beyond=["ingest_event has old rows."])
    assert "what keeps orders from growing" in told(unknown=["orders"])


def test_too_short_a_time_says_nothing_about_growth():
    assert "nothing can be said" in " ".join(judge([FIRST], [], [], []))


@pytest.mark.django_db
def test_every_table_has_its_rule():
    assert set(tables()) == set(KEPT), "say in bench/month/tables.py what keeps a new table from growing"


@pytest.mark.full
@pytest.mark.timeout(900)
def test_a_week_is_lived():
    root = Path(__file__).parents[2]
    lived = subprocess.run(
        [sys.executable, "-m", "bench.month", "--days", "6", "--every", "1"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lived.returncode == 0, lived.stdout[-3000:] + lived.stderr[-2000:]
    assert json.loads((root / "build" / "month.json").read_text())["bad"] == []
