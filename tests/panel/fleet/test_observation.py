"""Looking at AWS: one worker at a time, and no worker's death keeps others from it."""

from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from failover.model import AlarmState, Part
from panel.fleet import heartbeats, snapshots, tasks
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.operations.models import Operation
from tests.panel.fake_aws import FakeAws


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


def test_looking_at_an_application_in_alarm_starts_a_failover(application: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    tasks.observe_one(application.pk)
    assert Operation.objects.get().goal == "failover"


def test_a_deleted_application_is_no_error(aws: FakeAws, application: Application) -> None:
    application.delete()
    tasks.observe_one(1)
    assert aws.looks == 0
