"""What the processes of a tree cost: seconds of CPU and memory, as Linux counts them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
KILOBYTES_A_MEGABYTE = 1000 / 1.024  # the kernel's kB are 1,024 bytes
TITLE_LENGTH = 90


@dataclass(frozen=True)
class Usage:
    """One process: ``seconds`` of CPU since it began, those of its children that ended among them.

    ``megabytes`` are its proportional share (PSS): what several processes share is counted once among them.
    """

    pid: int
    parent: int
    title: str
    seconds: float
    megabytes: float


def tree(root: int) -> list[Usage]:
    """The process and all that descend from it, parents first. One that ends meanwhile is left out."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        waiting += sorted(children.get(pid, []), reverse=True)
        usage = _usage(pid)
        if usage is not None:
            found.append(usage)
    return found


def spent(before: list[Usage], after: list[Usage]) -> float:
    """Seconds of CPU of a whole tree between two looks, those of processes that ended or began between them too."""
    return sum(each.seconds for each in after) - sum(each.seconds for each in before)


def table(before: list[Usage], after: list[Usage], seconds: float) -> str:
    """A line for each process: percent of a core over these seconds, megabytes, and what it is."""
    earlier: Mapping[int, float] = {each.pid: each.seconds for each in before}
    lines = ["     pid   % of a core     PSS MB"]
    for each in after:
        percent = 100 * (each.seconds - earlier.get(each.pid, 0.0)) / seconds
        lines.append(f"{each.pid:>8}  {percent:>12.2f}  {each.megabytes:>9.1f}  {each.title}")
    total = 100 * spent(before, after) / seconds
    lines.append(f"{'all':>8}  {total:>12.2f}  {sum(each.megabytes for each in after):>9.1f}")
    return "\n".join([*lines, ""])


def _parents() -> Iterator[tuple[int, int]]:
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                yield int(folder.name), int(_stat(int(folder.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue


def _usage(pid: int) -> Usage | None:
    try:
        stat, rollup = _stat(pid), (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8")
        title = _title(*(_text(pid, name) for name in ("comm", "cmdline")))
    except (FileNotFoundError, ProcessLookupError):
        return None
    kilobytes = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    ticks = sum(int(field) for field in stat[11:15])  # utime, stime, cutime, cstime
    return Usage(pid, int(stat[1]), title, ticks / TICKS_A_SECOND, kilobytes / KILOBYTES_A_MEGABYTE)


def _stat(pid: int) -> list[str]:
    """The fields behind the program's name, which may contain anything: state first, then the parent."""
    return (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _text(pid: int, name: str) -> str:
    return (PROC / str(pid) / name).read_text(encoding="utf-8", errors="replace")


def _title(comm: str, cmdline: str) -> str:
    """What was forked has its parent's command line, and a name of its own."""
    if "multiprocessing.forkserver" in cmdline:
        return comm.strip()
    program, *arguments = cmdline.rstrip("\0").split("\0")
    words = [Path(program).name, *(word for word in arguments if word != "-m")]
    return " ".join(words)[:TITLE_LENGTH]
