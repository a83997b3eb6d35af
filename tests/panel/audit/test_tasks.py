"""What beat asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from panel import audit
from panel.audit import Action, denials, tasks
from panel.audit.models import Entry, Tally
from panel.celery import app

pytestmark = pytest.mark.django_db


def test_beat_asks_for_both_tasks_and_a_worker_knows_them() -> None:
    app.loader.import_default_modules()
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert {tasks.close_windows.name, tasks.forget_old.name} <= asked
    assert asked <= set(app.tasks)


def test_a_minute_that_is_over_is_told() -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=2)
    Tally.objects.create(action="denied", address="192.0.2.7", count=7, opened_at=long_ago)
    Tally.objects.create(action="denied", address="192.0.2.8", count=7, opened_at=datetime.now(UTC))

    tasks.close_windows()

    entry = Entry.objects.get()
    assert (entry.address, entry.after["count"]) == ("192.0.2.7", 7)


def test_what_is_older_than_the_setting_goes(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("panel.audit.chain.timezone.now", lambda: datetime.now(UTC) - timedelta(days=9))
        audit.record(Action.LOGIN, actor="ada")

    settings.PANEL_AUDIT_DAYS = 30
    tasks.forget_old()
    assert Entry.objects.get().actor == "ada"
    settings.PANEL_AUDIT_DAYS = 7
    tasks.forget_old()

    assert Entry.objects.get().action == "audit.checkpoint"


def test_denials_that_another_process_counts_meanwhile_are_not_lost() -> None:
    opened = datetime.now(UTC) - timedelta(minutes=2)
    denial = denials.Denial("denied", "", "192.0.2.7", "webhook")
    Tally.objects.create(**vars(denial), count=3, opened_at=opened)

    tasks.close_windows()
    denials._write(denial, denials.Noted(2, "", ""), datetime.now(UTC))

    assert Tally.objects.get().count == 2
    assert Entry.objects.get().after["count"] == 3
