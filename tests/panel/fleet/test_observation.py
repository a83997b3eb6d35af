"""Looking at AWS, for one application or for a scope: one worker at a time, and no dead worker keeps others off."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError
from django.utils import timezone

from failover.model import AlarmState, Part, Snapshot
from panel import dispatch
from panel.fleet import heartbeats, snapshots, tasks
from panel.fleet.models import Application
from panel.fleet.observation import by_scope, observe, rested, sweep
from panel.operations import automatic
from panel.operations.models import Operation
from tests.panel.fake_aws import FakeAws, FakeFleet
from tests.panel.fleet.siblings import another


def claim(application: Application, seconds: float) -> None:
    Application.objects.update(observing_until=timezone.now() + timedelta(seconds=seconds))


def test_a_look_is_stored_and_shows_that_the_observer_lives(application: Application, aws: FakeAws) -> None:
    snapshot = observe(application)
    assert snapshot == snapshots.latest(application)
    assert heartbeats.read()["observer"].ok


def test_two_workers_never_read_one_application_at_once(application: Application, aws: FakeAws) -> None:
    claim(application, 10)
    assert observe(application) is None
    assert aws.looks == 0


def test_of_an_account_and_region_one_application_is_read_at_a_time(
    application: Application, document: dict[str, Any], aws: FakeAws
) -> None:
    near, far = another(copy.deepcopy(document), "near"), another(copy.deepcopy(document), "far", region="eu-west-1")
    seen = []

    def while_reading(parts: object) -> object:
        aws.observe = look  # the ones within read as ever
        seen.extend([observe(near), observe(far)])
        return look(parts)

    look, aws.observe = aws.observe, while_reading
    assert observe(application) is not None
    assert [snapshot is not None for snapshot in seen] == [False, True]


def test_an_account_that_was_slow_rests_and_one_that_was_fast_does_not() -> None:
    began = timezone.now()
    assert rested(began, began + timedelta(seconds=4)) is None
    assert rested(began, began + timedelta(seconds=6)) == began + timedelta(seconds=6 + 12)
    assert rested(began, began + timedelta(seconds=25)) == began + timedelta(seconds=25 + 20)


def test_the_claim_of_a_dead_worker_ends(application: Application, aws: FakeAws) -> None:
    claim(application, -1)
    assert observe(application) is not None


def test_a_look_that_fails_leaves_no_claim(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as failing:
        failing.setattr(aws, "observe", broken)
        with pytest.raises(ZeroDivisionError):
            observe(application)
    assert observe(application) is not None


def test_a_part_that_can_not_be_read_is_unknown_and_the_others_are_known(
    application: Application, aws: FakeAws
) -> None:
    aws.problems[Part.TARGETS] = "Throttling"
    snapshot = observe(application)
    assert snapshot is not None
    assert (snapshot.targets.value, snapshot.targets.problem) == (None, "Throttling")
    assert snapshot.service.value is not None


def test_an_aws_that_stays_silent_is_unknown_as_a_whole(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: object) -> None:
        raise SoftTimeLimitExceeded  # what Celery raises in a task that takes too long

    observe(application)
    monkeypatch.setattr(aws, "observe", silent)
    snapshot = observe(application)
    assert snapshot is not None
    assert (snapshot.alarms.value, snapshot.alarms.problem) == (None, "AWS did not answer in time")
    assert (snapshot.limits.value, snapshot.position) == (None, "unknown")


# ---- the sweep ----


def test_an_application_in_alarm_starts_a_failover_when_its_scope_is_swept(
    application: Application, aws: FakeAws, fleet: FakeFleet
) -> None:
    aws.alarm = AlarmState.ALARM
    tasks.sweep(application.pk)
    assert Operation.objects.get().goal == "failover"
    assert heartbeats.read()["observer"].ok
    tasks.sweep(application.pk)
    assert fleet.busy == [frozenset(), frozenset({"checkout"})]


def test_one_sweep_looks_at_everything_in_an_account_and_region_through_one_role(
    application: Application, document: dict[str, Any], fleet: FakeFleet
) -> None:
    near = another(copy.deepcopy(document), "near")
    far = another(copy.deepcopy(document), "far", region="eu-west-1")
    other = another(copy.deepcopy(document), "other", role_arn="arn:aws:iam::123456789012:role/other")
    groups = by_scope(Application.objects.all())
    assert sorted(sorted(each.slug for each in group) for group in groups) == [["checkout", "near"], ["far"], ["other"]]
    tasks.sweep(near.pk)
    assert [snapshots.latest(each) is not None for each in (application, near, far, other)] == [
        True,
        True,
        False,
        False,
    ]


def test_an_unsound_document_keeps_nobody_else_from_being_looked_at(
    application: Application, document: dict[str, Any], fleet: FakeFleet
) -> None:
    broken = another(copy.deepcopy(document), "broken")
    Application.objects.filter(pk=broken.pk).update(document={"application": {}})
    tasks.sweep(application.pk)
    tasks.sweep(broken.pk)
    assert snapshots.latest(application) is not None


def test_two_workers_never_sweep_one_application_at_once(application: Application, fleet: FakeFleet) -> None:
    Application.objects.update(sweeping_until=timezone.now() + timedelta(seconds=10))
    assert sweep([application]) == {}
    Application.objects.update(sweeping_until=timezone.now() - timedelta(seconds=1))
    assert list(sweep([application])) == [application]
    application.refresh_from_db()
    assert application.sweeping_until is None


def test_an_event_does_not_wait_for_a_sweep(application: Application, fleet: FakeFleet) -> None:
    Application.objects.update(sweeping_until=timezone.now() + timedelta(seconds=10))
    assert observe(application) is not None


def test_a_sweep_that_takes_too_long_leaves_everything_unknown(
    application: Application, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> None:
        raise SoftTimeLimitExceeded  # what Celery raises in a task that takes too long

    monkeypatch.setattr(fleet, "observe", silent)
    (snapshot,) = sweep([application]).values()
    assert (snapshot.alarms.value, snapshot.alarms.problem) == (None, "AWS did not answer in time")


def test_one_application_that_can_not_be_considered_does_not_stop_its_neighbours(
    application: Application,
    document: dict[str, Any],
    fleet: FakeFleet,
    aws: FakeAws,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    another(document, "near")
    aws.alarm, considered = AlarmState.ALARM, []

    def consider(one: Application, *_: object, **__: object) -> None:
        considered.append(one.slug)
        raise ZeroDivisionError

    monkeypatch.setattr(automatic, "consider", consider)
    tasks.sweep(application.pk)
    assert sorted(considered) == ["checkout", "near"]


def test_a_sample_that_can_not_be_kept_keeps_no_failover_back(
    application: Application, fleet: FakeFleet, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("panel.fleet.history.record_together", locked)
    aws.alarm = AlarmState.ALARM
    tasks.sweep(application.pk)
    assert Operation.objects.get().goal == "failover"


def test_a_deleted_application_is_no_error(fleet: FakeFleet, aws: FakeAws, application: Application) -> None:
    application.delete()
    tasks.sweep(1)
    assert aws.looks == 0


def test_only_scopes_with_something_to_look_at_are_swept(
    application: Application, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(dispatch, "wake", lambda task, pk, **_: woken.append((task, pk)))
    tasks.observe_all()
    tasks.sweep(application.pk)
    tasks.observe_all()
    assert woken == [("fleet.sweep", application.pk)]


@pytest.mark.django_db(transaction=True)
def test_an_application_deleted_while_it_is_swept_keeps_no_neighbour_from_being_stored(
    application: Application, document: dict[str, Any], fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign key is judged at the end of the transaction."""
    near = another(copy.deepcopy(document), "near")
    look = fleet.observe

    def deleting(*given: Any) -> dict[str, Snapshot]:
        Application.objects.filter(pk=application.pk).delete()
        return look(*given)

    monkeypatch.setattr(fleet, "observe", deleting)
    assert list(sweep([application, near])) == [near]
    assert snapshots.latest(near) is not None


@pytest.mark.django_db(transaction=True)
def test_an_application_deleted_while_it_is_looked_at_is_no_error(
    application: Application, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = aws.observe

    def deleting(*given: Any) -> Snapshot:
        Application.objects.filter(pk=application.pk).delete()
        return look(*given)

    monkeypatch.setattr(aws, "observe", deleting)
    assert observe(application) is None
