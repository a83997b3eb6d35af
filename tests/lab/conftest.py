"""Labs for the tests: one in virtual time for each test, one of real processes for the session."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lab.process import LabProcess, start_lab
from lab.virtual import VirtualLab
from lab.worldfile import load

WORLD = """
node_delays_seconds = [0.2, 1.0]

[applications.checkout.function]
reserved_concurrency = 14
warm_environments = 6
environment = { SLEEP_SECONDS = "1" }
tags = { version = "1.4.0" }

[applications.checkout.task]
provisioning_seconds = 0.2
pending_seconds = 0.2
health_check_interval_seconds = 0.3
health_check_timeout_seconds = 1
deregistration_delay_seconds = 10
stop_timeout_seconds = 5
environment = { SLEEP_SECONDS = "2" }
tags = { version = "1.3.9", team = "shop" }

[applications.checkout.scalable_target]
min = 0
max = 6

[[applications.checkout.rules]]
priority = 10
path = "/pong"
weights = { lambda = 9, ecs = 1 }

[[applications.checkout.alarms]]
name = "checkout-lambda-concurrency"
metric = "ConcurrentExecutions"
statistic = "Maximum"
threshold = 11
missing_data = "notBreaching"

[[applications.checkout.alarms]]
name = "checkout-lambda-throttles"
metric = "Throttles"
statistic = "Sum"
threshold = 1
missing_data = "notBreaching"

# One environment, and a time-out that /sleep exceeds: what throttles and times out.
[applications.narrow.function]
reserved_concurrency = 1
timeout_seconds = 1
environment = { SLEEP_SECONDS = "3" }

[[tables]]
name = "leases"
key = "application"
"""
COMPOSITE = """
[[applications.narrow.composite_alarms]]
name = "narrow-never"
rule = "FALSE"
suppressor = "checkout-lambda-concurrency"
wait_seconds = 60
extension_seconds = 120
"""


@pytest.fixture
def world_file(tmp_path: Path) -> Path:
    path = tmp_path / "world.toml"
    path.write_text(WORLD, encoding="utf-8")
    return path


@pytest.fixture
def virtual(world_file: Path) -> VirtualLab:
    """The tests' world in virtual time."""
    return VirtualLab(load(world_file))


@pytest.fixture
def virtual_of(tmp_path: Path) -> Any:
    """Builds a lab in virtual time of a world file's text."""

    def build(text: str) -> VirtualLab:
        path = tmp_path / "other.toml"
        path.write_text(text, encoding="utf-8")
        return VirtualLab(load(path))

    return build


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    """One lab of real processes, shared by tests that leave it as they found it."""
    directory = tmp_path_factory.mktemp("lab")
    (directory / "world.toml").write_text(WORLD + COMPOSITE, encoding="utf-8")
    with start_lab(directory / "world.toml", directory / "state", port=0) as lab:
        yield lab


@pytest.fixture
def aws(running: LabProcess) -> Any:
    """Builds unmodified boto3 clients for the session's lab."""
    return clients_of(running)


def clients_of(lab: LabProcess) -> Any:
    session = boto3.Session("lab", "lab", region_name=lab.description["region"])
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    return lambda service: session.client(service, endpoint_url=lab.endpoint, config=config)


@pytest.fixture
def checkout(running: LabProcess) -> dict[str, Any]:
    """The application ``checkout`` as lab.json describes it."""
    described: dict[str, Any] = running.description["applications"]["checkout"]
    return described


@pytest.fixture
def control(running: LabProcess) -> Any:
    """Asks the lab about itself: ``control("state")``, ``control("destination", {...})``."""
    return control_of(running)


def control_of(lab: LabProcess) -> Any:
    def ask(what: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{lab.endpoint}/_lab/{what}", data, method="PUT" if data else "GET")
        with urllib.request.urlopen(request, timeout=5) as response:
            return json.load(response)

    return ask
