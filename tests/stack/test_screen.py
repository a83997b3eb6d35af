import os
from collections.abc import Callable
from typing import Any

import pytest

from stack.screen import Screen, wants_colour

OVERCOMMIT = "7:M 22 Nov 2026 10:00:00.000 # WARNING Memory overcommit must be enabled! Without it, a background save"


@pytest.fixture
def shown(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a line of the part `web` puts on the screen."""

    def show(line: str, **options: Any) -> str:
        Screen(1, **{"colour": False, "verbose": False, **options}).part_wrote("web", line)
        return capfd.readouterr().out

    return show


@pytest.mark.parametrize(
    "line",
    [
        "[2026-11-22 10:00:00,1: WARNING/MainProcess] no broker",
        "ERROR:    Exception in ASGI application",
        '{"event": "lease lost", "level": "error"}',
        "2026-11-22T10:00:00Z [warning  ] drift found",
        "django.db.utils.OperationalError: no such table: fleet_application",
    ],
)
def test_warnings_and_errors_are_shown(shown: Callable[..., str], line: str) -> None:
    assert shown(line) == f"web      │ {line}\n"


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "done", "level": "info", "error": null}',
        "GET /errors 200",
        "0 errors, 0 warnings",
        "booted",
        OVERCOMMIT,
    ],
)
def test_ordinary_lines_are_not_shown(shown: Callable[..., str], line: str) -> None:
    assert shown(line) == ""
    assert shown(line, verbose=True) == f"web      │ {line}\n"


def test_what_is_said_again_and_again_is_left_to_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen(1, colour=False, verbose=False)
    for second in range(10, 60):
        screen.part_wrote("worker", f"2026-11-22T10:00:{second}Z [error] lost lease 7f{second}c0")
    screen.part_wrote("worker", "2026-11-22T10:01:00Z [error] something else")
    assert capfd.readouterr().out.count("lost lease") == 3
    screen.part_wrote("beat", "2026-11-22T10:01:00Z [error] lost lease 7f12c0")
    assert "lost lease" in capfd.readouterr().out


def test_colour_is_used_only_when_wanted(shown: Callable[..., str]) -> None:
    assert "\x1b[" in shown("ERROR", colour=True)
    assert "\x1b[" not in shown("ERROR", colour=False)


def test_colour_is_not_wanted_where_nobody_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert wants_colour({"TERM": "xterm"})
    assert not wants_colour({"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour({"TERM": "dumb"})
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    assert not wants_colour({"TERM": "xterm"})


def test_a_terminal_that_is_gone_stops_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    Screen(writer, colour=False, verbose=False).say("still here")
    os.close(writer)
