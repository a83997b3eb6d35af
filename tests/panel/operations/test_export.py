"""The export that scripts and reports read."""

import json
from datetime import datetime
from io import StringIO

from django.core.management import call_command

from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Operation
from tests.panel.fake_aws import FakeAws
from tests.panel.operations.test_stepping import run


def export(*arguments: str) -> list[dict]:
    out = StringIO()
    call_command("export_operations", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_operations_come_newest_first_with_their_journal_and_durations(application: Application, aws: FakeAws) -> None:
    run(services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles"))
    second = services.request_operation(application, "failback", trigger="automatic", reason="calm")
    newest, oldest = export("--application", "checkout")
    assert (newest["id"], newest["status"], newest["finished_at"]) == (second.pk, "queued", None)
    assert (oldest["application"], oldest["goal"], oldest["status"]) == ("checkout", "failover", "succeeded")
    assert set(oldest["seconds"]) >= {"decision_to_healthy", "weights_to_verified", "total"}
    assert {entry["kind"] for entry in oldest["journal"]} >= {"note", "decision", "call", "readback"}
    assert datetime.fromisoformat(oldest["finished_at"]) >= datetime.fromisoformat(oldest["started_at"])


def test_another_applications_operations_are_left_out(application: Application) -> None:
    services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")
    assert export("--application", "another") == []
    assert len(export()) == Operation.objects.count() == 1
