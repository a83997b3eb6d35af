"""What processes cost, read from the kernel: a real tree, with a child that has ended."""

import os
import subprocess
import sys

import pytest

from bench import processes

BUSY = "for each in range(3_000_000): pass"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BUSY!r}])
left = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(left.pid, flush=True)
sys.stdin.read()
left.stdin.close()
left.wait()
"""


@pytest.fixture
def parent():
    """A process that had a busy child, and has another one that waits, whose id it printed."""
    argv = [sys.executable, "-c", PARENT]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()


def test_a_tree_is_the_process_and_its_descendants_and_nobody_else(parent):
    left = int(parent.stdout.readline())
    found = processes.tree(parent.pid)
    assert [each.pid for each in found] == [parent.pid, left]
    assert [each.parent for each in found] == [os.getpid(), parent.pid]
    assert all(each.megabytes > 1 for each in found)


def test_what_a_child_took_that_ended_is_its_parents(parent):
    parent.stdout.readline()
    [usage, waiting] = processes.tree(parent.pid)
    assert usage.seconds > waiting.seconds


def test_time_of_a_process_that_ended_between_two_looks_is_counted_once():
    def usage(pid: int, seconds: float) -> processes.Usage:
        return processes.Usage(pid, 1, "part", seconds, 10.0)

    # 3 had taken 5 s, took one more and ended: its parent has the 6 s now.
    before, after = [usage(2, 1.0), usage(3, 5.0)], [usage(2, 7.5), usage(4, 0.25)]
    assert processes.spent(before, after) == 1.75
    *_, total = processes.table(before, after, 10.0).splitlines()
    assert total.split() == ["all", "17.50", "20.0"]
