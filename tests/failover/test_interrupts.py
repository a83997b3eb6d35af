"""Ctrl-C ends the command line with one sentence: at the prompt, once for a safe end, twice for at once."""

import pytest

from failover import __main__ as command
from failover import breakglass
from failover.model import Split
from tests.failover.test_main import BREAK_GLASS, Terminal, run
from tests.failover.world import LISTENER


@pytest.fixture
def press(monkeypatch):
    """Ctrl-C as the operation's own handler gets it; before that it is Python's."""
    handlers = []
    monkeypatch.setattr(breakglass.signal, "signal", lambda _, handler: handlers.append(handler))

    def interrupt() -> None:
        handlers[-1]() if handlers else (_ for _ in ()).throw(KeyboardInterrupt)

    return interrupt


def at_the_prompt(monkeypatch, readline) -> None:
    class Person(Terminal):
        def readline(self, *_):
            return readline()

    monkeypatch.setattr(command.sys, "stdin", Person())


def test_at_the_prompt_it_says_that_nothing_was_written(world, table, press, monkeypatch, capsys, tmp_path):
    before = dict(table.items)
    at_the_prompt(monkeypatch, press)
    assert run("failover") == 130
    assert capsys.readouterr().err == "Interrupted: nothing was written to AWS.\n"
    assert (world.writes, table.items, list(tmp_path.glob("*.jsonl"))) == ([], before, [])


def test_an_answer_that_is_no_text_is_no_yes(world, monkeypatch, capsys):
    at_the_prompt(monkeypatch, b"\xff".decode)
    assert run("failover", *BREAK_GLASS) == 3
    assert "Nothing was written" in capsys.readouterr().err


def test_without_standard_input_nobody_is_asked(world, monkeypatch):
    monkeypatch.setattr(command.sys, "stdin", None)
    assert run("failover", *BREAK_GLASS) == 0


def test_once_ends_at_a_safe_split(world, press, monkeypatch, capsys):
    def sleep(seconds: float) -> None:
        world.pass_time(seconds)
        if len(world.writes) == 1:
            press()

    monkeypatch.setattr(command.time, "sleep", sleep)
    assert run("failover", *BREAK_GLASS) == 1
    assert world.splits[LISTENER] == Split(100, 0)
    assert "interrupted with Ctrl-C" in capsys.readouterr().out


def test_twice_leaves_at_once_and_says_how_to_go_on(world, table, press, monkeypatch, capsys, tmp_path):
    def sleep(seconds: float) -> None:
        press()
        press()

    monkeypatch.setattr(command.time, "sleep", sleep)
    assert run("failover") == 130
    (path,) = tmp_path.glob("*.jsonl")
    told = capsys.readouterr().err
    assert told.startswith("Left at once")
    assert told.endswith(f"go on with --resume {path.name}.\n")
    assert table.items["checkout"]["holder"] == {"S": ""}
    monkeypatch.setattr(command.time, "sleep", world.pass_time)
    assert run("failover", "--resume", str(path)) == 0
    assert world.splits[LISTENER] == Split(0, 100)


def test_watching_ends_well(world, monkeypatch, capsys):
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupted)
    assert run("watch", "--json") == 0
    assert capsys.readouterr().err == ""
