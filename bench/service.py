"""What the API costs a request in both of its runtimes, beside the least that Starlette can do in the same one.

Seconds of the server's CPU are counted, not answers a second: whoever asks runs on the same cores.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import processes
from bench.cold import BARE, unpacked
from bench.figures import Figure
from lab.runtime.children import bound_to_parent
from stack.ports import free_ports

OURS, PLAIN = "the API service", "plain Starlette"
ROUNDS, REQUESTS = 5, 3_000
WARM_UP_REQUESTS = 300
MOST_TIMES_PLAIN = 1.5
READY_SECONDS = 30.0
SERVER = """
import sys, uvicorn
uvicorn.run(sys.argv[1], port=int(sys.argv[2]), lifespan="off", access_log=False, log_level="warning")
"""
# One environment answers one event after the other; both answer the same one.
INVOCATIONS = """
import importlib, json, sys, time
handler = importlib.import_module(sys.argv[1]).handler
event = json.loads(sys.argv[2])
for count in (int(sys.argv[3]), int(sys.argv[4])):
    began = time.process_time()
    for _ in range(count):
        answer = handler(event, None)
assert answer["statusCode"] == 200, answer
print((time.process_time() - began) / count)
"""
EVENT = {
    "requestContext": {
        "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/a/1"}
    },
    "httpMethod": "GET",
    "path": "/",
    "queryStringParameters": {},
    "headers": {"host": "api.example.com", "x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"},
    "body": "",
    "isBase64Encoded": False,
}

Measured = Callable[[], float]


def measure(rounds: int = ROUNDS, requests: int = REQUESTS) -> list[Figure]:
    """Seconds of CPU a request, the least of several rounds: another process can only make one dearer."""
    with tempfile.TemporaryDirectory() as name:
        package = unpacked(Path(name))
        (package / "bare.py").write_text(BARE + "\napp = handler.app\n", encoding="utf-8")
        with ExitStack() as running:
            served = {
                OURS: running.enter_context(_served((sys.executable, "-m", "api_service"), requests)),
                PLAIN: running.enter_context(_served((sys.executable, "-c", SERVER, "bare:app"), requests, package)),
            }
            on_server = _alternately(served, rounds)
        invoked = {OURS: "api_service.lambda_handler", PLAIN: "bare"}
        on_lambda = _alternately(
            {name: _invoking(package, module, requests) for name, module in invoked.items()}, rounds
        )
    return [*_figures("as a server", on_server), *_figures("on Lambda, through Mangum", on_lambda)]


def _alternately(measured: dict[str, Measured], rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure_once in measured.items():
            taken[name].append(measure_once())
    return taken


@contextmanager
def _served(argv: tuple[str, ...], requests: int, folder: Path | None = None) -> Iterator[Measured]:
    """A server on loopback, as long as the block lasts; what it gives sends requests, one after the other."""
    [port] = free_ports(1)
    env = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)} | ({"PYTHONPATH": str(folder)} if folder else {})
    command = (*argv, str(port)) if folder else argv
    process = subprocess.Popen(  # noqa: S603 - our own modules
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=bound_to_parent(signal.SIGTERM),  # noqa: PLW1509 - nothing else ends it when we are killed
    )
    try:
        connection = _connected(process, port)
        _ask(connection, WARM_UP_REQUESTS)
        yield lambda: _spent(process.pid, connection, requests)
        connection.close()
    finally:
        process.terminate()
        process.wait(READY_SECONDS)


def _connected(process: subprocess.Popen[bytes], port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
        try:
            connection.connect()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return connection


def _spent(pid: int, connection: http.client.HTTPConnection, requests: int) -> float:
    before = processes.tree(pid)
    _ask(connection, requests)
    return processes.spent(before, processes.tree(pid)) / requests


def _ask(connection: http.client.HTTPConnection, requests: int) -> None:
    for _ in range(requests):
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"A request was answered with {answer.status}: {body[:200]!r}")


def _invoking(package: Path, module: str, requests: int) -> Measured:
    """A fresh interpreter that sees the package alone, as on Lambda."""
    command = (
        *(sys.executable, "-S", "-P", "-c", INVOCATIONS, module),
        *(json.dumps(EVENT), str(WARM_UP_REQUESTS), str(requests)),
    )
    env = {"PYTHONPATH": str(package), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}

    def invoke() -> float:
        done = subprocess.run(command, env=env, cwd=package, check=True, capture_output=True, text=True)  # noqa: S603
        return float(done.stdout)

    return invoke


def _figures(runtime: str, taken: dict[str, list[float]]) -> Iterator[Figure]:
    least = {name: min(times) for name, times in taken.items()}
    times_plain = least[OURS] / least[PLAIN]
    yield Figure(f"{runtime}: times the plain one", round(times_plain, 2), of=OURS, most=MOST_TIMES_PLAIN)
    for name, seconds in least.items():
        better = "lower" if name == OURS else ""
        yield Figure(f"{runtime}: CPU a request", round(1000 * seconds, 3), "ms", of=name, better=better)
