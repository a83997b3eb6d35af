"""The command line, as make calls it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lab.scenario import NAMES
from tests.stack.conftest import Family, until

FOREIGN = ("PANEL_", "DATABASE_URL", "REDIS_URL", "HOST", "PORT")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stack", *arguments]


def clean_environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)} | more


def refused(*arguments: str, **environ: str) -> str:
    """What it says when it refuses to start because of how it was called."""
    result = subprocess.run(
        command(*arguments), env=clean_environment(**environ), capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def test_an_unknown_scenario_lists_the_known_ones() -> None:
    names = ", ".join(NAMES)
    assert refused("incident", "earthquake") == f"There is no scenario 'earthquake'; there are: {names}.\n"


def test_without_a_command_it_shows_its_usage() -> None:
    assert "usage: python -m stack" in refused()


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = str(occupant.getsockname()[1])
        assert f"PORT is {port}, and another program listens there" in refused("run", "--var", str(tmp_path), PORT=port)


@pytest.mark.full
@pytest.mark.timeout(180)
def test_run_serves_the_panel_and_ends_all_of_it(tmp_path: Path, family: Family) -> None:
    output = tmp_path / "output"
    with output.open("w") as file:
        stack = subprocess.Popen(
            command("run", "--var", str(tmp_path / "var")),
            env=clean_environment(**family.mark),
            stdout=file,
            stderr=file,
        )
    until(lambda: "The panel is at" in output.read_text() or stack.poll() is not None, "it was never ready", 120)
    assert stack.poll() is None, f"it ended by itself:\n{output.read_text()}"
    url = output.read_text().split("The panel is at ")[1].split()[0]
    with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
        assert answer.status == 200
    stack.send_signal(signal.SIGTERM)
    assert stack.wait(timeout=60) == 0, output.read_text()
    assert family.pids() == [], "a process outlived the stack"
