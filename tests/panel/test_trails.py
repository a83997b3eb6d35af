"""One id leads through the logs: from the web request over its tasks to the AWS calls that followed."""

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client
from django.utils import timezone

from failover.aws.calls import Heard
from failover.model import AlarmState
from panel import dispatch, logs, trails
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.ingest.processing import process
from panel.operations import services
from panel.operations.models import Operation
from panel.operations.stepping import step_operation
from panel.watch import aws_calls
from tests.panel.fake_aws import FakeAws
from tests.panel.ingest.conftest import Deliver, alarm_event, deliver
from tests.panel.test_worker import WORKER, Until, part, until

__all__ = ["deliver", "until"]


class Logged:
    """What the panel logs, as its handler writes it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self, **ids: str) -> list[dict[str, Any]]:
        """The lines, each of them JSON, that carry these ids."""
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if all(line.get(name) == value for name, value in ids.items())]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logged]:
    found = Logged()
    [handler] = [
        each for each in logging.getLogger().handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)
    ]
    monkeypatch.setattr(handler, "stream", found.stream)
    return found


def events(lines: list[dict[str, Any]]) -> list[str]:
    return [line["event"] for line in lines]


def test_the_id_of_a_delivery_is_on_the_lines_of_all_that_followed(
    application: Application, aws: FakeAws, deliver: Deliver, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = aws.write
    monkeypatch.setattr(aws, "write", lambda *given: aws_calls.heard(Heard("ecs:Update", "ok", 0.1)) or write(*given))
    aws.alarm = AlarmState.ALARM
    request_id = deliver(alarm_event()).headers["X-Request-Id"]
    process(Event.objects.get())  # as a sweep would, to which nobody gave the id
    operation = Operation.objects.get()
    step_operation(operation.pk)
    lines = logged.lines(request_id=request_id)
    assert events(lines) == ["event_processed", "aws_call", "stepped"]
    assert Event.objects.get().request_id == request_id, "its row, in place of a line, says who brought it"
    mine = logged.lines(operation=str(operation.pk), application="checkout")
    assert events(mine) == ["aws_call", "stepped"]


def test_a_wake_up_carries_our_ids_and_nothing_else(valkey: str, logged: Logged) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1", operation="7", password="hunter2"):
        sent = trails.current()
    assert sent == {"request_id": "r1", "operation": "7"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_logs_under_the_id_of_who_asked_and_a_failure_once(
    application: Application, valkey: str, tmp_path: Path, until: Until
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="request-one", password="hunter2"):
        operation = services.request_operation(application, "failover", trigger="automatic", reason="a test")
        dispatch.wake("fleet.sweep", "no number")
    log = tmp_path / "worker.log"
    with part(log, valkey, *WORKER):
        until(lambda: "stepped" in log.read_text() and "task_failed" in log.read_text(), "a step and a failure")
    said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    stepped = next(line for line in said if line["event"] == "stepped")
    assert (stepped["request_id"], stepped["operation"]) == ("request-one", str(operation.pk))
    assert (stepped["application"], stepped["task"]) == ("checkout", "operations.step")
    calls = [line for line in said if line["event"] == "aws_call"]
    assert {line["request_id"] for line in calls} == {"request-one"}
    assert {line["outcome"] for line in calls} == {"unanswered"}
    failures = [line for line in said if "no number" in json.dumps(line)]
    assert [(line["event"], line["request_id"], line["level"]) for line in failures] == [
        ("task_failed", "request-one", "error")
    ]
    assert "hunter2" not in log.read_text()


@pytest.mark.django_db
def test_what_people_do_is_a_line_and_what_pages_poll_is_none(logged: Logged) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.get("/healthz")
    client.post("/accounts/login/?next=/secret-path", {"login": "ana", "password": "hunter2"})
    [line] = logged.lines(event="request")
    assert (line["method"], line["path"], line["status"]) == ("POST", "/accounts/login/", 200)
    for secret in ("hunter2", "secret-path", client.cookies.get("csrftoken").value if client.cookies else "-"):
        assert secret not in logged.text or secret == "-"


@pytest.mark.django_db
def test_a_refused_request_is_told_once(logged: Logged) -> None:
    Client().get("/nowhere/at-all/")
    Client().post("/webhooks/eventbridge", "{}", content_type="application/json")
    told = [line for line in logged.lines() if "nowhere" in str(line) or "webhooks" in str(line)]
    assert [line["status"] for line in told] == [404, 401]


@pytest.mark.django_db
def test_a_line_stays_one_line_whatever_comes_from_outside(logged: Logged) -> None:
    Client().post("/x%0a%7b%22event%22:%22forged%22%7d%1b[2J/", headers={"X-Request-Id": "a\nb"})
    assert len(logged.text.splitlines()) == len(logged.lines())
    assert "forged" not in events(logged.lines())
    assert "\x1b" not in logged.text


def test_lines_to_read_have_control_characters_escaped() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    configured = logs._standard_library(readable=True)["formatters"]["ours"]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=configured["foreign_pre_chain"], processors=configured["processors"]
        )
    )
    handler.emit(logging.makeLogRecord({"msg": "a\x1b[2J\nforged", "name": "x", "levelno": 20, "levelname": "INFO"}))
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_an_operation_keeps_the_id_of_the_request_that_asked_for_it(
    application: Application, aws: FakeAws, logged: Logged
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="of-the-click"):
        operation = services.request_operation(application, "failover", trigger="automatic", reason="a test")
    Operation.objects.update(next_step_at=timezone.now() - timedelta(seconds=1))
    step_operation(operation.pk)  # found by a sweep: nothing is bound any more
    assert "stepped" in events(logged.lines(request_id="of-the-click"))


def test_gunicorn_tells_its_own_lines_as_json(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "panel.wsgi",
        "--bind",
        "127.0.0.1:0",
        "--worker-tmp-dir",
        str(tmp_path),
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PANEL_")}
    environment = clean | {"PANEL_SECRET_KEY": "for-tests-only-" * 4}
    with log.open("wb") as output:
        web = subprocess.Popen(
            [*command, "--logger-class", "panel.gunicorn_logs.Logger"], env=environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 60
        while "Booting worker" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    finally:
        web.terminate()
        web.wait(timeout=30)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any("Listening at" in line["event"] for line in lines)
