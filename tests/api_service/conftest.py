"""The API as a real process on a free loopback port."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Service:
    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@contextmanager
def running(**environ: str) -> Iterator[Service]:
    settings = {"HOST": "127.0.0.1", "PORT": "0", **environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "api_service"],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        first_line = process.stdout.readline()
        assert first_line.startswith("Serving"), f"the service did not start; it said {first_line!r}"
        yield Service(process, f"http://127.0.0.1:{first_line.split()[-1].rstrip('.')}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Start the service with these variables; it ends with the test."""
    with ExitStack() as stack:
        yield lambda **environ: stack.enter_context(running(**environ))
