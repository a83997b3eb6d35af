"""An incident on the lab, watched by a load generator: Lambda is throttled, somebody fails over, ECS carries it all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lab.process import LabProcess, start_lab
from stack.applications import application_toml
from stack.laboratory import laboratory
from tests.load.tools import ROOT

# Half of the users ask for /sleep, which is more than Lambda may run at a time.
WORLD = """
node_delays_seconds = [0.3, 0.6]

[applications.checkout.function]
reserved_concurrency = 4
warm_environments = 4
environment = { SLEEP_SECONDS = "1" }

[applications.checkout.task]
provisioning_seconds = 0.5
pending_seconds = 0.5
health_check_interval_seconds = 0.5
health_check_timeout_seconds = 0.4
environment = { SLEEP_SECONDS = "1" }

[[applications.checkout.alarms]]
name = "checkout-lambda-throttles"
metric = "Throttles"
statistic = "Sum"
threshold = 1
missing_data = "notBreaching"
"""
THROTTLED_SECONDS = 5.0
USERS = {"threads": "2", "sleep_threads": "8", "ramp": "1", "duration": "25", "pause": "100"}


@dataclass(frozen=True)
class Figures:
    """How many requests were answered, and how many of those with a failure."""

    requests: int
    failed: int

    @property
    def error_percent(self) -> float:
        return 100 * self.failed / self.requests


class Incident:
    def __init__(self, lab: LabProcess, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        self._about = laboratory(lab.description)
        node = urlsplit(self._about.application("checkout").urls[0])
        self.host, self.port = str(node.hostname), str(node.port)
        self._began = time.time()

    def during(self, load: Sequence[str | Path]) -> str:
        """What the load generator said, which runs from before the throttling until after the failover."""
        log = self._folder / "load.log"
        with log.open("wb") as output:
            generator = subprocess.Popen(load, stdout=output, stderr=output, cwd=self._folder)
            try:
                self._until_throttled()
                time.sleep(THROTTLED_SECONDS)  # of an incident that users notice
                self._fail_over()
                assert generator.wait(timeout=90) == 0, log.read_text(encoding="utf-8")[-3000:]
            finally:
                generator.kill()
        return log.read_text(encoding="utf-8")

    def record(self) -> Figures:
        """What the load balancer of the lab has answered until now."""
        asked = int(time.time())
        while int(time.time()) == asked:  # the lab tells of seconds that are over
            time.sleep(0.05)
        return self._figures()

    def pools(self) -> set[str]:
        return {pool for _, _, pool, *_ in self._answers()}

    def _figures(self) -> Figures:
        counts = [(status, count) for *_, status, _, count in self._answers()]
        return Figures(sum(count for _, count in counts), sum(count for status, count in counts if status >= 400))

    def _answers(self) -> list[tuple[float, str, str, int, str, int]]:
        """Second, node, pool, status, cause, count."""
        url = f"{self._lab.endpoint}/_lab/view?application=checkout&since={self._began - 1:.0f}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [tuple(row) for row in json.load(answer)["answers"]]

    def _until_throttled(self) -> None:
        deadline = time.monotonic() + 40
        while not self._figures().failed:
            assert time.monotonic() < deadline, "nothing was throttled"
            time.sleep(0.2)

    def _fail_over(self) -> None:
        path = self._folder / "checkout.toml"
        toml = application_toml(self._about.application("checkout"), self._about.region)
        # Nobody probes: only what the load generator sends is to be counted.
        path.write_text(re.sub(r"^probe_url = .*$", "", toml, flags=re.MULTILINE), encoding="utf-8")
        command = ["failover", "--yes", "--reason", "the load test's incident", "--override", "single_writer"]
        done = subprocess.run(
            [sys.executable, "-m", "failover", "-c", path, *command],
            env={**os.environ, **self._about.aws_environment(), "PYTHONPATH": str(ROOT)},
            cwd=self._folder,  # its journal lies where it was started
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture
def incident(tmp_path: Path) -> Iterator[Incident]:
    world = tmp_path / "world.toml"
    world.write_text(WORLD, encoding="utf-8")
    with start_lab(world, tmp_path / "lab", port=0) as lab:
        yield Incident(lab, tmp_path)
