from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.html import strip_tags

from failover.codec import encode
from failover.model import AlarmState, Memory, Reading, Snapshot, Split
from panel.fleet.models import Application
from panel.operations.models import Hold, KillSwitch, Operation, Refusal
from panel.web import sentences
from panel.web.standing import Standing
from tests.panel.web import examples

NOW = examples.NOW
MOMENT = datetime.fromtimestamp(NOW, UTC)
CHECKOUT = Application(pk=1, slug="checkout", name="Checkout", mode="auto")


def standing(snapshot: Snapshot | None, **values: object) -> Standing:
    return Standing(**({"application": CHECKOUT, "snapshot": snapshot, "now": NOW} | values))


def told(shown: Standing) -> str:
    return strip_tags(sentences.situation(shown))


def refused(goal: str, **values: object) -> Refusal:
    return Refusal(goal=goal, rule="demand", reason="projected concurrency is 72", last_at=MOMENT, **values)


def ended(goal: str, status: str = "succeeded", **values: object) -> Operation:
    known = {
        "trigger": "automatic",
        "reason": "alarm busy is in ALARM: crossed",
        "finished_at": MOMENT - timedelta(minutes=13),
    }
    return Operation(pk=12, goal=goal, status=status, **(known | values))


def test_calm_is_said_in_four_words() -> None:
    assert told(standing(examples.snapshot())) == "All traffic on Lambda."


def test_old_data_is_never_told_as_if_it_were_current() -> None:
    assert told(standing(examples.snapshot(at=NOW - 100))).startswith("Not known: AWS was last read")


def test_one_old_part_makes_the_whole_old() -> None:
    fresh = examples.snapshot()
    old_alarms = Reading.of(fresh.alarms.value, NOW - 300)

    assert standing(Snapshot(NOW, alarms=old_alarms, routes=fresh.routes)).stale


def test_an_application_that_was_never_read_says_so() -> None:
    assert told(standing(None)).startswith("AWS has not been read yet.")


def test_a_running_operation_tells_its_headline_and_figures() -> None:
    active = Operation(
        pk=3, goal="failover", status="waiting", headline="waiting for 2 targets", detail="1 of 2 healthy"
    )
    shown = standing(examples.snapshot(), active=active)

    assert told(shown) == "Failing over to ECS. Waiting for 2 targets. 1 of 2 healthy."
    assert sentences.situation(shown, figures=False) == "Failing over to ECS. Waiting for 2 targets."


def test_an_operation_that_is_being_cancelled_says_so() -> None:
    active = Operation(pk=3, goal="failover", status="running", headline="", cancel_requested="by ada: wrong one")

    assert told(standing(examples.snapshot(), active=active)).startswith("Cancelling Failover #3.")


def test_on_ecs_it_says_since_when_and_why_not_back() -> None:
    shown = standing(examples.snapshot(split=Split(0, 100)), last=ended("failover"), refusals=(refused("failback"),))

    assert told(shown).startswith("All traffic on ECS since 21 Sep")
    assert "by automation: Alarm busy is in ALARM." in told(shown)
    assert told(shown).endswith("Not back yet. Projected concurrency is 72.")


def test_what_brings_traffic_home_is_told_with_the_figure_of_now() -> None:
    automatic = Application(pk=1, slug="checkout", mode="auto", document=examples.document("checkout"))
    automatic.memory = encode(Memory(failover_automatic=True, duration=0.5))
    shown = standing(
        examples.snapshot(split=Split(0, 100), concurrency=(1.0,) * 20), application=automatic, last=ended("failover")
    )

    assert sentences.brings_home(shown) == (
        "It fails back once alarms were OK for 5 min and projected concurrency stays under 41: now 10."
    )


def test_what_a_person_moved_comes_home_by_hand_alone() -> None:
    by_hand = Application(pk=1, slug="checkout", mode="auto", document=examples.document("checkout"))
    shown = standing(examples.snapshot(split=Split(0, 100)), application=by_hand)

    assert "fail back by hand" in sentences.brings_home(shown)


def test_while_the_kill_switch_is_on_nothing_is_promised() -> None:
    switch = KillSwitch(on=True, by="bo", reason="AWS", at=MOMENT)
    shown = standing(examples.snapshot(alarm=AlarmState.ALARM), kill_switch=switch)

    assert told(shown).endswith("In alarm; the kill switch is on, so nothing starts by itself.")


def test_a_held_application_in_alarm_says_both() -> None:
    hold = Hold(application_id=1, owner="bo", reason="migration", expires_at=MOMENT)
    shown = standing(examples.snapshot(alarm=AlarmState.ALARM), hold=hold)

    assert "In alarm, and nothing starts by itself. Held by bo until" in told(shown)


def test_on_ecs_with_the_alarm_on_it_stays() -> None:
    shown = standing(examples.snapshot(split=Split(0, 100), alarm=AlarmState.ALARM))

    assert told(shown) == "All traffic on ECS. The alarm is still on, so it stays there."


def test_a_refusal_from_before_the_last_operation_explains_nothing_any_more() -> None:
    before = refused("failback")
    before.last_at = MOMENT - timedelta(hours=1)
    shown = standing(examples.snapshot(split=Split(0, 100)), last=ended("failover"), refusals=(before,))

    assert "Not back yet" not in told(shown)


@pytest.mark.parametrize(
    ("mode", "refusals", "expected"),
    [
        ("auto", (), "In alarm; automation decides within seconds."),
        ("off", (), "In alarm; mode is off, so nothing starts by itself."),
        ("auto", (refused("failover"),), "In alarm, and not failing over. Projected concurrency is 72."),
    ],
)
def test_in_alarm_it_says_why_traffic_is_still_on_lambda(
    mode: str, refusals: tuple[Refusal, ...], expected: str
) -> None:
    application = Application(pk=1, slug="checkout", mode=mode)
    shown = standing(examples.snapshot(alarm=AlarmState.ALARM), application=application, refusals=refusals)

    assert told(shown) == f"All traffic on Lambda. {expected}"


def test_a_hold_names_owner_end_and_reason() -> None:
    hold = Hold(application=CHECKOUT, owner="on-call", reason="migration", expires_at=MOMENT + timedelta(hours=1))

    assert "Held by on-call until" in told(standing(examples.snapshot(), hold=hold))
    assert "“migration”" in told(standing(examples.snapshot(), hold=hold))


def test_what_people_typed_is_escaped() -> None:
    hold = Hold(application=CHECKOUT, owner="<b>eve</b>", reason="<script>", expires_at=MOMENT)

    assert "<script>" not in sentences.situation(standing(examples.snapshot(), hold=hold))


def test_a_failure_stays_until_something_succeeds() -> None:
    failed = ended("failover", "failed", error="no target became healthy")

    assert told(standing(examples.snapshot(), last=failed)).endswith("Failover #12 failed. No target became healthy.")


def test_a_failure_is_told_before_a_hold() -> None:
    failed = ended("failback", "failed", error="Lambda did not answer")
    hold = Hold(application=CHECKOUT, owner="ada", reason="looking", expires_at=MOMENT)
    said = told(standing(examples.snapshot(split=Split(0, 1)), last=failed, hold=hold))

    assert said.index("Failback #12 failed. Lambda did not answer.") < said.index("Held by ada")


def test_weights_that_cannot_be_read_are_unknown_with_the_reason() -> None:
    assert told(standing(examples.snapshot(split=None))) == "Where traffic goes can't be read: no such listener"


def test_a_split_names_both_numbers() -> None:
    assert told(standing(examples.snapshot(split=Split(90, 10)))) == "Split 90/10 between Lambda and ECS."
