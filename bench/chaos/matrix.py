"""Plays cells, each as a process of its own with a deadline, and says how each went."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.chaos.judge import Evidence, Sent, Write, ending, judge
from lab.runtime.children import bound_to_parent

DEADLINE_SECONDS = 420.0
GRACE_SECONDS = 30.0
LAST_LINES = 12


@dataclass(frozen=True)
class Verdict:
    """How a cell went: `bad` is empty where it went well, and `ended` then says how."""

    scenario: str
    fault: str
    seed: int
    seconds: float
    ended: str = ""
    happened: str = ""
    bad: Sequence[str] = field(default=())

    @property
    def well(self) -> bool:
        return not self.bad

    def described(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario,
            "fault": self.fault,
            "seed": self.seed,
            "verdict": "ok" if self.well else "bad",
            "ended": self.ended,
            "happened": self.happened,
            "sentences": list(self.bad),
            "seconds": round(self.seconds, 1),
        }


def play(scenario: str, fault: str, seed: int, directory: Path) -> Verdict:
    """Play one cell, everything of it under `directory`, which is emptied first. It ends by its deadline."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    began = time.monotonic()
    # Every process of the cell has it in its environment, the lab's tasks too: that is how those left behind are found.
    marker = tempfile.mkdtemp(prefix="failover-chaos-")
    Path(marker).chmod(0o711)  # PostgreSQL may run as another user
    try:
        problem = _run(scenario, fault, seed, directory, marker)
        left = list(_end_those_left(marker))
    finally:
        shutil.rmtree(marker, ignore_errors=True)
    verdict = Verdict(scenario, fault, seed, time.monotonic() - began)
    file = directory / "evidence.json"
    if problem or not file.exists():
        bad = [problem or "It ended without evidence.", *(f"A process was left behind: {each}." for each in left)]
        return _kept(replace(verdict, bad=bad), directory)
    seen = replace(read(json.loads(file.read_text(encoding="utf-8"))), left_behind=left)
    return _kept(replace(verdict, bad=judge(seen), ended=ending(seen), happened=seen.happened), directory)


def read(found: Mapping[str, Any]) -> Evidence:
    """Evidence as a cell stored it."""
    weights = found["weights"]
    return Evidence(**{
        **found,
        "findings": [(name, holds, told) for name, holds, told in found["findings"]],
        "weights": (weights[0], weights[1]) if weights else None,
        "sent": [Sent(each["event_id"], tuple(each["statuses"])) for each in found["sent"]],
        "audit": [(action, subject) for action, subject in found["audit"]],
        "writes": [Write(**each) for each in found["writes"]],
    })  # fmt: skip


def _kept(verdict: Verdict, directory: Path) -> Verdict:
    (directory / "cell.json").write_text(json.dumps(verdict.described(), indent=2) + "\n", encoding="utf-8")
    return verdict


def _run(scenario: str, fault: str, seed: int, directory: Path, marker: str) -> str:
    """A sentence that says why the cell came to no end, or nothing."""
    command = [sys.executable, "-m", "bench.chaos.cell", scenario, fault, "--seed", str(seed)]
    with (directory / "output.txt").open("wb") as output:
        cell = subprocess.Popen(  # noqa: S603 - our own
            [*command, "--directory", str(directory)], env={**os.environ, "TMPDIR": marker}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
            preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - it ends with us, however we end
        )  # fmt: skip
        try:
            status = _waited(cell)
        except BaseException:
            _end(cell)
            raise
    if status is None:
        return f"It did not end within {DEADLINE_SECONDS:.0f} s."
    if status:
        said = (directory / "output.txt").read_text(errors="replace") + _log(directory)
        last = " / ".join(line.strip()[:160] for line in said.splitlines()[-LAST_LINES:] if line.strip())
        return f"It failed with exit status {status}: {last}"
    return ""


def _waited(cell: subprocess.Popen[bytes]) -> int | None:
    try:
        return cell.wait(DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        _end(cell)
        return None


def _end(cell: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does, so that its parts end in order; then outright, and the kernel ends its parts."""
    cell.send_signal(signal.SIGTERM)
    try:
        cell.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        cell.kill()
        cell.wait()


def _log(directory: Path) -> str:
    file = directory / "log.txt"
    return file.read_text(errors="replace") if file.exists() else ""


def _end_those_left(marker: str) -> Iterator[str]:
    """Processes of the cell that outlived it; they are told and killed. What is just ending gets a moment."""
    until = time.monotonic() + 3
    while (found := list(_marked(marker))) and time.monotonic() < until:
        time.sleep(0.2)
    for pid, command in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        yield f"{pid} ({command[:120]})"


def _marked(marker: str) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={marker}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:  # it has just ended, or is somebody else's
            continue
