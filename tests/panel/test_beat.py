"""Beat shows that it lives as it ticks, and of several beats one works."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from panel import dispatch
from panel.beat import Scheduler
from panel.celery import app
from panel.fleet import heartbeats
from panel.fleet.models import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


class Beat(Scheduler):
    """Looks at its lease at each tick."""

    def __init__(self) -> None:
        super().__init__(app)

    def works(self, ticks: list[str]) -> bool:
        """Whether a tick sends what is due."""
        ticks.clear()
        self._heap, self._looked_at = None, 0.0
        for entry in self.schedule.values():
            entry.last_run_at = timezone.now() - timedelta(hours=1)
        self.tick()
        return bool(ticks)


@pytest.fixture(autouse=True)
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(dispatch, "tick", lambda task, _expires: found.append(task))
    return found


def fall_silent() -> None:
    long_ago = timezone.now() - timedelta(seconds=heartbeats.LEASE_SECONDS + 1)
    Heartbeat.objects.filter(name="beat").update(at=long_ago)


def test_a_tick_is_a_sign_of_life() -> None:
    assert not heartbeats.read()["beat"].ok
    Beat().tick()
    assert heartbeats.read()["beat"].ok


def test_a_second_beat_stands_by_and_says_so_once(ticks: list[str], caplog: pytest.LogCaptureFixture) -> None:
    first, second = Beat(), Beat()
    worked = [each.works(ticks) for each in (first, second, second, first)]
    assert worked == [True, False, False, True]
    said = [record.getMessage() for record in caplog.records if "beat_stands_by" in record.getMessage()]
    assert len(said) == 1
    assert first.holder in said[0]


def test_a_beat_that_ends_hands_over_at_once(ticks: list[str]) -> None:
    first, second = Beat(), Beat()
    assert (first.works(ticks), second.works(ticks)) == (True, False)
    first.close()
    assert second.works(ticks)


def test_a_beat_that_was_killed_is_replaced_and_steps_back_if_it_was_only_paused(ticks: list[str]) -> None:
    first, second = Beat(), Beat()
    assert first.works(ticks)
    fall_silent()
    assert (second.works(ticks), first.works(ticks)) == (True, False)


def test_a_beat_of_the_release_before_is_taken_over_from(ticks: list[str]) -> None:
    heartbeats.show("beat")
    assert Beat().works(ticks)


def test_without_a_database_a_beat_that_worked_goes_on_and_one_that_stood_by_stands_by(
    ticks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Beat(), Beat()
    assert (first.works(ticks), second.works(ticks)) == (True, False)

    def fail(*_: str) -> None:
        raise DatabaseError

    monkeypatch.setattr(heartbeats, "hold", fail)
    assert (first.works(ticks), second.works(ticks)) == (True, False)


def test_every_scheduled_task_exists_and_expires() -> None:
    app.loader.import_default_modules()
    entries = app.conf.beat_schedule.values()
    assert {entry["task"] for entry in entries} <= set(app.tasks)
    assert all(entry["options"]["expires"] <= entry["schedule"] for entry in entries)
