"""What becomes of a stored event: the alarm as re-read decides, and the event says what became of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from failover.model import AlarmState, Snapshot
from panel import dispatch
from panel.fleet.models import Application
from panel.ingest import processing, tasks
from panel.ingest.models import Event
from panel.ingest.processing import process, process_waiting
from panel.operations import automatic, services
from panel.operations.models import Operation, Refusal
from tests.panel.fake_aws import FakeAws
from tests.panel.ingest.conftest import Deliver, alarm_event


@pytest.fixture
def event(application: Application, aws: FakeAws, deliver: Deliver) -> Event:
    """An alarm's change to ALARM, just delivered."""
    deliver(alarm_event())
    return Event.objects.get()


def outcome(event: Event) -> str:
    event.refresh_from_db()
    process(event)
    event.refresh_from_db()
    assert (event.status, event.processed_at is not None) == ("processed", True)
    return event.outcome


def test_an_alarm_that_still_stands_starts_a_failover(event: Event, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    said = outcome(event)
    assert said.startswith(f"checkout: Started failover #{Operation.objects.get().pk}: Alarm busy is in ALARM")


def test_an_alarm_that_has_passed_starts_nothing(event: Event, aws: FakeAws) -> None:
    assert outcome(event) == "checkout: Nothing to do: busy is OK, and traffic is on lambda."
    assert not Operation.objects.exists()


def test_a_refused_trigger_is_explained_and_counted(event: Event, aws: FakeAws, application: Application) -> None:
    aws.alarm = AlarmState.ALARM
    services.place_hold(application, owner="ana", reason="deploying", minutes=5)
    assert "No failover was started (hold)" in outcome(event)
    assert Refusal.objects.get().count == 1


def test_a_stale_event_changes_nothing_and_says_why(event: Event, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM
    Event.objects.update(happened_at=timezone.now() - timedelta(hours=2))
    assert "max_event_age_seconds (900)" in outcome(event)
    assert not Operation.objects.exists()


def test_an_event_is_processed_once(event: Event, aws: FakeAws) -> None:
    outcome(event)
    looks = aws.looks
    assert process(event)
    assert aws.looks == looks


def test_a_flood_of_events_reads_aws_once(event: Event, aws: FakeAws, deliver: Deliver) -> None:
    for number in range(20):
        deliver(alarm_event(id=f"event-{number}"))
    process_waiting(event.applications.get().pk)
    assert aws.looks == 1
    assert not Event.objects.filter(status="stored").exists()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that are woken from here on."""
    found: list[int] = []
    monkeypatch.setattr(dispatch, "wake", lambda _task, pk, *_seconds: found.append(pk))
    return found


def test_while_another_worker_reads_the_event_is_tried_again(event: Event, aws: FakeAws, woken: list[int]) -> None:
    Application.objects.update(observing_until=timezone.now() + timedelta(seconds=10))
    process_waiting(event.applications.get().pk)
    event.refresh_from_db()
    assert (event.status, woken) == ("stored", [event.applications.get().pk])


def test_two_workers_at_one_event_do_it_once(
    event: Event, aws: FakeAws, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.alarm = AlarmState.ALARM
    services.place_hold(application, owner="ana", reason="deploying", minutes=5)
    read = processing.observe

    def while_the_other_is_faster(found: Application) -> Snapshot | None:
        monkeypatch.setattr(processing, "observe", read)
        assert process(event)
        return read(found)

    monkeypatch.setattr(processing, "observe", while_the_other_is_faster)
    assert process(event)
    assert Refusal.objects.get().count == 1


def test_a_worker_that_dies_over_an_event_leaves_it_to_another(
    event: Event, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.alarm = AlarmState.ALARM
    consider = automatic.consider

    def die_after_it(*arguments: Any, **options: Any) -> None:
        consider(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(automatic, "consider", die_after_it)
        with pytest.raises(KeyboardInterrupt):
            process(event)
    assert not Operation.objects.exists()
    assert "Started failover" in outcome(event)


def test_an_event_that_waits_for_long_is_left_to_the_sweep(event: Event, aws: FakeAws, woken: list[int]) -> None:
    """Each of the sweep's wake-ups would else begin a chain of its own."""
    Application.objects.update(observing_until=timezone.now() + timedelta(seconds=10))
    Event.objects.update(received_at=timezone.now() - timedelta(seconds=5))
    application = event.applications.get().pk
    process_waiting(application)
    assert woken == []
    tasks.sweep()
    assert woken == [application]


def test_the_sweep_finds_events_whose_wake_up_was_lost(event: Event, woken: list[int]) -> None:
    tasks.sweep()
    assert not woken, "it has just come; its own wake-up is on the way"
    Event.objects.update(received_at=timezone.now() - timedelta(seconds=5))
    tasks.sweep()
    assert woken == [event.applications.get().pk]
