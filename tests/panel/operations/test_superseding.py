"""One operation in another's place: the old one is fenced, and the new one begins when no write can be on its way."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from failover.leases import LEASE_SECONDS
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.journal import Lease
from panel.operations.models import Operation, Refusal
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws
from tests.panel.operations.test_stepping import failover, run


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana")


def supersede(old: Operation, ana: User) -> Operation:
    return services.supersede_operation(old, "failback", reason="not now", user=ana)


def test_between_two_steps_nobody_writes_and_the_new_one_begins_at_once(
    application: Application, aws: FakeAws, ana: User
) -> None:
    old = failover(application)
    step_operation(old.pk)
    new = supersede(old, ana)
    assert new.next_step_at is not None
    assert new.next_step_at <= timezone.now()
    old.refresh_from_db()
    assert (old.status, old.error, new.supersedes) == ("superseded", "Superseded by ana: not now", old)
    assert f"In place of failover #{old.pk}." in new.journal.get().message


def test_a_worker_that_died_in_its_step_is_waited_for_until_its_lease_is_free(
    application: Application, aws: FakeAws, ana: User
) -> None:
    old = failover(application)
    assert Lease.claim(old.pk) is not None
    old.refresh_from_db()
    assert old.lease_until is not None
    new = supersede(old, ana)
    assert new.next_step_at == pytest.approx(
        old.lease_until + timedelta(seconds=LEASE_SECONDS), abs=timedelta(milliseconds=1)
    )
    step_operation(new.pk)
    assert aws.looks == 0


def test_a_lease_that_ran_out_lately_is_waited_for_as_long_as_any_other_holder_waits(
    application: Application, ana: User
) -> None:
    old = failover(application)
    ran_out = timezone.now() - timedelta(seconds=LEASE_SECONDS / 2)
    Operation.objects.update(lease_holder="dead", lease_until=ran_out, lease_version=1)
    new = supersede(old, ana)
    assert new.next_step_at == pytest.approx(ran_out + timedelta(seconds=LEASE_SECONDS), abs=timedelta(milliseconds=1))


@pytest.fixture
def superseded_in_its_step(
    application: Application, aws: FakeAws, ana: User, monkeypatch: pytest.MonkeyPatch
) -> tuple[Operation, list[Operation]]:
    """A failover that is superseded while its worker reads AWS, right before a write."""
    aws.desired = 1
    old, started, observe = failover(application), [], aws.observe

    def supersede_meanwhile(parts: object) -> object:
        if not started:
            started.append(supersede(Operation.objects.get(pk=old.pk), ana))
            assert started[0].next_step_at > timezone.now() + timedelta(seconds=LEASE_SECONDS)
        return observe(parts)

    monkeypatch.setattr(aws, "observe", supersede_meanwhile)
    return old, started


def test_the_old_ones_worker_writes_nothing_more_and_makes_way(
    aws: FakeAws, superseded_in_its_step: tuple[Operation, list[Operation]]
) -> None:
    old, started = superseded_in_its_step
    step_operation(old.pk)
    assert not aws.writes
    (new,) = started
    new.refresh_from_db()
    assert new.next_step_at is not None
    assert new.next_step_at <= timezone.now(), "the step that was waited for is over"
    assert run(new).status == Operation.Status.SUCCEEDED


def test_a_worker_that_had_lost_the_lease_before_can_not_make_way_for_who_has_it_now(
    aws: FakeAws, superseded_in_its_step: tuple[Operation, list[Operation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, started = superseded_in_its_step
    observe = aws.observe

    def followed_then_superseded(parts: object) -> object:
        Operation.objects.filter(pk=old.pk).update(lease_holder="another worker", lease_version=9)
        return observe(parts)

    monkeypatch.setattr(aws, "observe", followed_then_superseded)
    step_operation(old.pk)
    (new,) = started
    new.refresh_from_db()
    assert new.next_step_at is not None
    assert new.next_step_at > timezone.now() + timedelta(seconds=LEASE_SECONDS)


def test_what_a_superseded_operation_knew_of_before_is_restored_by_the_one_after_it(
    application: Application, aws: FakeAws, ana: User
) -> None:
    aws.desired = 1
    old = failover(application)
    step_operation(old.pk)
    assert aws.desired == 2
    new = run(supersede(old, ana))
    assert (new.status, aws.desired) == (Operation.Status.SUCCEEDED, 1)


def test_what_has_ended_can_not_be_superseded_and_that_is_recorded(application: Application, ana: User) -> None:
    old = failover(application)
    Operation.objects.update(status="succeeded", finished_at=timezone.now())
    with pytest.raises(services.Refused, match="has ended already"):
        supersede(old, ana)
    assert Operation.objects.count() == 1
    assert Refusal.objects.get().rule == "ended"


def test_without_a_reason_the_old_one_goes_on(application: Application, ana: User) -> None:
    old = failover(application)
    with pytest.raises(services.Invalid):
        services.supersede_operation(old, "failback", reason=" ", user=ana)
    old.refresh_from_db()
    assert old.status == "queued"


def test_the_one_after_the_next_waits_for_the_same_worker(
    application: Application, aws: FakeAws, superseded_in_its_step: tuple[Operation, list[Operation]], ana: User
) -> None:
    """A's worker is in its write; B takes A's place and never begins; C takes B's."""
    old, started = superseded_in_its_step
    observe = aws.observe

    def superseded_twice(parts: object) -> object:
        answer = observe(parts)
        if len(started) == 1:
            started.append(services.supersede_operation(started[0], "failover", reason="no, do", user=ana))
            last = started[1]
            assert last.next_step_at is not None
            assert last.next_step_at > timezone.now() + timedelta(seconds=LEASE_SECONDS)
            Operation.objects.filter(pk=last.pk).update(next_step_at=timezone.now())
            assert Lease.claim(last.pk) is None, "woken early it still waits"
        return answer

    aws.observe = superseded_twice  # type: ignore[method-assign]
    step_operation(old.pk)
    assert not aws.writes
    last = started[1]
    last.refresh_from_db()
    assert last.next_step_at is not None
    assert last.next_step_at <= timezone.now(), "the step that was waited for is over"
    assert Lease.claim(last.pk) is not None


def test_what_is_started_after_a_cancelled_successor_waits_for_the_worker_before_it(
    application: Application, ana: User
) -> None:
    old = failover(application)
    assert Lease.claim(old.pk) is not None
    between = supersede(old, ana)
    services.cancel_operation(between, reason="never mind", user=ana)
    assert Lease.claim(between.pk) is None, "to cancel it hurries nobody"
    Operation.objects.filter(pk=between.pk).update(status="cancelled", finished_at=timezone.now())
    last = failover(application, ana)
    assert Lease.claim(last.pk) is None
    ran_out = timezone.now() - timedelta(seconds=LEASE_SECONDS + 1)
    Operation.objects.filter(pk=old.pk).update(lease_until=ran_out)
    assert Lease.claim(last.pk) is not None
