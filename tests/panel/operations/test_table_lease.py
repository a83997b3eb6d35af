"""The lease in DynamoDB around an operation's own: unmodified boto3 against the lab's tables, in virtual time."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from failover.aws.lease import LeaseHeldError, TableLease
from failover.codec import decode, encode
from failover.leases import LEASE_SECONDS, Unshared
from failover.model import Baseline, Goal, Memory, Progress, Request, Split
from failover.state import State, stored_state
from lab.virtual import VirtualLab
from lab.worldfile import load
from panel.audit.models import Entry
from panel.fleet import connections
from panel.fleet.applications import configuration, import_document
from panel.fleet.models import Application
from panel.operations import services, table_lease
from panel.operations.models import Operation
from panel.operations.stepping import MOST_FAILED_STEPS, step_operation
from tests.lab.on_virtual import Wire
from tests.panel.fake_aws import FakeAws
from tests.panel.operations.test_stepping import failover, messages, run

WORLD = """
[applications.checkout]

[[tables]]
name = "leases"
key = "application"
"""


@pytest.fixture
def lab(tmp_path: Path) -> VirtualLab:
    (tmp_path / "world.toml").write_text(WORLD, encoding="utf-8")
    return VirtualLab(load(tmp_path / "world.toml"))


@pytest.fixture
def dynamodb(lab: VirtualLab, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = Wire(lab).client("dynamodb")
    monkeypatch.setattr(connections, "lease_client", lambda _: client)
    return client


@pytest.fixture
def shared(application: Application, document: dict[str, Any], dynamodb: Any) -> Application:
    """The application, beside which another controller may act."""
    document["application"]["lease_table"] = "leases"
    return import_document(document, "checkout.toml").application


@pytest.fixture
def other(dynamodb: Any) -> TableLease:
    """Another controller, that knows of the table and not of the panel."""
    return TableLease(dynamodb, "leases", "checkout", holder="a Lambda controller")


def again(operation: Operation) -> Operation:
    Operation.objects.filter(pk=operation.pk).update(next_step_at=timezone.now())
    step_operation(operation.pk)
    operation.refresh_from_db()
    return operation


def test_an_operation_holds_the_lease_from_its_first_step_to_its_end(
    shared: Application, aws: FakeAws, other: TableLease
) -> None:
    operation = again(failover(shared))
    assert operation.status in Operation.ACTIVE
    assert aws.writes
    with pytest.raises(LeaseHeldError, match=r"panel-[0-9a-f]{12} is changing this application"):
        other.claim()
    assert run(operation).status == Operation.Status.SUCCEEDED
    other.claim()


def test_while_another_controller_holds_it_the_operation_waits_with_a_sentence_and_goes_on_after(
    shared: Application, aws: FakeAws, other: TableLease
) -> None:
    other.claim()
    operation = again(again(failover(shared)))
    assert (operation.status, operation.headline) == ("waiting", "Waiting for the lease in DynamoDB")
    assert operation.detail.startswith("a Lambda controller is changing this application; free in")
    assert messages(operation, "decision") == ["Waiting for the lease in DynamoDB"]
    assert (aws.looks, aws.writes) == (0, [])
    assert operation.lease_until is None, "the operation's own lease was given back"
    other.release()
    assert run(operation).status == Operation.Status.SUCCEEDED


def test_a_lease_that_is_taken_away_in_the_middle_of_a_step_stops_its_writes(
    shared: Application, aws: FakeAws, other: TableLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step lasted so long that the lease ran out, and somebody followed."""
    operation, observe = failover(shared), aws.observe

    def overtaken(parts: object) -> object:
        late = TableLease(other.dynamodb, "leases", "checkout", lambda: timezone.now().timestamp() + 2 * LEASE_SECONDS)
        late.claim()
        return observe(parts)

    monkeypatch.setattr(aws, "observe", overtaken)
    again(operation)
    assert not aws.writes
    assert operation.headline == "Waiting for the lease in DynamoDB"


def test_no_more_is_left_to_write_in_than_either_lease_has(shared: Application) -> None:
    own = Unshared()
    taken = table_lease.take(configuration(shared), own)
    assert taken is not None
    taken.table.clock = lambda: time.time() + LEASE_SECONDS - 5
    assert 0 < taken.seconds_left() <= 5
    own.seconds_left = lambda: 1.0  # type: ignore[method-assign]
    assert taken.seconds_left() == 1


def test_a_dynamodb_that_does_not_answer_is_waited_for(shared: Application, aws: FakeAws, lab: VirtualLab) -> None:
    lab.faults.set("api_silent", ["dynamodb"])
    operation = again(failover(shared))
    assert operation.headline == "Waiting for the lease in DynamoDB"
    assert not aws.writes
    lab.faults.clear()
    assert run(operation).status == Operation.Status.SUCCEEDED


def test_the_wait_ends_at_its_deadline_without_a_write(
    shared: Application, aws: FakeAws, other: TableLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.claim()
    operation = failover(shared)
    policy = configuration(shared).policy
    Operation.objects.update(failed_steps=int(policy.scale_deadline_seconds + 120) // 5)
    again(operation)
    assert (operation.status, operation.rule) == (Operation.Status.FAILED, "single_writer")
    assert "a Lambda controller is changing this application" in operation.error
    assert not aws.writes
    recorded = Entry.objects.get(action="operation.end")
    assert recorded.after == {"status": "failed", "rule": "single_writer"}


def test_a_wait_can_be_cancelled(shared: Application, aws: FakeAws, other: TableLease) -> None:
    other.claim()
    operation = again(failover(shared))
    services.cancel_operation(operation, reason="changed my mind", user=User.objects.create_user("ana"))
    assert again(operation).status == Operation.Status.CANCELLED
    assert not aws.writes


def test_an_operation_in_anothers_place_needs_not_wait_for_its_own_panel(shared: Application, aws: FakeAws) -> None:
    old = again(failover(shared))
    new = services.supersede_operation(old, "failback", reason="not now", user=User.objects.create_user("ana"))
    assert run(new).status == Operation.Status.SUCCEEDED


def test_the_next_holder_finds_what_stood_before_as_soon_as_anything_was_written(
    shared: Application, aws: FakeAws, other: TableLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.desired = 1
    operation = failover(shared)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(aws, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        step_operation(operation.pk)
    assert stored_state(_item(other)).memory.baseline == Baseline(1)


def _item(lease: TableLease) -> dict[str, Any]:
    """The state in the item, read by somebody for whom the lease has long run out."""
    later = TableLease(lease.dynamodb, "leases", "checkout", lambda: timezone.now().timestamp() + 2 * LEASE_SECONDS)
    later.claim()
    return later.state


def test_an_ended_operation_leaves_what_the_panel_remembers_in_the_item(
    shared: Application, aws: FakeAws, other: TableLease
) -> None:
    run(failover(shared))
    shared.refresh_from_db()
    other.claim()
    assert stored_state(other.state).memory == decode(Memory, shared.memory)
    assert dict(stored_state(other.state).memory.left).popitem()[1] == Split(0, 100)


def test_what_another_controller_changed_last_is_restored_by_the_panels_failback(
    shared: Application, aws: FakeAws, other: TableLease
) -> None:
    aws.desired, aws.split = 4, Split(0, 100)
    other.claim()
    other.state = encode(State(memory=Memory(baseline=Baseline(1), left_at=timezone.now().timestamp())))
    other.release()
    back = services.request_operation(shared, "failback", trigger="manual", reason="calm again")
    assert run(back).status == Operation.Status.SUCCEEDED
    assert aws.desired == 1


def test_what_another_controller_has_under_way_is_replaced_and_named(
    shared: Application, aws: FakeAws, other: TableLease
) -> None:
    other.claim()
    waiting = Progress(memory=Memory(baseline=Baseline(3)))
    begun = State().begun(configuration(shared), Request(Goal.FAILOVER, automatic=True), "an alarm", waiting)
    other.state = encode(begun)
    other.release()
    aws.desired = 4
    operation = run(services.request_operation(shared, "failback", trigger="manual", reason="not now"))
    assert "Takes the place of the failover that a controller beside it has under way." in messages(operation, "note")
    assert aws.desired == 3
    other.claim()
    assert stored_state(other.state).operation is None


def test_an_item_of_a_newer_controller_is_left_to_it(shared: Application, aws: FakeAws, other: TableLease) -> None:
    other.claim()
    other.state = {"version": 99}
    other.release()
    operation = again(failover(shared))
    assert operation.detail.startswith("The lease item's state was written by another version of this program")
    assert not aws.writes
    other.claim()
    assert other.state == {"version": 99}


def test_without_a_table_none_is_asked(application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_: object) -> None:
        pytest.fail("no table is named")

    monkeypatch.setattr(connections, "lease_client", asked)
    assert run(failover(application)).status == Operation.Status.SUCCEEDED


def test_an_error_of_ours_still_ends_the_operation(
    shared: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(aws, "observe", broken)
    operation = failover(shared)
    Operation.objects.update(failed_steps=MOST_FAILED_STEPS)
    assert "ZeroDivisionError: a bug" in again(operation).error
