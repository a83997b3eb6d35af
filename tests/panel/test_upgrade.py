"""An upgrade in the middle of something: what the release before stored and sent still works, or ends with a sentence.

`fixtures/progress_N` is what a release with `PROGRESS_VERSION` N stores and sends. A release that raises the version
adds a folder of its own; what is there stays as it is, without the fields that came later.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from failover.codec import encode
from failover.model import PROGRESS_VERSION, Progress, Split
from panel.fleet import snapshots, tasks
from panel.fleet.applications import import_document
from panel.fleet.models import Application, Heartbeat, StoredSnapshot
from panel.operations import services
from panel.operations.models import Operation
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws, FakeFleet
from tests.panel.test_worker import WORKER, Until, part, until

__all__ = ["until"]

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = sorted(FIXTURES.glob("progress_*"))
A_MOMENT_AFTER_2020 = 1_577_836_800


def stored(path: Path) -> Any:
    """A fixture, its moments moved so that the newest is now."""
    value = json.loads(path.read_text())
    moments = list(_moments(value))
    return _moved(value, time.time() - max(moments)) if moments else value


def _moments(value: Any) -> Any:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _moments(item)
    elif isinstance(value, float) and value > A_MOMENT_AFTER_2020:
        yield value


def _moved(value: Any, by: float) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, by) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, by) for item in value]
    return value + by if isinstance(value, float) and value > A_MOMENT_AFTER_2020 else value


def run(operation: Operation) -> Operation:
    """Step until it has ended."""
    for _ in range(40):
        Operation.objects.filter(pk=operation.pk, status__in=Operation.ACTIVE).update(next_step_at=timezone.now())
        step_operation(operation.pk)
        operation.refresh_from_db()
        if operation.finished_at is not None:
            return operation
    pytest.fail(f"{operation} is still {operation.status}: {operation.headline}")


def test_this_release_has_its_fixtures() -> None:
    assert FIXTURES / f"progress_{PROGRESS_VERSION}" in RELEASES


@pytest.mark.parametrize("path", [path for release in RELEASES for path in release.glob("progress_*.json")], ids=str)
def test_an_operation_under_way_is_carried_on(application: Application, aws: FakeAws, path: Path) -> None:
    operation = services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")
    progress = stored(path)
    Operation.objects.update(status="waiting", progress=progress, started_at=timezone.now())
    aws.desired = progress["wanted"]
    operation = run(operation)
    assert (operation.status, operation.error) == ("succeeded", "")
    assert (aws.split, aws.desired) == (Split(0, 100), 2)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_what_was_remembered_leads_back_to_what_stood_before(
    aws: FakeAws, application: Application, release: Path
) -> None:
    Application.objects.update(memory=stored(release / "memory.json"))
    application.refresh_from_db()
    aws.split, aws.desired = Split(0, 100), 2
    operation = services.request_operation(application, "failback", trigger="automatic", reason="calm again")
    assert run(operation).status == "succeeded"
    assert (aws.split, aws.desired) == (Split(100, 0), 1)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_a_snapshot_and_a_document_are_shown(
    db: None, release: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    application = import_document(json.loads((release / "document.json").read_text()), "checkout.toml").application
    StoredSnapshot.objects.create(
        application=application, body=stored(release / "snapshot.json"), observed_at=timezone.now()
    )
    client.force_login(User.objects.create_superuser("ana"))
    for path in ("/", "/applications/checkout/"):
        assert "All traffic on ECS" in client.get(path).content.decode()


FOREIGN: dict[str, Any] = {
    "of another shape": {"at": 1.0, "alarms": "all well"},
    "with a state of another release": {
        "at": 1.0,
        "alarms": {"value": [{"name": "a", "state": "WORRIED", "since": 1.0}], "at": 1.0, "problem": ""},
    },
    "a list": [],
}


@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_snapshot_of_a_later_release_is_as_good_as_none_and_read_anew(
    application: Application, fleet: FakeFleet, client: Client, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    StoredSnapshot.objects.create(application=application, body=body, observed_at=timezone.now())
    client.force_login(User.objects.create_superuser("ana"))
    for path in ("/", "/applications/checkout/"):
        assert client.get(path).status_code == 200
    tasks.sweep(application.pk)
    assert snapshots.latest(application) is not None


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
@pytest.mark.django_db(transaction=True)
def test_messages_that_were_on_their_way_are_taken_and_unknown_ones_stop_nobody(
    application: Application, valkey: str, tmp_path: Path, until: Until, release: Path
) -> None:
    operation = Operation.objects.create(
        application=application,
        goal="failover",
        trigger="automatic",
        reason="a test",
        document=application.document,
        progress=encode(Progress()),
        next_step_at=timezone.now(),
    )
    broker = redis.Redis.from_url(valkey)
    for message in json.loads((release / "messages.json").read_text()):
        known = message["headers"]["task"] == "operations.step"
        _push(broker, message, [operation.pk] if known else message["body"][0])
        _push(broker, message | {"headers": message["headers"] | {"task": "a.task.of.another.release"}}, [1, "more"])
    log = tmp_path / "worker.log"
    with part(log, valkey, *WORKER):
        until(lambda: Operation.objects.get().headline != "", "the step")
        until(lambda: Heartbeat.objects.filter(name="worker").exists(), "the heartbeat")
        until(lambda: "a.task.of.another.release" in log.read_text(), "a line about the unknown task")


def _push(broker: Any, message: dict[str, Any], arguments: list[Any]) -> None:
    body = json.dumps([arguments, *message["body"][1:]])
    plain = message["properties"] | {"body_encoding": None}
    broker.lpush("panel", json.dumps(message | {"body": body, "properties": plain}))
