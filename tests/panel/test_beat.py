"""Beat shows that it lives as it ticks."""

import pytest
from django.db import DatabaseError

from panel.beat import Scheduler
from panel.celery import app
from panel.fleet import heartbeats


@pytest.mark.django_db(transaction=True)
def test_a_tick_is_a_sign_of_life() -> None:
    scheduler = Scheduler(app, lazy=True)
    assert not heartbeats.read()["beat"].ok
    scheduler.tick()
    assert heartbeats.read()["beat"].ok


@pytest.mark.django_db(transaction=True)
def test_beat_goes_on_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise DatabaseError

    monkeypatch.setattr(heartbeats, "show", fail)
    assert Scheduler(app, lazy=True).tick() >= 0


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled <= set(app.tasks)
