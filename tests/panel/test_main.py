"""`python -m panel`: which process each name becomes, and how it tells whether one works."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from panel import alive, commands, queues
from panel.__main__ import PARTS, command, problem
from panel.environment import SettingsError
from stack.panel import panel_parts

ROOT = Path(__file__).parents[2]
WHERE = {"HOST": "127.0.0.1", "PORT": "8123"}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [sys.executable, "-m", "panel", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_each_part_is_started_as_make_run_starts_it() -> None:
    together = {part.name: part.argv for part in panel_parts({}, WHERE["HOST"], 8123, 8123)}
    assert {part: command(part, WHERE) for part in PARTS} == together


def test_it_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    assert "127.0.0.1:8000" in command("web", {})
    assert "0.0.0.0:9000" in command("web", {"HOST": "0.0.0.0", "PORT": "9000"})


def test_every_kind_of_work_has_a_worker() -> None:
    assert {name for name in PARTS if name.startswith("worker-")} == {f"worker-{name}" for name in queues.WORKERS}
    served = [commands.worker(name)[commands.worker(name).index("--queues") + 1] for name in queues.WORKERS]
    assert set(",".join(served).split(",")) == set(queues.ALL)


@pytest.mark.parametrize("port", ["0", "65536", "http", "²"])
def test_a_bad_port_is_a_sentence(port: str) -> None:
    with pytest.raises(SettingsError, match=r"PORT is .*; it takes a number from 1 to 65535"):
        command("web", {"PORT": port})


def test_without_a_secret_nothing_starts() -> None:
    ended = run("beat")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("PANEL_SECRET_KEY is not set")


def test_an_unknown_part_names_those_that_there_are() -> None:
    ended = run("workers")
    assert ended.returncode == 2
    assert all(part in ended.stderr for part in PARTS)
    assert "Traceback" not in ended.stderr


def test_a_web_server_that_is_not_there_is_not_healthy() -> None:
    asked = run("healthy", "web", PORT="1")
    assert asked.returncode == 1
    assert asked.stderr.startswith("/healthz does not answer")


def test_a_worker_is_healthy_while_it_shows_itself(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    variables = {"PANEL_ALIVE_PATH": str(path)}
    assert "Nothing has shown itself" in problem("worker-steps", variables)
    alive.show(path)
    assert problem("worker-steps", variables) == ""
    late = time.time() - alive.LATE_SECONDS - 5
    os.utime(path, (late, late))
    assert "for 35 s" in problem("worker-steps", variables)


def test_without_a_path_nothing_is_touched_and_nothing_is_known() -> None:
    alive.show(None)
    assert problem("beat", {}).startswith("PANEL_ALIVE_PATH is not set")


def test_a_path_in_no_directory_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="PANEL_ALIVE_PATH is '/nowhere/alive'; it takes a file in a directory"):
        problem("beat", {"PANEL_ALIVE_PATH": "/nowhere/alive"})
