"""What Prometheus reads, and who may read it."""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from failover.aws.calls import Heard
from failover.model import AlarmState
from panel import VERSION
from panel.fleet import heartbeats, tasks
from panel.fleet.models import Application, StoredSnapshot
from panel.ingest.models import Event
from panel.ingest.processing import process
from panel.operations import services
from panel.operations.models import Operation
from panel.operations.stepping import step_operation
from panel.watch import aws_calls, collector, tally
from tests.panel.fake_aws import FakeAws, FakeFleet
from tests.panel.ingest.conftest import Deliver, alarm_event

TOKEN = "a-token-of-sixteen-or-more"
ROOT = Path(__file__).parents[3]


def scraped() -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample as (name, label values in the order of the labels' names): value."""
    tally.flush()
    text = Client().get("/metrics").content.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, tuple(sample.labels.values())): sample.value for sample in samples}


# ---- who may read ----


def ask(address: str = "127.0.0.1", **headers: str) -> HttpResponse:
    return Client().get("/metrics", REMOTE_ADDR=address, headers={"host": "10.0.0.7:8000", **headers})


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::1"])
def test_this_machine_and_its_network_may_read_whatever_the_host(address: str) -> None:
    assert ask(address).status_code == 200


@pytest.mark.django_db  # who was refused is in the audit trail
@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "", "nonsense"])
def test_nobody_else_may(address: str) -> None:
    answer = ask(address)
    assert answer.status_code == 403
    assert "PANEL_METRICS_TOKEN" in answer.json()["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_what_came_through_a_load_balancer_is_not_near(header: str) -> None:
    assert ask("10.0.0.5", **{header: "127.0.0.1"}).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "status"), [(f"Bearer {TOKEN}", 200), ("Bearer wrong", 401), (TOKEN, 401), ("", 401), ("Bearer é", 401)]
)
@pytest.mark.parametrize("address", ["127.0.0.1", "8.8.8.8"])
def test_with_a_token_the_token_alone_decides(settings: Any, sent: str, status: int, address: str) -> None:
    settings.PANEL_METRICS_TOKEN = TOKEN
    answer = ask(address, Authorization=sent)
    assert answer.status_code == status
    assert TOKEN not in answer.content.decode()


@pytest.mark.django_db
def test_a_database_that_is_gone_gives_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DatabaseError("host db.internal is down")

    monkeypatch.setattr(collector, "_tallies", fail)
    answer = ask()
    assert answer.status_code == 503
    assert "db.internal" not in answer.content.decode()


# ---- what is read ----


def test_an_operation_is_told_by_goal_trigger_outcome_and_the_time_of_each_part(
    application: Application, aws: FakeAws, deliver: Deliver
) -> None:
    deliver(alarm_event())
    aws.alarm = AlarmState.ALARM
    process(Event.objects.get())
    operation = Operation.objects.get()
    assert scraped()["panel_operations_active", ("queued",)] == 1
    while operation.finished_at is None:
        Operation.objects.update(next_step_at=timezone.now())
        step_operation(operation.pk)
        operation.refresh_from_db()
    found = scraped()
    assert found["panel_operations_total", ("failover", "succeeded", "automatic")] == 1
    parts = {labels[1] for name, labels in found if name == "panel_recovery_seconds_count"}
    assert parts == {
        "alarm_to_webhook",
        "webhook_to_decision",
        "decision_to_healthy",
        "healthy_to_weights",
        "weights_to_verified",
        "total",
    }
    assert found["panel_recovery_seconds_bucket", ("failover", "+Inf", "total")] == 1
    assert found["panel_recovery_seconds_sum", ("failover", "total")] < 120


def test_deliveries_are_told_by_what_became_of_them(application: Application, deliver: Deliver) -> None:
    deliver(alarm_event())
    deliver(alarm_event())
    deliver(alarm_event(id="other", account="999999999999"))
    deliver(b"{")
    deliver(alarm_event(), secret="wrong")
    found = scraped()
    outcomes = ("accepted", "duplicate", "unmatched", "invalid", "unauthorized")
    assert [found["panel_webhook_deliveries_total", (outcome,)] for outcome in outcomes] == [1, 1, 1, 1, 1]


@pytest.mark.django_db
def test_calls_to_aws_are_told_by_action_and_outcome() -> None:
    for outcome in ("ok", "ok", "throttled"):
        aws_calls.heard(Heard("ecs:DescribeServices", outcome, 0.1, attempts=2))
    found = scraped()
    assert found["panel_aws_calls_total", ("ecs:DescribeServices", "ok")] == 2
    assert found["panel_aws_calls_total", ("ecs:DescribeServices", "throttled")] == 1
    assert found["panel_aws_retries_total", ("ecs:DescribeServices",)] == 3


@pytest.mark.django_db
def test_a_histogram_counts_everything_that_was_at_most_as_long() -> None:
    for seconds in (0.2, 3.0, 9999.0):
        tally.measure("sweep_seconds", seconds)
    found = scraped()
    ends = ("0.1", "0.25", "5.0", "1800.0", "+Inf")
    assert [found["panel_sweep_seconds_bucket", (end,)] for end in ends] == [0, 1, 2, 2, 3]
    assert found["panel_sweep_seconds_sum", ()] == pytest.approx(10002.2)


def test_ages_are_told_of_data_heartbeats_and_what_waits(application: Application, fleet: FakeFleet) -> None:
    assert scraped()["panel_queue_age_seconds", ("steps",)] == 0
    tasks.sweep(application.pk)
    heartbeats.show("steps")
    services.request_operation(application, "failover", trigger="manual", reason="a test")
    event = Event.objects.create(event_id="1", detail_type="x", body={})
    past = timezone.now() - timedelta(minutes=5)
    StoredSnapshot.objects.update(observed_at=past)
    Operation.objects.update(next_step_at=past)
    Event.objects.filter(pk=event.pk).update(received_at=past)
    found = scraped()
    about_five_minutes = pytest.approx(300, abs=60)
    assert found["panel_data_age_seconds", ("checkout",)] == about_five_minutes
    assert found["panel_queue_age_seconds", ("steps",)] == about_five_minutes
    assert found["panel_queue_age_seconds", ("events",)] == about_five_minutes
    assert found["panel_heartbeat_age_seconds", ("steps",)] < 60
    assert ("panel_heartbeat_age_seconds", ("beat",)) not in found
    assert found["panel_sweep_seconds_count", ()] == 1


@pytest.mark.django_db
def test_messages_in_the_broker_are_counted_where_it_answers(valkey: str) -> None:
    assert scraped()["panel_queue_length", ("observe",)] == 0


@pytest.mark.django_db
def test_without_a_broker_the_rest_is_told() -> None:
    found = scraped()
    assert ("panel_queue_length", ("observe",)) not in found
    assert ("panel_holds_active", ()) in found


@pytest.mark.django_db
def test_what_runs_is_told_with_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert any(name == "panel_build_info" and VERSION in labels for name, labels in scraped())


# ---- counting ----


@pytest.mark.django_db
def test_counts_of_several_processes_add_up() -> None:
    for _ in range(2):
        tally.count("aws_calls", action="a", outcome="ok")
        tally.flush()
    assert scraped()["panel_aws_calls_total", ("a", "ok")] == 2


@pytest.mark.django_db
def test_counts_that_could_not_be_written_are_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError

    tally.count("aws_calls", action="a", outcome="ok")
    with monkeypatch.context() as broken:
        broken.setattr(tally, "_add", fail)
        tally.flush()
    tally.count("aws_calls", action="a", outcome="ok")
    assert scraped()["panel_aws_calls_total", ("a", "ok")] == 2


def test_an_answer_is_followed_by_the_writing_of_what_was_counted(
    application: Application, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "FLUSH_EVERY", 0.0)
    deliver(alarm_event())
    tally.forget()
    assert scraped()["panel_webhook_deliveries_total", ("accepted",)] == 1
