"""The supervisor with tiny real processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.part import Part, PartError
from stack.screen import Screen
from stack.supervisor import Supervisor, supervise
from tests.stack.conftest import Family, until

STAY = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAY
TELLS_ITS_END = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: (print('ended', time.monotonic(), flush=True), sys.exit(0)))\n" + STAY
)
WITH_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); " + STAY

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, family: Family) -> Iterator[Start]:
    """Start a little stack of these parts and wait until they run."""
    stacks = []

    def begin(**parts: str) -> subprocess.Popen[str]:
        program = [sys.executable, "-u", str(Path(__file__).with_name("little_stack.py")), str(tmp_path)]
        stack = subprocess.Popen(
            [*program, *(f"{name}={text}" for name, text in parts.items())],
            env=os.environ | family.mark | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stacks.append(stack)
        return stack

    yield begin
    for stack in stacks:
        stack.kill()
        stack.communicate()


def log_has(log: Path, text: str) -> Callable[[], bool]:
    return lambda: log.exists() and text in log.read_text()


def test_when_a_part_dies_the_rest_ends_and_it_says_which_and_why(start: Start, family: Family) -> None:
    stack = start(steady=STAY, worker="import sys; print('no database'); sys.exit(3)")
    output, _ = stack.communicate(timeout=20)
    assert stack.returncode == 1
    assert "worker ended with exit status 3; stopping the rest. Its last lines:\nno database" in output
    assert not family.pids()


def test_a_part_that_was_killed_is_named_by_its_signal(start: Start) -> None:
    output, _ = start(worker="import os; os.kill(os.getpid(), 9)").communicate(timeout=20)
    assert "worker ended with SIGKILL" in output


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_stop_it_ends_everything_with_status_0(
    start: Start, tmp_path: Path, family: Family, ending: signal.Signals
) -> None:
    stack = start(one=STAY, two=WITH_CHILD)
    until(log_has(tmp_path / "two.log", "here"), "the second part never ran")
    stack.send_signal(ending)
    assert stack.wait(timeout=20) == 0
    assert not family.pids(), "a process outlived the stack"


def test_parts_end_in_reverse_order(start: Start, tmp_path: Path) -> None:
    stack = start(one=TELLS_ITS_END, two=TELLS_ITS_END)
    until(log_has(tmp_path / "two.log", "here"), "the second part never ran")
    until(log_has(tmp_path / "one.log", "here"), "the first part never ran")
    stack.terminate()
    assert stack.wait(timeout=20) == 0
    first, second = (float((tmp_path / f"{name}.log").read_text().split()[-1]) for name in ("one", "two"))
    assert second < first


def test_a_part_that_ignores_sigterm_is_killed(start: Start, tmp_path: Path, family: Family) -> None:
    stack = start(stubborn=STUBBORN)
    until(log_has(tmp_path / "stubborn.log", "here"), "the part never ran")
    stack.terminate()
    assert stack.wait(timeout=20) == 0
    assert not family.pids()


def test_a_runner_that_is_killed_outright_leaves_nothing(start: Start, tmp_path: Path, family: Family) -> None:
    stack = start(one=STAY, two=STAY)
    until(log_has(tmp_path / "two.log", "here"), "the second part never ran")
    stack.kill()
    until(lambda: not family.pids(), "the parts outlived their runner")


def test_output_is_interleaved_behind_names_and_kept_in_logs(start: Start, tmp_path: Path) -> None:
    web_listens = f"'listening' in open({str(tmp_path / 'web.log')!r}).read()"
    beat = f"import sys, time\nwhile not {web_listens}: time.sleep(0.05)\nprint('tick'); time.sleep(1); sys.exit(1)"
    stack = start(web="print('listening')\n" + STAY, beat=beat)
    output, _ = stack.communicate(timeout=20)
    assert "web      │ listening" in output
    assert "beat     │ tick" in output
    assert (tmp_path / "web.log").read_text().startswith("listening\n")


def test_the_log_of_the_last_time_is_kept(start: Start, tmp_path: Path) -> None:
    start(worker="print('first')").communicate(timeout=20)
    start(worker="print('second')").communicate(timeout=20)
    assert (tmp_path / "worker.log").read_text() == "second\n"
    assert (tmp_path / "worker.log.1").read_text() == "first\n"


def test_a_part_that_is_never_ready_is_a_failure_with_its_last_lines(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def never() -> bool:
        return False

    async def work(supervisor: Supervisor) -> int:
        await supervisor.start(Part("web", (sys.executable, "-c", STAY), ready=never, ready_seconds=1))
        return 0

    assert run(work, tmp_path) == 1
    assert "web was not ready within 1 s. Its last lines:\nhere" in capfd.readouterr().out


def test_parts_start_only_when_the_one_before_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "flag"

    async def flagged() -> bool:
        return flag.exists()

    async def work(supervisor: Supervisor) -> int:
        make_flag = f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
        await supervisor.start(Part("first", (sys.executable, "-c", make_flag), ready=flagged))
        return 7 if flag.exists() else 1

    assert run(work, tmp_path) == 7


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def work(supervisor: Supervisor) -> int:
        await supervisor.start(Part("broker", ("/nowhere/valkey-server",)))
        return 0

    assert run(work, tmp_path) == 1
    assert "broker can't be started: /nowhere/valkey-server: No such file" in capfd.readouterr().out


def test_a_step_returns_its_output_or_fails_with_its_complaint(tmp_path: Path) -> None:
    async def work(supervisor: Supervisor) -> int:
        assert await supervisor.run("key", (sys.executable, "-c", "print('secret')"), {}) == "secret\n"
        with pytest.raises(PartError, match=r"migrate ended with exit status 1:\nno such table"):
            await supervisor.run("migrate", (sys.executable, "-c", "import sys; sys.exit('no such table')"), {})
        return 0

    assert run(work, tmp_path) == 0


def run(work: Callable[[Supervisor], object], log_dir: Path) -> int:
    return asyncio.run(supervise(work, log_dir, Screen(1, colour=False, verbose=False)))


@pytest.mark.parametrize("kill", [True, False])
def test_a_part_that_is_bounced_comes_back_and_nothing_else_ends(tmp_path: Path, kill: bool) -> None:
    numbers = Part("worker", (sys.executable, "-c", "import os; print(os.getpid(), flush=True)\n" + STAY))
    steady = Part("steady", (sys.executable, "-c", STAY))

    async def work(supervisor: Supervisor) -> int:
        await supervisor.start(steady)
        await supervisor.start(numbers)
        await asyncio.to_thread(until, log_has(tmp_path / "worker.log", "here"), "the part never ran")
        await supervisor.bounce("worker", 0, kill=kill)
        await asyncio.to_thread(until, log_has(tmp_path / "worker.log", "here"), "the part never came back")
        return 7

    assert run(work, tmp_path) == 7
    before, after = ((tmp_path / name).read_text().split()[0] for name in ("worker.log.1", "worker.log"))
    assert before != after
    assert not Path(f"/proc/{before}").exists()
    assert not Path(f"/proc/{after}").exists()
