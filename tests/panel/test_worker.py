"""A real worker and a real beat on a real broker, with nothing but rows to go by."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from lab.process import LabProcess, start_lab
from panel.fleet import snapshots
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.operations import services
from panel.operations.models import Operation
from tests.panel.ingest.conftest import alarm_event

ROOT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:1"  # an AWS that refuses every connection

WORKER = ("worker", "--concurrency", "2", "--without-gossip")

Until = Callable[[Callable[[], bool], str], None]


@contextmanager
def part(log: Path, broker: str, *arguments: str, aws: str = NOBODY) -> Iterator[subprocess.Popen[bytes]]:
    """One of the panel's processes, on this test's database and broker; its process group is its own."""
    variables = {
        "PANEL_SECRET_KEY": "for-tests-only-" * 4,
        "PANEL_OBSERVE_SECONDS": "1",
        "DATABASE_URL": _database_url(),
        "REDIS_URL": broker,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "panel", *arguments],
            cwd=ROOT, env={**os.environ, **variables}, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def _database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


@pytest.fixture
def until(tmp_path: Path) -> Until:
    """Wait for a condition for at most 120 s; a failure shows what the processes said."""

    def wait(condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            said = "\n".join(log.read_text()[-3000:] for log in tmp_path.glob("*.log"))
            assert time.monotonic() < deadline, f"{what} did not happen within 120 s\n{said}"
            time.sleep(0.1)

    return wait


@pytest.mark.django_db(transaction=True)
def test_events_and_operations_whose_wake_ups_were_lost_are_found(
    application: Application, valkey_server: str, key: str, tmp_path: Path, until: Until, settings: object
) -> None:
    # No broker is known to this process: whatever it would wake is lost.
    answer = Client().post(
        "/webhooks/eventbridge", alarm_event(), content_type="application/json", headers={"X-Api-Key": key}
    )
    assert answer.status_code == 202
    operation = services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")
    broker = valkey_server.replace("/0", "/1")
    with part(tmp_path / "worker.log", broker, *WORKER), part(tmp_path / "beat.log", broker, "beat"):
        until(lambda: Event.objects.get().status == "processed", "the event's processing")
        until(lambda: Operation.objects.get().started_at is not None, "the operation's first step")
        until(lambda: snapshots.latest(application) is not None, "a look at AWS")
        settings.REDIS_URL = broker
        until(lambda: Client().get("/readyz").status_code == 200, "readiness")
    assert "can't be reached" in Event.objects.get().outcome
    operation.refresh_from_db()
    assert (operation.status, operation.headline) == ("waiting", "Waiting until AWS can be read")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabProcess]:
    with start_lab(None, tmp_path / "lab") as running:
        yield running


def on_lab(lab: LabProcess, slug: str) -> Application:
    found = lab.description["applications"][slug]
    document = {
        "application": {"slug": slug, "region": lab.description["region"], "alarms": found["alarms"], "mode": "off"},
        "lambda": {"function_name": found["function_name"], "target_group_arn": found["lambda_target_group_arn"]},
        "ecs": {name: found[name] for name in ("cluster", "service")}
        | {"target_group_arn": found["ecs_target_group_arn"]},
        "routes": [{"listener_arn": found["listener_arn"]}],
        "policy": {"settle_seconds": 1, "metric_period_seconds": 5},
    }
    return import_document(document, slug).application


@pytest.mark.full
@pytest.mark.lab
@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_failover_is_survived(
    lab: LabProcess, valkey_server: str, tmp_path: Path, until: Until
) -> None:
    application, broker = on_lab(lab, "checkout"), valkey_server.replace("/0", "/2")
    operation = services.request_operation(application, "failover", trigger="manual", reason="a rehearsal")

    def shows(phase: str) -> bool:
        operation.refresh_from_db()
        return operation.progress["phase"] == phase

    def ended() -> bool:
        operation.refresh_from_db()
        return operation.finished_at is not None

    with part(tmp_path / "beat.log", broker, "beat", aws=lab.endpoint):
        with part(tmp_path / "killed.log", broker, *WORKER, aws=lab.endpoint) as worker:
            until(lambda: shows("healthy"), "the wait for healthy targets")
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        with part(tmp_path / "worker.log", broker, *WORKER, aws=lab.endpoint):
            until(ended, "the operation's end")
    assert operation.status == "succeeded", operation.error
    written = [entry.message for entry in operation.journal.filter(kind="call")]
    assert [message.split(":")[1] for message in written] == ["UpdateService", "ModifyListener"]
