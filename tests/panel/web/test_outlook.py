"""What automation would do now, and each thing that it asks first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from failover.model import AlarmState, Policy, Split
from panel.fleet.models import Application
from panel.operations.models import Hold, KillSwitch, Operation
from panel.web import outlook, policies
from panel.web.standing import Standing
from tests.panel.web import examples

MOMENT = datetime.fromtimestamp(examples.NOW, UTC)


def standing(mode: str = "auto", **values: object) -> Standing:
    application = Application(pk=1, slug="checkout", mode=mode, document=examples.document("checkout"))
    shown = {"application": application, "snapshot": examples.snapshot(), "now": examples.NOW}
    return Standing(**(shown | values))  # type: ignore[arg-type]


def missing(shown: Standing) -> list[str]:
    return [each.name for each in outlook.conditions(shown) if not each.holds]


def test_in_calm_nothing_is_missing_and_nothing_wanted() -> None:
    assert missing(standing()) == []
    assert outlook.intent(standing()).startswith("Nothing")


def test_each_thing_that_people_hold_it_back_with_is_named() -> None:
    shown = standing(
        mode="observe",
        hold=Hold(application_id=1, owner="bo", reason="migration", expires_at=MOMENT + timedelta(hours=1)),
        kill_switch=KillSwitch(on=True, by="cy", reason="AWS", at=MOMENT),
        active=Operation(pk=3, goal="failover", status="running"),
    )
    assert missing(shown) == ["Kill switch is off", "Mode is auto", "No hold", "No operation runs"]
    assert "On, by cy" in str(outlook.conditions(shown)[1].says)


def test_what_was_not_read_is_not_known_and_leads_to_nothing() -> None:
    old = standing(snapshot=examples.snapshot(at=examples.NOW - 900))
    assert missing(old) == ["AWS is read", "Weights are as they were left"]
    assert outlook.conditions(old)[-1].word == "not known"
    assert outlook.intent(old) == "It does nothing on what it can't read."


def test_it_says_what_it_wants() -> None:
    assert (
        outlook.intent(standing(snapshot=examples.snapshot(alarm=AlarmState.ALARM))) == "It wants to fail over to ECS."
    )
    assert "home to Lambda" in outlook.intent(standing(snapshot=examples.snapshot(split=Split(0, 1))))


def test_the_policy_names_every_limit_that_people_ask_about_with_its_unit() -> None:
    told = {limit.key: limit.value for _, limits in policies.explained(Policy()) for limit in limits}
    assert (told["dwell_seconds"], told["failback_steps"]) == ("5 min", "10 % → 50 % → 100 %")
    assert (told["requests_per_task"], told["demand_headroom"]) == ("not proven", "80 %")
