"""Standard output that is closed or full silences the screen and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from failover.model import Split
from failover.screen import Screen
from tests.failover.test_main import BREAK_GLASS, run
from tests.failover.world import LISTENER


def nobody_reads():
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def full_disk():
    return Path("/dev/full").open("w", encoding="utf-8")


def closed():
    file = nobody_reads()
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
    file.close()
    return file


@pytest.fixture(params=[nobody_reads, full_disk, closed, lambda: None])
def lose_output(request, monkeypatch, capsys):
    """Called by the test itself: pytest puts its own standard output in place when the test begins."""
    file = request.param()
    yield lambda: monkeypatch.setattr(sys, "stdout", file)
    if file is not None:
        file.close()


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_operation_goes_on_to_its_end_and_its_journal_says_so(world, lose_output, tmp_path, more):
    lose_output()
    assert run("failover", *more, *BREAK_GLASS) == 0
    assert world.splits[LISTENER] == Split(0, 100)
    (journal,) = tmp_path.glob("failover-*.jsonl")
    assert "All traffic is on ECS" in journal.read_text().splitlines()[-1]


@pytest.mark.parametrize("command", [["status"], ["watch"], ["watch", "--json"], ["plan", "failover"]])
def test_what_is_only_to_be_seen_ends_with_a_sentence(world, lose_output, capsys, command):
    lose_output()
    assert run(*command) == 1
    assert capsys.readouterr().err.startswith("Standard output is closed or full")


def test_a_plan_that_nobody_sees_is_not_asked_about(world, lose_output, capsys, monkeypatch):
    lose_output()

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert run("failover", *BREAK_GLASS) == 3
    assert "--yes" in capsys.readouterr().err
    assert world.writes == []


def test_a_closed_standard_error_does_not_change_the_exit_status(world, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert run("failover") == 3


def test_the_process_ends_as_the_operation_did():
    """Python exits with 120 where its last flush fails."""
    code = "from failover.screen import Screen; Screen(as_json=False).line('x' * 99)"
    with full_disk() as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_that_can_not_write_a_sign_gets_another_one():
    code = "from failover.screen import Screen; s = Screen(as_json=False); s.line('● OK'); s.line(str(s.silent))"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert done.stdout == b"? OK\nFalse\n"


def test_a_screen_that_works_is_not_silent(capsys):
    screen = Screen(as_json=False)
    screen.line("words")
    assert not screen.silent
    assert capsys.readouterr().out == "words\n"
