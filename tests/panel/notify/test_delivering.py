"""Tries, crashes, floods and repetitions: nothing is lost, and nobody drowns."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from panel import dispatch
from panel.fleet.models import Application
from panel.notify import delivering, outbox, sealing, sending, targets
from panel.notify.models import Delivery, Notice, Target
from panel.notify.tasks import sweep
from tests.panel.notify.conftest import Clock, outcome
from tests.panel.receivers import Receiver, nobody

Deliver = Callable[[], None]


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(heard.body) for heard in receiver.heard]


def refuse(application: Application, rule: str = "mode", times: int = 1) -> None:
    for _ in range(times):
        outbox.tell("refused", application, subject=f"failover ({rule})", what="The mode is off.")


def test_a_target_that_never_answers_is_tried_for_hours_and_then_given_up(
    told: targets.Added, application: Application, clock: Clock, deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    Target.objects.update(address=sealing.seal(nobody()))
    refuse(application)
    tried_at = []
    for _ in range(200):
        before = outcome()[0][1]
        deliver()
        if outcome()[0][1] > before:
            tried_at.append(clock.later)
        clock.forward(minutes=5)
    assert outcome() == [("gave up", len(delivering.DELAYS) + 1)]
    gaps = [later - earlier for earlier, later in pairwise(tried_at)]
    assert gaps[2:] == sorted(gaps[2:])
    assert tried_at[-1] > timedelta(hours=6)
    assert "notification_given_up" in caplog.text


@pytest.mark.usefixtures("told")
def test_a_crash_between_sending_and_recording_sends_twice_with_one_id(
    application: Application, receiver: Receiver, clock: Clock, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(application)
    with monkeypatch.context() as crashing:
        crashing.setattr(delivering, "_delivered", _die)
        with pytest.raises(KeyboardInterrupt):
            deliver()
    deliver()
    assert (outcome(), len(receiver.heard)) == ([("waiting", 1)], 1), "it may still be on its way"
    clock.forward(seconds=61)
    deliver()
    assert outcome() == [("delivered", 2)]
    assert len({body["id"] for body in bodies(receiver)}) == 1
    assert len(receiver.heard) == 2


def _die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("told")
def test_only_one_of_two_workers_delivers(
    application: Application, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(application)
    target = Target.objects.get()
    send = sending.send

    def meanwhile(*given: Any) -> str:
        delivering.deliver(target.pk, clock)
        return send(*given)

    monkeypatch.setattr(sending, "send", meanwhile)
    delivering.deliver(target.pk, clock)
    assert (len(receiver.heard), outcome()) == (1, [("delivered", 1)])


@pytest.mark.usefixtures("told")
def test_the_same_refusal_again_is_told_at_once_and_then_counted(
    application: Application, receiver: Receiver, clock: Clock, deliver: Deliver
) -> None:
    refuse(application, times=7)
    refuse(application, "hold")
    deliver()
    assert [body["title"] for body in bodies(receiver)] == [
        "checkout: not started: failover (mode)",
        "checkout: not started: failover (hold)",
    ]
    clock.forward(minutes=11)
    deliver()
    again = bodies(receiver)[2]
    assert (again["title"], again["count"]) == ("checkout: not started: failover (mode)", 6)
    assert len(receiver.heard) == 3
    assert outcome() == [("delivered", 1)] * 3


@pytest.mark.usefixtures("told")
def test_after_the_window_the_same_is_news(application: Application) -> None:
    refuse(application)
    Notice.objects.update(due_at=timezone.now() - timedelta(minutes=11))
    refuse(application)
    assert [notice.due_at <= timezone.now() for notice in Notice.objects.all()] == [True, True]


@pytest.mark.usefixtures("told")
def test_a_flood_becomes_one_summary_with_the_critical_first(
    application: Application, receiver: Receiver, clock: Clock, deliver: Deliver
) -> None:
    for number in range(60):
        refuse(application, f"rule-{number}")
    outbox.tell("people.paged", application, what="ECS fails its traffic.")
    deliver()
    [summary] = bodies(receiver)
    assert (summary["kind"], summary["severity"]) == ("summary", "critical")
    assert summary["title"] == "61 notifications at once, 1 of them critical"
    assert summary["counts"] == {"refused": 60, "people.paged": 1}
    assert summary["notifications"][0]["title"] == "checkout: NEEDS YOU"
    assert outcome() == [("delivered", 1)] * 61
    assert Delivery.objects.filter(in_summary=True).count() == 61


@pytest.mark.usefixtures("told")
def test_beyond_ten_messages_in_five_minutes_what_comes_is_summed_up_once_a_minute(
    application: Application, receiver: Receiver, clock: Clock, deliver: Deliver
) -> None:
    for number in range(30):
        refuse(application, f"rule-{number}")
        deliver()
        clock.forward(seconds=5)
    kinds = [body["kind"] for body in bodies(receiver)]
    assert kinds[:10] == ["refused"] * 10
    assert kinds[10:] == ["summary"] * len(kinds[10:]) or kinds[10:] == ["refused", "summary"]
    assert len(kinds) <= 13
    clock.forward(minutes=6)
    refuse(application, "calm again")
    deliver()
    assert outcome() == [("delivered", 1)] * 31


@pytest.mark.usefixtures("told")
def test_a_silent_target_is_left_alone_for_a_while_and_holds_a_worker_for_one_delivery(
    application: Application, receiver: Receiver, clock: Clock, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.1)
    receiver.answers = [0]
    for number in range(5):
        refuse(application, f"rule-{number}")
    deliver()
    deliver()
    assert len(receiver.heard) == 1, "the other four wait until it has rested"
    clock.forward(seconds=16)
    deliver()
    assert len(receiver.heard) == 2
    assert delivering.ENOUGH_SECONDS + 5.0 < 10, "with a delivery that times out"


@pytest.mark.usefixtures("told")
def test_a_delivery_that_the_worker_cuts_off_is_tried_again(
    application: Application, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        raise SoftTimeLimitExceeded

    refuse(application)
    monkeypatch.setitem(sending._WAYS, Target.Way.WEBHOOK, slow)
    deliver()
    assert outcome() == [("waiting", 1)]
    assert Delivery.objects.get().error == "the log of all took longer than a delivery may take."


@pytest.mark.usefixtures("told")
def test_a_test_is_sent_at_once_although_the_target_rests_and_is_tried_once(
    application: Application, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answers = [500]
    refuse(application)
    deliver()
    target = Target.objects.get()
    assert target.rests_until is not None
    targets.test(target, by="ada")
    deliver()
    test = Delivery.objects.get(notice__kind="test")
    assert (test.status, test.tries, test.error) == ("gave up", 1, "127.0.0.1 answered 500.")


@pytest.mark.usefixtures("told")
def test_a_new_secret_key_is_a_sentence_and_not_a_crash(
    application: Application, deliver: Deliver, settings: Any
) -> None:
    refuse(application)
    settings.SECRET_KEY = "another-key-" * 5
    deliver()
    assert Delivery.objects.get().error.startswith("The panel's secret key has changed since")


@pytest.mark.usefixtures("told")
def test_a_redirect_is_told_as_what_it_is_and_not_followed(
    application: Application, receiver: Receiver, deliver: Deliver
) -> None:
    receiver.answers = ["http://169.254.169.254/latest/meta-data/"]
    refuse(application)
    deliver()
    assert Delivery.objects.get().error.startswith("127.0.0.1 answered 302. A redirect is not followed")
    assert len(receiver.heard) == 1


@pytest.mark.usefixtures("told")
def test_what_a_removed_target_was_told_stays_and_what_waited_is_given_up(application: Application) -> None:
    refuse(application)
    targets.remove(Target.objects.get())
    assert [(row.target_name, row.status, row.error) for row in Delivery.objects.all()] == [
        ("the log of all", "gave up", "The target was removed.")
    ]


@pytest.mark.usefixtures("told")
def test_the_sweep_finds_what_no_wake_up_reached(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[tuple[Any, ...]] = []
    refuse(application)
    monkeypatch.setattr(dispatch, "wake", lambda *given: woken.append(given))
    sweep()
    assert woken == [("notify.deliver", Target.objects.get().pk)]


@pytest.mark.usefixtures("told")
def test_old_notices_are_forgotten(application: Application, clock: Clock) -> None:
    refuse(application)
    delivering.forget_old(clock())
    assert Notice.objects.exists()
    clock.forward(days=91)
    delivering.forget_old(clock())
    assert not Delivery.objects.exists()
