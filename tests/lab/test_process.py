"""Starting and ending a lab as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lab.process import LabDidNotStartError, start_lab
from lab.runtime.children import ROOT

pytestmark = pytest.mark.lab

SMALL = """
[applications.checkout.task]
desired_count = 1
provisioning_seconds = 0
pending_seconds = 0
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def children_of(pid):
    """Process ids of the children, from /proc: the parent is the second field after the name."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, what, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


def can_connect(url):
    address = urlsplit(url)
    with socket.socket() as trial:
        return trial.connect_ex((address.hostname, address.port)) == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_no_process_and_no_port_outlives_the_lab(small, tmp_path, ending):
    with start_lab(small, tmp_path / "state", port=0) as lab:
        pid = lab.process.pid
        wait_for(lambda: len(children_of(pid)) == 2, "one environment and one task")
        children = children_of(pid)
        os.kill(pid, ending)
        status = lab.process.wait(10)
        wait_for(lambda: not any(map(lives, children)), "the end of the lab's processes")
        urls = [lab.endpoint, *lab.description["applications"]["checkout"]["urls"]]
        assert not any(map(can_connect, urls))
    if ending != signal.SIGKILL:
        assert status == 0
        assert not (tmp_path / "state" / "lab.json").exists()


def test_two_labs_run_at_once_on_networks_of_their_own(small, tmp_path):
    with start_lab(small, tmp_path / "one") as one, start_lab(small, tmp_path / "two") as two:
        assert one.endpoint != two.endpoint
        for lab in (one, two):
            wait_for(lambda lab=lab: len(children_of(lab.process.pid)) == 2, "one environment and one task")


@pytest.mark.parametrize("trouble", ["port", "world", "state", "environment"])
def test_what_prevents_a_start_is_one_sentence_and_status_2(small, tmp_path, trouble):
    state, port = tmp_path / "state", "0"
    state.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        if trouble == "port":
            port = str(occupied.getsockname()[1])
        elif trouble == "world":
            small.write_text("regoin = 1")
        elif trouble == "environment":
            small.write_text('[applications.checkout.function]\nenvironment = { SLEEP_SECONDS = "soon" }')
        else:
            state = small / "state"
        command = [sys.executable, "-m", "lab", "--world", str(small), "--port", port, "--state-dir", str(state)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr


def test_a_state_directory_serves_one_lab(small, tmp_path):
    state = tmp_path / "state"
    refused = pytest.raises(LabDidNotStartError, match="Another lab uses")
    with start_lab(small, state, port=0), refused, start_lab(small, state, port=0):
        pass


def test_requests_in_flight_hold_up_no_end(small, tmp_path):
    """Of three applications, on both nodes: they are cut off together."""
    slugs = ("one", "two", "three")
    function = '[applications.{}.function]\nenvironment = {{ SLEEP_SECONDS = "60" }}\ntimeout_seconds = 90\n'
    small.write_text("".join(map(function.format, slugs)))
    with start_lab(small, tmp_path / "state", port=0) as lab, ExitStack() as opened:
        for slug in slugs:
            for url in lab.description["applications"][slug]["urls"]:
                client = opened.enter_context(closing(HTTPConnection(urlsplit(url).netloc)))
                client.request("GET", "/sleep")
        state = f"{lab.endpoint}/_lab/state"
        wait_for(lambda: in_flight(state) == [2, 2, 2], "all requests")
        lab.process.terminate()
        assert lab.process.wait(10) == 0


def in_flight(state):
    with urllib.request.urlopen(state, timeout=5) as answer:
        return [each["function"]["in_flight"] for each in json.load(answer)["applications"].values()]


STUCK = r"""
import os, sys, time
from pathlib import Path
from lab.runtime import children, stopping

stopping.PATIENCE_SECONDS = float(sys.argv[1])
# No print: the signal may arrive in the middle of the one below, and a stream can't be entered twice.
stopping.end_on_signals(lambda: os.write(1, b"in order\n"), children.kill_all)
child = children.start("http.server", ["0", "--bind", "127.0.0.1"], {}, Path(sys.argv[2]))
print(child.pid, flush=True)
while True:
    time.sleep(60)
"""


@pytest.mark.parametrize(("patience", "signals"), [("0.5", 1), ("600", 2)], ids=["deadline", "second signal"])
def test_a_lab_that_is_stuck_is_ended_by_force_with_its_processes(tmp_path, patience, signals):
    command = [sys.executable, "-c", STUCK, patience, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stuck:
        try:
            child = int(stuck.stdout.readline())
            stuck.terminate()
            assert stuck.stdout.readline() == "in order\n"
            if signals == 2:
                stuck.send_signal(signal.SIGINT)
            assert stuck.wait(10) == 1
            assert stuck.stderr.read() == "Ended by force: every process was killed.\n"
        finally:
            stuck.kill()
    wait_for(lambda: not lives(child), "the end of its child")


MOMENTS = [0.0, 0.15, 0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.3, 3.0]
ENDINGS = [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]


def started_under(directory):
    """Processes whose TMPDIR is that directory: the lab passes it on to whatever it starts."""
    mark, found = f"TMPDIR={directory}".encode(), []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environ.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in variables and lives(environ.parent.name):
            found.append(environ.parent.name)
    return found


@pytest.mark.full
@pytest.mark.parametrize("seconds", MOMENTS)
def test_stopped_at_any_moment_it_leaves_nothing_behind(small, tmp_path, seconds):
    """Also while it starts: imports, opens ports, starts processes. Files are in its own directory alone."""
    own, state = tmp_path / "own", tmp_path / "state"
    own.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(own), "TMPDIR": str(own), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "lab", "--world", str(small), "--port", "0", "--state-dir", str(state)]
    for ending in ENDINGS:
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            time.sleep(seconds)  # the moment is what is tried
            process.send_signal(ending)
            process.wait(15)
        wait_for(lambda: not started_under(own), f"the end of every process after {ending.name} at {seconds} s")
        assert list(own.iterdir()) == []
        with start_lab(small, state, port=0) as again:
            assert can_connect(again.endpoint), "the same directory serves again"
