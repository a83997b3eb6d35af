"""The container entry: how it starts, refuses to start, and ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api_service.conftest import Service

Serve = Callable[..., Service]


def run_to_end(**environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api_service"],
        env=os.environ | {"HOST": "127.0.0.1"} | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("variable", ["PORT", "SLEEP_SECONDS", "ROOT_DELAY_SECONDS"])
def test_a_bad_variable_is_a_sentence_and_exit_2(variable: str) -> None:
    result = run_to_end(**{variable: "nonsense"})
    assert result.returncode == 2
    assert result.stderr.startswith(f"{variable} is 'nonsense'"), result.stderr
    assert "Traceback" not in result.stderr


def test_an_occupied_port_is_a_sentence_and_exit_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        result = run_to_end(PORT=str(port))
    assert result.returncode == 1
    assert f"Can't listen on 127.0.0.1 port {port}: Address already in use" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_status_0_when_asked(serve: Serve, ending: signal.Signals) -> None:
    service = serve()
    assert service.get("/pong")[0] == 200
    service.process.send_signal(ending)
    assert service.process.wait(timeout=20) == 0


def test_a_request_in_flight_is_answered_after_sigterm(serve: Serve) -> None:
    service = serve(SLEEP_SECONDS="2")
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(service.get("/sleep")))
    asking.start()
    wait_for_connection(service)
    service.process.send_signal(signal.SIGTERM)
    asking.join(timeout=20)
    assert answers == [(200, {"message": "awaken"})], "SIGTERM cut a request that was being answered"
    assert service.process.wait(timeout=20) == 0


def wait_for_connection(service: Service) -> None:
    """Until the kernel shows the service's end of a connection, and the service had a moment to read from it."""
    port = f":{int(service.url.rsplit(':', 1)[1]):04X} "
    deadline = time.monotonic() + 20
    while not any(port in line and " 01 " in line for line in tcp_table()):
        assert time.monotonic() < deadline, "the request never reached the service"
        time.sleep(0.02)
    # Answering another request proves that the loop has come past the first one.
    assert service.get("/pong")[0] == 200


def tcp_table() -> list[str]:
    return Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()


def test_an_idle_connection_is_kept_for_the_next_request(serve: Serve) -> None:
    connection = http.client.HTTPConnection(serve().url.removeprefix("http://"), timeout=20)
    for _ in range(2):
        connection.request("GET", "/pong")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"message":"ping"}')
        assert answer.getheader("connection") != "close"
    connection.close()
