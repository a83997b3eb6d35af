"""Operations run step by step against a fake AWS; waiting is skipped by moving the next step to now."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from failover.codec import decode
from failover.model import AlarmState, Memory, SetDesiredCount, SetSplit, Split
from failover.ports import AwsError
from panel.fleet import snapshots
from panel.fleet.models import Application
from panel.operations import journal, services
from panel.operations.models import Operation
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws

MOST_STEPS = 40


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana")


def failover(application: Application, user: User | None = None) -> Operation:
    trigger = "manual" if user else "automatic"
    return services.request_operation(application, "failover", trigger=trigger, reason="Lambda throttles", user=user)


def run(operation: Operation) -> Operation:
    """Step until it has ended."""
    for _ in range(MOST_STEPS):
        Operation.objects.filter(pk=operation.pk, status__in=Operation.ACTIVE).update(next_step_at=timezone.now())
        step_operation(operation.pk)
        operation.refresh_from_db()
        if operation.status not in Operation.ACTIVE:
            return operation
    pytest.fail(f"{operation} is still {operation.status} after {MOST_STEPS} steps: {operation.headline}")


def messages(operation: Operation, kind: str) -> list[str]:
    return [entry.message for entry in operation.journal.filter(kind=kind)]


def test_a_failover_starts_tasks_moves_weights_and_remembers_what_stood_before(
    application: Application, aws: FakeAws
) -> None:
    aws.desired = 1
    operation = run(failover(application))
    assert (operation.status, operation.error) == (Operation.Status.SUCCEEDED, "")
    assert [type(write) for write in aws.writes] == [SetDesiredCount, SetSplit]
    assert (aws.desired, aws.split) == (2, Split(0, 100))
    application.refresh_from_db()
    memory = decode(Memory, application.memory)
    assert memory.failover_automatic
    assert memory.baseline is not None
    assert memory.baseline.desired == 1
    stored = snapshots.latest(application)
    assert stored is not None
    assert stored.split == Split(0, 100)


def test_the_journal_names_each_write_with_its_request_id_and_what_was_read_back(
    application: Application, aws: FakeAws
) -> None:
    operation = run(failover(application))
    calls = operation.journal.filter(kind="call")
    assert [call.detail["request_id"] for call in calls] == ["request-1", "request-2"]
    assert messages(operation, "readback") == ["listener shows 0/100"]
    decisions = messages(operation, "decision")
    assert len(decisions) == len(set(decisions)), "a headline is journaled when it changes, not at each step"


def test_a_crash_after_the_decision_and_before_the_write_is_resumed(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = failover(application)
    with monkeypatch.context() as crashing:
        crashing.setattr(aws, "write", _die)
        with pytest.raises(KeyboardInterrupt):
            step_operation(operation.pk)
    operation.refresh_from_db()
    assert operation.progress["phase"] == "capacity", "progress is committed before AWS is written"
    assert not aws.writes

    step_operation(operation.pk)
    assert not aws.writes, "the dead worker's lease still holds"
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - journal.LEASE)
    assert run(operation).status == Operation.Status.SUCCEEDED
    assert aws.split == Split(0, 100)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_worker_that_lost_its_lease_writes_nothing(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = failover(application)
    observe = aws.observe

    def slow_observe(parts: object) -> object:
        Operation.objects.filter(pk=operation.pk).update(lease_holder="another worker", lease_version=9)
        return observe(parts)

    monkeypatch.setattr(aws, "observe", slow_observe)
    step_operation(operation.pk)
    assert not aws.writes
    operation.refresh_from_db()
    assert operation.lease_holder == "another worker", "the loser leaves the winner's lease alone"


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_only_one_gets_the_lease(application: Application) -> None:
    operation = failover(application)
    claims: list[journal.Lease | None] = []
    start = threading.Barrier(2)

    def claim() -> None:
        start.wait(timeout=10)
        claims.append(journal.Lease.claim(operation.pk))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(claim is not None for claim in claims) == [False, True]


def test_an_operation_deleted_once_it_was_claimed_ends_quietly(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = failover(application)
    claim = journal.Lease.claim

    def deleting(pk: int) -> journal.Lease | None:
        lease = claim(pk)
        Operation.objects.filter(pk=pk).delete()
        return lease

    monkeypatch.setattr(journal.Lease, "claim", deleting)
    step_operation(operation.pk)
    assert (aws.looks, aws.writes) == (0, [])


def test_it_is_not_stepped_before_its_time(application: Application, aws: FakeAws) -> None:
    operation = failover(application)
    Operation.objects.filter(pk=operation.pk).update(next_step_at=timezone.now() + timedelta(minutes=1))
    step_operation(operation.pk)
    assert aws.looks == 0


def test_a_refused_write_ends_the_operation_with_what_aws_said(application: Application, aws: FakeAws) -> None:
    aws.refusal = AwsError("denied", "AWS denies ecs:UpdateService.", "Allow it in the role's policy.")
    operation = run(failover(application))
    assert operation.status == Operation.Status.FAILED
    assert operation.error == "AWS: denied. AWS denies ecs:UpdateService. Allow it in the role's policy."
    assert operation.finished_at is not None
    assert aws.split == Split(100, 0)


def test_a_split_that_somebody_else_wrote_stops_it_and_holds_the_application(
    application: Application, aws: FakeAws
) -> None:
    operation = failover(application)
    step_operation(operation.pk)
    aws.split = Split(70, 30)
    operation = run(operation)
    assert (operation.status, operation.rule) == (Operation.Status.FAILED, "foreign_change")
    hold = services.active_hold(application)
    assert hold is not None
    assert (hold.owner, hold.rule) == ("panel", "foreign_change")
    assert "70/30" in hold.reason


def test_a_manual_failover_holds_automation_off_until_a_manual_failback(
    application: Application, aws: FakeAws, ana: User
) -> None:
    run(failover(application, ana))
    hold = services.active_hold(application)
    assert hold is not None
    assert (hold.owner, hold.rule) == ("ana", "people_first")
    application.refresh_from_db()
    back = services.request_operation(application, "failback", trigger="manual", reason="calm again", user=ana)
    back = run(back)
    assert (back.status, back.error) == (Operation.Status.SUCCEEDED, "")
    assert aws.split == Split(100, 0)
    assert services.active_hold(application) is None


def test_an_automatic_failover_leaves_no_hold(application: Application, aws: FakeAws) -> None:
    run(failover(application))
    assert services.active_hold(application) is None


def test_a_cancelled_operation_ends_and_does_not_start_again_by_itself(
    application: Application, aws: FakeAws, ana: User
) -> None:
    aws.alarm = AlarmState.ALARM
    operation = failover(application)
    step_operation(operation.pk)
    services.cancel_operation(operation, reason="a test", user=ana)
    operation = run(operation)
    assert operation.status == Operation.Status.CANCELLED
    assert "a test" in operation.error
    hold = services.active_hold(application)
    assert hold is not None
    assert hold.reason == "Cancelled by ana: a test"


def test_an_error_of_ours_is_tried_again_then_ends_with_a_hold(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(aws, "observe", broken)
    operation = failover(application)
    step_operation(operation.pk)
    operation.refresh_from_db()
    assert operation.status in Operation.ACTIVE
    assert "a bug" in operation.detail
    operation = run(operation)
    assert operation.status == Operation.Status.FAILED
    assert "ZeroDivisionError: a bug" in operation.error
    assert services.active_hold(application) is not None


def test_the_policy_of_an_operation_is_frozen(application: Application, aws: FakeAws) -> None:
    operation = failover(application)
    application.document["policy"]["failover_count"] = 9
    application.save()
    run(operation)
    assert aws.desired == 2


def test_progress_of_a_newer_panel_ends_where_it_stands_with_a_sentence(application: Application, aws: FakeAws) -> None:
    operation = failover(application)
    Operation.objects.filter(pk=operation.pk).update(progress={"version": 99, "phase": "shift", "marks": "other"})
    operation = run(operation)
    assert operation.status == Operation.Status.FAILED
    assert "Another version of this program" in operation.error
    assert not aws.writes
