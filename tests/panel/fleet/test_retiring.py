"""A retired application is not looked at, shown or started; its history stays, and it comes back."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from panel.drills.models import Drill
from panel.fleet import observation, retiring, tasks
from panel.fleet.applications import ImportRefused, import_document
from panel.fleet.models import Application
from panel.ingest.inbox import Delivery, Received, receive_all
from panel.operations import automatic, services
from panel.operations.models import Operation
from tests.panel.fake_aws import FakeFleet
from tests.panel.web import examples

EVENT = {
    "version": "0", "id": "e1", "source": "aws.cloudwatch", "account": "123456789012", "region": "sa-east-1",
    "time": "2026-01-01T00:00:00Z", "resources": [], "detail-type": "CloudWatch Alarm State Change",
    "detail": {"alarmName": "busy", "state": {"value": "ALARM"}},
}  # fmt: skip


@pytest.fixture
def retired(application: Application) -> Application:
    examples.operation(application, status="succeeded")
    retiring.retire(application, "moved away")
    application.refresh_from_db()
    return application


def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr("panel.dispatch.wake", lambda *given, **_: calls.append(given))
    return calls


def test_it_is_not_swept_and_its_alarms_wake_nobody(
    retired: Application, key: str, monkeypatch: pytest.MonkeyPatch, fleet: FakeFleet
) -> None:
    calls = woken(monkeypatch)
    tasks.observe_all()
    assert calls == []
    assert observation.neighbours(retired) == []
    assert receive_all([Delivery(key, json.dumps(EVENT).encode())]) == [Received("unmatched", "e1")]


def test_it_is_in_no_list_and_its_history_stays(retired: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    assert "Checkout API" not in client.get("/").content.decode()
    assert "Checkout API" in client.get("/operations/").content.decode()
    page = client.get("/applications/checkout/").content.decode()
    assert "Retired" in page
    assert "Fail over" not in page
    assert client.get("/applications/checkout/failover/").status_code == 404


def test_nothing_starts_for_it_by_whatever_way(retired: Application) -> None:
    with pytest.raises(services.Refused, match="is retired"):
        services.request_operation(retired, "failover", trigger="manual", reason="x")
    said = automatic.consider(retired, examples.snapshot(), counts=True)
    assert "Started" not in said
    assert Operation.objects.count() == 1


def test_an_operation_under_way_keeps_it(application: Application) -> None:
    examples.operation(application)
    with pytest.raises(retiring.NotNow, match=r"failover #\d+ of checkout is waiting: cancel it"):
        retiring.retire(application, "x")
    assert Application.objects.exists()


def test_a_drill_under_way_keeps_it_also_between_its_operations(application: Application) -> None:
    Drill.objects.create(application=application, kind="drill", reason="x", state="staying")
    with pytest.raises(retiring.NotNow, match=r"drill #\d+ of checkout is under way: abort it"):
        retiring.retire(application, "x")
    assert Application.objects.exists()


def test_it_is_changed_only_once_it_is_back(retired: Application, document: dict[str, Any]) -> None:
    with pytest.raises(ImportRefused, match="Bring it back"):
        import_document(document, "f")
    retiring.restore(retired)
    assert import_document(document, "f").differences == ()
    assert list(Application.objects.filter(alarm_names__name="busy")) == [retired]


def test_what_it_owned_is_free_and_while_another_owns_it_it_stays_away(
    retired: Application, document: dict[str, Any]
) -> None:
    document["application"]["slug"] = "basket"
    import_document(document, "f")
    with pytest.raises(ImportRefused, match="belongs to the application basket"):
        retiring.restore(retired)
    assert not Application.objects.filter(slug="checkout").exists()


def test_the_command_retires_and_undoes(application: Application) -> None:
    call_command("retire_application", "checkout", "--reason", "moved away")
    assert not Application.objects.exists()
    call_command("retire_application", "checkout", "--undo")
    assert Application.objects.get().resources.count() == 4
    with pytest.raises(CommandError, match="no application 'basket'"):
        call_command("retire_application", "basket")
