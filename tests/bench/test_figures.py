"""Figures: limits, the table, and what compared with an older run counts as worse."""

import json

import pytest

from bench import __main__ as command
from bench import history, report
from bench.figures import Figure, read, table
from bench.history import Stored


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("n", 5.0), True),
        (Figure("n", None), True),
        (Figure("n", 5.0, most=5), True),
        (Figure("n", 5.1, most=5), False),
        (Figure("n", 5.0, least=5), True),
        (Figure("n", 4.9, least=5), False),
        (Figure("n", None, most=5), False),
    ],
)
def test_a_limit_holds_at_the_limit_and_not_where_nothing_was_measured(figure, holds):
    assert figure.holds is holds


def test_a_figure_is_read_back_as_it_was_written():
    figure = Figure("calls", 3.0, "s", of="ours", most=4)
    assert read(json.loads(json.dumps(figure.described()))) == figure


def test_a_table_has_a_column_for_each_thing_compared_and_says_which_limit_is_broken():
    figures = [Figure("lost", 20, of="naive"), Figure("lost", 1, of="ours", most=0), Figure("sent", 5000, of="ours")]
    title, head, lost, sent = table("Side by side", figures).splitlines()
    assert title == "Side by side"
    assert head.split() == ["naive", "ours", "limit"]
    assert lost.split() == ["lost", "20", "1", "ours", "at", "most", "0", "BROKEN"]
    assert sent.split() == ["sent", "5,000"]


def test_a_limit_that_all_columns_share_is_said_once():
    figures = [Figure("lost", 0, of=name, most=0) for name in ("without", "with")]
    assert table("Both", figures).splitlines()[-1].split() == ["lost", "0", "0", "at", "most", "0", "ok"]


MACHINE = {"cores": 2, "processor": "AMD EPYC", "python": "3.11.2"}
OTHER = MACHINE | {"processor": "Graviton"}


def compared(before: list[Figure], now: list[Figure], on=MACHINE) -> history.Compared:
    return history.compared(Stored({"speed": before}, MACHINE), Stored({"speed": now}, on))


@pytest.mark.parametrize(
    ("better", "before", "now", "worse"),
    [
        ("lower", 10, 12, False),
        ("lower", 10, 13, True),
        ("lower", 10, 1, False),
        ("lower", 0, 1, True),
        ("higher", 12, 10, False),
        ("higher", 12, 9, True),
        ("", 10, 1000, False),
    ],
)
def test_what_is_more_than_twenty_percent_worse_is_said(better, before, now, worse):
    found = compared([Figure("time", before, "s", better=better)], [Figure("time", now, "s", better=better)])
    assert found.worse == ([f"speed: time was {before} s and is {now}."] if worse else [])


def test_of_another_machine_counts_and_ratios_are_compared_and_nothing_else():
    units = ("s", "ms", "h", "/s", "%", "MB", "KB", "")
    before = [Figure(f"in {unit}", 10, unit) for unit in units]
    now = [Figure(f"in {unit}", 20, unit) for unit in units]
    found = compared(before, now, on=OTHER)
    assert not found.alike
    assert found.worse == ["speed: in KB was 10 KB and is 20.", "speed: in  was 10 and is 20."]
    assert len(compared(before, now, on=MACHINE | {"python": "3.13"}).worse) == len(units)


def test_what_is_not_measured_any_more_is_said_and_what_is_new_is_named():
    figures = [Figure("time", 3), Figure("size", 4)]
    assert compared(figures, [figures[1], Figure("mood", 5)]) == history.Compared(
        True, 1, [], ["speed: time was 3 and is not measured any more."], ["speed: mood"]
    )
    assert compared([figures[0]], [Figure("time", None)]).gone == ["speed: time was 3 and is not measured any more."]
    assert compared([Figure("time", None)], [figures[0]]).new == ["speed: time"]


def test_a_benchmark_that_was_not_run_is_no_news_and_one_that_is_new_is():
    found = history.compared(Stored({"speed": [Figure("time", 3)]}, MACHINE), Stored({"size": [Figure("n", 1)]}, {}))
    assert (found.worse, found.gone, found.new) == ([], [], ["all of size"])


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Stores a report in the history, and one as the last run."""

    def store(before: float | None, now: float | None) -> None:
        for value, file in ((before, tmp_path / "history" / "2026-01-01.json"), (now, tmp_path / "bench.json")):
            if value is not None:
                report.write({"speed": [Figure("time", value)]}, {"cores": 2}, 1_800_000_000.0, "shared", file)

    (tmp_path / "history").mkdir()
    monkeypatch.setattr(history, "DIRECTORY", tmp_path / "history")
    monkeypatch.setattr(report, "FILE", tmp_path / "bench.json")
    return store


@pytest.mark.parametrize(("before", "now", "status"), [(10, 11, 0), (10, 13, 1), (None, 11, 2), (10, None, 2)])
def test_comparing_exits_1_where_something_got_worse_and_2_where_there_is_nothing_to_compare(
    stored, capsys, before, now, status
):
    stored(before, now)
    assert command.compare() == status
    assert capsys.readouterr().out


def test_comparing_says_that_the_machine_is_another_one(stored, tmp_path, capsys):
    stored(10, 10)
    report.write({"speed": [Figure("time", 11)]}, {"cores": 8}, 1_800_000_000.0, file=tmp_path / "bench.json")
    assert command.compare() == 0
    assert "measured on another machine (2 cores of unknown) than the last run (8 cores" in capsys.readouterr().out


def test_the_newest_stored_report_is_compared_with(tmp_path):
    for name in ("2026-01-02", "2025-12-31", "2026-01-01"):
        (tmp_path / f"{name}.json").touch()
    assert history.newest(tmp_path).stem == "2026-01-02"


def test_a_report_says_when_on_what_and_what_a_reader_must_know(stored, tmp_path):
    stored(None, 3)
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["at"] == "2027-01-15T08:00:00+00:00"
    assert (written["machine"], written["note"]) == ({"cores": 2}, "shared")
    assert history.load(tmp_path / "bench.json") == Stored({"speed": [Figure("time", 3)]}, {"cores": 2})


@pytest.mark.parametrize(("value", "status"), [(3, 0), (5, 1)])
def test_a_run_exits_1_when_a_limit_does_not_hold(stored, monkeypatch, capsys, value, status):
    measured = command.Benchmark("Speed", lambda: [Figure("time", value, most=4)])
    monkeypatch.setattr(command, "BENCHMARKS", {"speed": measured})
    assert command.run([], "") == status
    assert ("BROKEN" in capsys.readouterr().out) is bool(status)
