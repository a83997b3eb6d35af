"""The panel tells of itself: what is sick, once it is for a minute, and when it is well again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from panel import beat, queues
from panel.celery import app
from panel.fleet import heartbeats
from panel.fleet.models import Application, Heartbeat
from panel.fleet.tasks import heartbeat
from panel.notify import health, outbox, targets
from panel.notify.models import Notice, Part
from tests.panel.notify.conftest import outcome
from tests.panel.receivers import Receiver

BEATS = (*heartbeats.QUEUES, heartbeats.BEAT, heartbeats.OBSERVER)


@pytest.fixture(autouse=True)
def _broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)


def alive(*names: str, **ago: float) -> None:
    for name in names:
        Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now() - timedelta(**ago)})


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("pk").values_list("kind", "subject"))


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("part", "name"), [("worker steps", "steps"), ("worker notify", "notify"), ("observer", "observer")]
)
def test_a_part_that_is_silent_for_a_minute_is_told_once_and_once_more_when_it_is_back(
    application: Application, part: str, name: str
) -> None:
    alive(*BEATS)
    alive(name, minutes=5)
    now = timezone.now()
    health.judge(health.seen_by_beat(), now)
    assert told() == [], "it may be a deployment"
    for later in (61, 70, 300):
        health.judge(health.seen_by_beat(), now + timedelta(seconds=later))
    assert told() == [("panel.sick", part)]
    alive(name)
    for later in (301, 310):
        health.judge(health.seen_by_beat(), now + timedelta(seconds=later))
    assert told() == [("panel.sick", part), ("panel.well", part)]
    assert not Part.objects.exists()


@pytest.mark.usefixtures("told")
def test_what_recovers_within_a_minute_is_not_told() -> None:
    now = timezone.now()
    health.judge({"broker": False}, now)
    health.judge({"broker": True}, now + timedelta(seconds=59))
    assert told() == []


@pytest.mark.usefixtures("told")
def test_the_workers_tell_of_a_beat_that_is_silent() -> None:
    alive(heartbeats.BEAT, minutes=5)
    heartbeat(queues.NOTIFY)
    Part.objects.update(sick_since=timezone.now() - timedelta(minutes=2))
    heartbeat(queues.STEPS)
    assert told() == []
    heartbeat(queues.NOTIFY)
    assert told() == [("panel.sick", "beat")]


@pytest.mark.usefixtures("db")
def test_only_targets_of_every_team_are_told_of_the_panel(team: Any) -> None:
    with pytest.raises(targets.Invalid, match=r"panel\.sick is nothing"):
        targets.add(team, "own", "console", "", ["panel.sick"], by="ada")


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_beat_delivers_what_is_to_be_said_of_the_panel(
    told: targets.Added, application: Application, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive(*BEATS)
    monkeypatch.setattr("panel.broker.answers", lambda: False)
    Part.objects.create(name="broker", sick_since=timezone.now() - timedelta(minutes=2))
    scheduler = beat.Scheduler(app=app, lazy=True)
    scheduler._look()
    thread = scheduler._health._thread
    assert thread is not None
    thread.join(timeout=30)
    [heard] = receiver.heard
    assert json.loads(heard.body)["title"] == "the panel itself is sick: broker"
    assert outcome() == [("delivered", 1)]
    scheduler._look()
    assert scheduler._health._thread is thread, "it looks every ten seconds"


@pytest.mark.django_db(transaction=True)
def test_with_a_worker_beat_leaves_deliveries_to_it(
    told: targets.Added, application: Application, receiver: Receiver
) -> None:
    alive(*BEATS)
    outbox.tell("panel.sick", subject="observer", what="AWS has not been read.")
    health._look()
    assert (receiver.heard, outcome()) == ([], [("waiting", 0)])
