"""The README's claims: each from a report, held against its limit, and shown as it is kept."""

import json

import pytest

from bench import __main__ as command
from bench import claims
from bench.claims import ClaimError

CHAOS = {"cells": [{"verdict": "ok", "seed": 1}, {"verdict": "bad", "seed": 2}, {"verdict": "ok", "seed": 3}]}
BENCH = {
    "at": "2026-11-24T10:00:00+00:00",
    "machine": {"cores": 2, "processor": "AMD EPYC", "python": "3.11.2"},
    "results": {
        "versus": [
            {"of": "ours", "name": "lost", "value": 0, "unit": ""},
            {"of": "naive", "name": "lost", "value": 257, "unit": ""},
            {"of": "ours", "name": "took", "value": None, "unit": "s"},
        ]
    },
}
INCIDENT = {"requests": {"before": 1, "after": 2}, "end": {"desired_count": 0}, "machine": None}
DECLARED = """
[[claim]]
sentence = "Nothing is lost"
source = "bench"
take = ["versus", "ours", "lost"]
beside = ["versus", "naive", "lost"]
most = 0
command = "make bench BENCH=versus"

[[claim]]
sentence = "Few fail"
source = "incident"
take = ["requests.before", "requests.after"]
unit = "requests"
most = 5
command = "make incident"

[[claim]]
sentence = "Cells that go badly"
source = "chaos"
take = ["cells"]
where = { verdict = "bad" }
most = 1
command = "make chaos"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A README with a place for the claims, three claims, and the three reports."""
    files = {"bench": BENCH, "incident": INCIDENT, "chaos": CHAOS}
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "claims.toml").write_text(DECLARED)
    (tmp_path / "README.md").write_text(f"Before.\n{claims.BEGIN}\nold\n{claims.END}\nAfter.\n")
    places = claims.Places(tmp_path / "claims.toml", tmp_path / "kept.json", tmp_path / "README.md", tmp_path)
    monkeypatch.setattr(claims, "PLACES", places)
    return tmp_path


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_table_has_figure_limit_peer_and_command_and_says_where_it_was_measured(place):
    assert command.main(["claims"]) == 0
    text = (place / "README.md").read_text()
    assert text.startswith("Before.\n")
    assert text.endswith(f"{claims.END}\nAfter.\n")
    assert "| Nothing is lost | 0 | at most 0 | naive: 257 | `make bench BENCH=versus` |" in text
    assert "| Few fail | 3 requests | at most 5 requests |  | `make incident` |" in text
    assert "| Cells that go badly | 1 | at most 1 |  | `make chaos` |" in text
    assert "make bench on 2026-11-24" in text
    assert "2 cores (AMD EPYC)" in text
    assert command.main(["claims", "--check"]) == 0


def test_a_claim_that_no_longer_holds_is_named_and_nothing_is_written(place, capsys):
    before = (place / "README.md").read_text()
    change(place / "bench.json", '"value": 0', '"value": 3')
    assert command.main(["claims"]) == 1
    assert "'Nothing is lost' does not hold: 3, and it claims at most 0." in capsys.readouterr().out
    assert (place / "README.md").read_text() == before
    assert not (place / "kept.json").exists()


@pytest.mark.parametrize("name", ["bench", "incident", "chaos"])
def test_a_missing_report_is_named_with_what_makes_it(place, capsys, name):
    (place / f"{name}.json").unlink()
    assert command.main(["claims"]) == 1
    told = capsys.readouterr().out
    assert f"{name}.json" in told
    assert f"`make {name}` writes it." in told


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "bench.json",
            '"name": "lost"',
            '"name": "else"',
            "has no 'versus: ours: lost'; run `make bench BENCH=versus`",
        ),
        ("claims.toml", '"ours", "lost"', '"ours", "took"', "has no 'versus: ours: took'"),
        ("incident.json", '"after": 2', '"after": "two"', "has no number 'requests.after'; run `make incident`"),
        ("chaos.json", '"cells"', '"cell"', "has no number 'cells'; run `make chaos`"),
    ],
)
def test_a_report_without_the_figure_is_named(place, capsys, file, old, new, told):
    change(place / file, old, new)
    assert command.main(["claims"]) == 1
    assert told in capsys.readouterr().out


def test_a_readme_that_was_changed_by_hand_is_found(place, capsys):
    assert command.main(["claims"]) == 0
    change(place / "README.md", "naive: 257", "naive: 2,570")
    assert command.main(["claims", "--check"]) == 1
    assert "run `make claims`" in capsys.readouterr().out


def test_a_limit_that_was_tightened_or_a_claim_that_is_new_is_found_without_reports(place, capsys):
    assert command.main(["claims"]) == 0
    for name in ("bench", "incident", "chaos"):
        (place / f"{name}.json").unlink()
    change(place / "claims.toml", "most = 5", "most = 2")
    change(place / "claims.toml", 'sentence = "Nothing is lost"', 'sentence = "Nothing at all is lost"')
    assert command.main(["claims", "--check"]) == 1
    told = capsys.readouterr().out
    assert "'Few fail' does not hold: 3 requests, and it claims at most 2 requests." in told
    assert "'Nothing at all is lost' has no kept figure: run `make bench BENCH=versus`" in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('source = "chaos"', 'source = "hope"', "has the source 'hope'; there are bench, incident, chaos"),
        ("most = 5\n", "", "'Few fail' has no limit"),
    ],
)
def test_a_claim_without_source_or_limit_is_none(place, old, new, told):
    change(place / "claims.toml", old, new)
    with pytest.raises(ClaimError, match=told):
        claims.declared(place / "claims.toml")


def test_a_readme_without_a_place_for_them_is_left_alone(place, capsys):
    (place / "README.md").write_text("No place.\n")
    assert command.main(["claims"]) == 1
    assert "no place for the claims" in capsys.readouterr().out
    assert (place / "README.md").read_text() == "No place.\n"


def test_the_readme_shows_the_kept_figures_and_every_one_holds():
    known, kept = claims.declared(claims.PLACES.declared), claims.load(claims.PLACES.kept)
    readme = claims.PLACES.readme.read_text(encoding="utf-8")
    assert readme == claims.written(readme, claims.table(known, kept))
    figures = claims.of_kept(kept)
    assert list(claims.broken([each for each in known if each.sentence in figures], figures)) == []


def test_every_claim_has_a_command_that_exists_and_is_said_once():
    known = claims.declared(claims.PLACES.declared)
    assert len({each.sentence for each in known}) == len(known)
    for each in known:
        made = claims.MADE_BY[each.source]
        assert each.command.startswith(made)
        if each.source == "bench":
            assert each.take[0] in command.BENCHMARKS
            assert each.command == f"{made} BENCH={each.take[0]}"
