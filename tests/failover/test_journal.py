"""The journal file: what can't be stored stops the operation, and what can't be read is said."""

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from failover import journal
from failover.journal import FileJournal, JournalError
from failover.model import Goal, Request, Split
from tests.failover.test_main import BREAK_GLASS, journal_of, run
from tests.failover.world import LISTENER, application


def full(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def opened(path) -> FileJournal:
    return FileJournal(Path(path), lambda *_: None, lambda: 0.0)


@pytest.mark.parametrize(
    ("path", "says"), [(".", "Is a directory"), ("no/where", "No such file"), ("a\0b", "null byte")]
)
def test_a_path_that_can_not_be_opened_is_named(path, says):
    with pytest.raises(JournalError, match=says):
        opened(path)


def test_a_disk_that_is_full_is_named():
    with pytest.raises(JournalError, match=r"/dev/full can't be written: No space left on device"):
        opened("/dev/full").resumed("again")


# ---- before anything is written ----


def test_where_no_journal_can_be_made_no_lease_is_taken_and_nothing_is_written(world, table, tmp_path, capsys):
    before = dict(table.items)
    run_dir = tmp_path / "gone"
    run_dir.mkdir()
    os.chdir(run_dir)
    run_dir.rmdir()
    config = str(tmp_path / "checkout.toml")
    assert journal_command(config, "failover") == 2
    assert "can't be written: No such file" in capsys.readouterr().err
    assert (world.writes, table.items) == ([], before)


def journal_command(config: str, *arguments: str) -> int:
    from failover.__main__ import main  # noqa: PLC0415 - run() names the file in its own directory

    return main(["-c", config, *arguments])


def test_where_the_disk_is_full_no_lease_is_taken_and_no_file_is_left(world, table, tmp_path, capsys, monkeypatch):
    before = dict(table.items)
    monkeypatch.setattr(journal.os, "fsync", full)
    assert run("failover") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (world.writes, table.items) == ([], before)
    assert list(tmp_path.glob("*.jsonl")) == []


def test_a_journal_to_resume_that_can_not_be_written_takes_no_lease(world, table, tmp_path, capsys, monkeypatch):
    assert run("failover", "--no-wait") == 0
    (path,) = tmp_path.glob("*.jsonl")
    written, before = list(world.writes), dict(table.items)
    monkeypatch.setattr(journal.os, "fsync", full)
    assert run("failover", "--resume", str(path)) == 2
    assert (world.writes, table.items) == (written, before)


def test_a_refusal_leaves_no_journal(world, tmp_path):
    assert run("failover") == 3
    assert list(tmp_path.glob("*.jsonl")) == []


# ---- in the middle ----


@pytest.mark.parametrize("lines", range(1, 12))
def test_a_disk_that_fills_up_stops_the_operation_before_its_next_write(
    world, table, tmp_path, capsys, monkeypatch, lines
):
    """Whatever the line that does not fit is: the writes that were made are those that the journal expects."""
    monkeypatch.setattr(journal.os, "fsync", lambda _: None if room() else full(_))
    left = iter(range(lines))

    def room() -> bool:
        return next(left, None) is not None

    assert run("failover") == 1
    told = capsys.readouterr().err
    assert "No space left on device" in told
    (path,) = tmp_path.glob("*.jsonl")
    assert f"--resume {path.name}" in told
    known = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(world.writes) <= sum(line["kind"] == "decision" for line in known)
    assert table.items["checkout"]["holder"] == {"S": ""}
    monkeypatch.undo()


def test_what_a_full_disk_stopped_is_gone_on_with_twice(world, tmp_path):
    """Each time it left half a line: what follows stands on lines of its own."""
    path = journal_of("failover", tmp_path)
    for _ in range(2):
        with path.open("a") as file:
            file.write('{"at": "2026-11-2')
        assert run("failover", "--no-wait", "--resume", str(path), *BREAK_GLASS) == 0
        world.pass_time(5)
    assert run("failover", "--resume", str(path), *BREAK_GLASS) == 0
    assert world.splits[LISTENER] == Split(0, 100)


# ---- what is read ----


@pytest.mark.parametrize("kind", [True, False])
def test_an_operation_that_has_ended_is_not_resumed(world, tmp_path, capsys, kind):
    """Journals from before decisions named their kind end with a milestone."""
    assert run("failover", *BREAK_GLASS) == 0
    (path,) = tmp_path.glob("*.jsonl")
    if not kind:
        path.write_text(path.read_text().replace('"kind": "done", ', ""))
    text, writes = path.read_text(), list(world.writes)
    assert run("failover", "--resume", str(path), *BREAK_GLASS) == 2
    assert "has ended (All traffic is on ECS" in capsys.readouterr().err
    assert (path.read_text(), world.writes) == (text, writes)


def test_a_refused_operation_has_ended(world, tmp_path, capsys):
    world.splits[LISTENER] = Split(0, 100)
    world.rate = 500
    world.desired, world.tasks = 2, [0.0, 0.0]
    world.pass_time(30)
    assert run("failback", *BREAK_GLASS) == 3
    (path,) = tmp_path.glob("*.jsonl")
    assert run("failback", "--resume", str(path), *BREAK_GLASS) == 2
    assert "has ended" in capsys.readouterr().err


def test_why_it_is_resumed_is_in_the_journal(world, tmp_path):
    path = journal_of("failover", tmp_path)
    assert run("failover", "--resume", str(path), *BREAK_GLASS) == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message"] for line in lines if line["kind"] == "resumed"] == ["the panel is gone"]


def test_memory_of_another_version_is_not_guessed_at(world, tmp_path, capsys):
    path = journal_of("failover", tmp_path)
    path.write_text(path.read_text().replace('"progress": {"version": 1', '"progress": {"version": 2'))
    assert run("failback", "--before", str(path), *BREAK_GLASS) == 2
    assert "another version" in capsys.readouterr().err


@pytest.mark.parametrize("given", [b"", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b"null\n[]\n5\n", b'{"kind": 1}'])
@pytest.mark.parametrize("option", ["--before", "--resume"])
def test_what_is_no_journal_is_said(world, tmp_path, capsys, option, given):
    path = tmp_path / "odd"
    path.write_bytes(given)
    assert run("failover", option, str(path), *BREAK_GLASS) == 2
    assert "odd is no journal of this program" in capsys.readouterr().err
    assert path.read_bytes() == given


@pytest.mark.parametrize("path", [".", "nowhere", "a\0b"])
@pytest.mark.parametrize("option", ["--before", "--resume"])
def test_a_journal_that_can_not_be_read_is_said(world, capsys, option, path):
    assert run("failover", option, path, *BREAK_GLASS) == 2
    assert capsys.readouterr().err.startswith(path)
    assert world.writes == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data(), value=values)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_one_value_of_a_journal_is_it_is_used_or_refused(world, tmp_path, data, value):
    path = tmp_path / "odd"
    path.write_text(json.dumps(_changed(_journal(), data, value)) + "\n")
    assert run("plan", "failback", "--before", str(path)) in (0, 2, 3)


def _journal() -> dict:
    memory = {"baseline": {"desired": 1, "bounds": {"minimum": 0, "maximum": 2}}, "left": [["a", {"lambda_": 1}]]}
    return {"kind": "decision", "message": "", "detail": {"progress": {"version": 1, "memory": memory, "marks": []}}}


def _changed(found: dict, data, value) -> dict:
    place = found
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not data.draw(st.booleans()):
            place[key] = value
            return found
        place = place[key]


def test_a_whole_line_that_only_lacks_its_end_stays(tmp_path):
    path = tmp_path / "checkout.jsonl"
    for reason in ("first", "second"):
        with_an_end = opened(path)
        with_an_end.begun(application(), Request(Goal.FAILOVER), reason)
        with_an_end.in_use = True
        with_an_end.close()
        path.write_text(path.read_text().rstrip("\n"))
    assert [line["message"] for line in journal.lines(path)] == ["first", "second"]
