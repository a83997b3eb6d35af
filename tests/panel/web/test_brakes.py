"""The pages on which people keep automation back, let it go on, replace an operation, or try one again."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from failover.model import AlarmState, Split
from panel.accounts import members
from panel.fleet import snapshots
from panel.fleet.models import Application, StoredSnapshot
from panel.operations import services
from panel.operations.models import Acknowledgement, KillSwitch, ModeChange, Operation
from tests.panel.web import examples
from tests.panel.web.test_acting import FRAGMENT, text

ON, OFF = "/kill-switch/on/", "/kill-switch/off/"
PAGE = "/applications/checkout/"


@pytest.fixture
def checkout(db: None, now: float) -> Application:
    return examples.application("checkout", examples.snapshot(at=now), name="Checkout API")


def failed(checkout: Application, goal: str = "failover", **values: object) -> Operation:
    return examples.operation(checkout, goal, **{"status": "failed", "error": "No target became healthy.", **values})


# ---- the kill switch ----


def test_it_is_turned_on_from_the_fleet_with_a_reason_after_saying_what_follows(
    browser_of: Client, beating: None, checkout: Application
) -> None:
    assert ON in browser_of.get("/").content.decode()
    form = text(browser_of.get(ON))
    assert "Nothing starts by itself any more" in form
    assert not KillSwitch.objects.exists()

    assert browser_of.post(ON, {"reason": ""}).status_code == 422
    assert not KillSwitch.objects.exists()

    browser_of.post(ON, {"reason": "AWS is acting up"})
    switch = KillSwitch.objects.get()
    assert (switch.on, switch.by, switch.reason) == (True, "ada", "AWS is acting up")


@pytest.mark.parametrize(
    "path",
    ["/", PAGE, "/operations/", "/events/", "/refusals/", f"{PAGE}failover/", "/accounts/password/change/", "/no"],
)
def test_while_it_is_on_every_page_says_so_with_who_and_why(
    browser_of: Client, checkout: Application, path: str
) -> None:
    assert "Kill switch on" not in text(browser_of.get(path))
    services.set_kill_switch(on=True, by="bo", reason="AWS is <acting> up")
    page = browser_of.get(path)
    assert text(page).count("Kill switch on: nothing starts by itself") == 1
    assert "Turned on by bo" in text(page)
    assert "“AWS is &lt;acting&gt; up”" in page.content.decode()


@pytest.mark.parametrize("path", ["/", PAGE, "/operations/"])
def test_a_page_that_is_open_already_hears_of_it(browser_of: Client, checkout: Application, path: str) -> None:
    services.set_kill_switch(on=True, by="bo", reason="AWS is acting up")
    assert "Kill switch on: nothing starts by itself" in text(browser_of.get(path, headers=FRAGMENT))


def test_the_strip_says_that_automation_is_killed_and_not_that_it_is_on(
    browser_of: Client, beating: None, checkout: Application
) -> None:
    assert "Automation on" in text(browser_of.get("/"))
    services.set_kill_switch(on=True, by="bo", reason="AWS is acting up")
    page = browser_of.get("/")
    assert "Automation on" not in text(page)
    assert (OFF in page.content.decode(), ON in page.content.decode()) == (True, False)


def test_it_is_turned_off_with_a_reason_after_saying_who_turned_it_on(
    browser_of: Client, checkout: Application
) -> None:
    services.set_kill_switch(on=True, by="bo", reason="AWS is acting up")
    assert "It was turned on by bo: “AWS is acting up”" in text(browser_of.get(OFF))
    response = browser_of.post(OFF, {"reason": "AWS is well"})
    assert response.url == "/"  # type: ignore[attr-defined]
    assert not services.kill_switch_is_on()


def test_of_two_who_turn_it_on_neither_turns_it_off(browser_of: Client, checkout: Application) -> None:
    for _ in range(2):
        browser_of.post(ON, {"reason": "AWS is acting up"})
    assert services.kill_switch_is_on()


def test_only_the_fleets_administrators_touch_it(browser_of: Client, operator: User, checkout: Application) -> None:
    User.objects.update(is_superuser=False)
    members.set_role(operator, checkout.team, "admin")
    assert browser_of.post(ON, {"reason": "AWS is acting up"}).status_code == 403
    assert not KillSwitch.objects.exists()
    assert ON not in browser_of.get("/").content.decode()


# ---- modes ----


def test_the_mode_is_set_with_a_reason_that_the_page_shows(browser_of: Client, checkout: Application) -> None:
    assert "Mode auto : it starts failovers and failbacks." in text(browser_of.get(PAGE))
    assert re.search(r'value="auto"[^>]*checked', browser_of.get(f"{PAGE}mode/").content.decode())

    browser_of.post(f"{PAGE}mode/", {"mode": "observe", "reason": "learning"})

    page = text(browser_of.get(PAGE))
    assert "Mode observe : it records what it would do, and starts nothing." in page
    assert re.search(r"Set by ada, .{5,40}: “learning”", page)


@pytest.mark.parametrize("given", [{"mode": "observe"}, {"reason": "learning"}, {"mode": "panic", "reason": "x"}])
def test_a_mode_without_a_reason_or_an_unknown_one_changes_nothing(
    browser_of: Client, checkout: Application, given: dict[str, str]
) -> None:
    assert browser_of.post(f"{PAGE}mode/", given).status_code == 422
    checkout.refresh_from_db()
    assert checkout.mode == "auto"
    assert not ModeChange.objects.exists()


@pytest.mark.parametrize("rule", ["hold", "mode", "kill_switch"])
def test_what_automation_would_have_started_is_on_the_applications_page(
    browser_of: Client, checkout: Application, rule: str
) -> None:
    examples.refusal(checkout, "failover", rule=rule, reason="it would have started a failover, but no", count=3)
    assert "It would have started a failover, 3 times since" in text(browser_of.get(PAGE))


def test_what_was_refused_for_another_reason_is_not_what_it_would_have_started(
    browser_of: Client, checkout: Application
) -> None:
    examples.refusal(checkout, "failback", rule="dwell")
    assert "It would have started" not in text(browser_of.get(PAGE))


# ---- acknowledging ----


def test_a_failure_is_acknowledged_with_a_comment_that_stands_on_the_operation(
    browser_of: Client, checkout: Application
) -> None:
    operation = failed(checkout)
    page = text(browser_of.get(PAGE))
    assert f"Failover #{operation.pk} failed, and nobody has said yet that they looked." in page
    assert "No target became healthy." in text(browser_of.get(f"{PAGE}acknowledge/"))

    browser_of.post(f"{PAGE}acknowledge/", {"comment": "a bad release, mended"})

    assert Acknowledgement.objects.get().operation == operation
    assert "nobody has said yet" not in text(browser_of.get(PAGE))
    shown = text(browser_of.get(f"/operations/{operation.pk}/"))
    assert "Acknowledged by ada" in shown
    assert "“a bad release, mended”" in shown


def test_an_acknowledged_failure_needs_no_more_attention(
    browser_of: Client, beating: None, checkout: Application
) -> None:
    failed(checkout)
    assert "1 of 1 application needs attention" in text(browser_of.get("/"))
    services.acknowledge(checkout, by="bo", comment="a bad release")
    assert "none needs attention" in text(browser_of.get("/"))


def test_a_failed_failback_waits_for_a_look_although_something_else_went_well_since(
    browser_of: Client, checkout: Application
) -> None:
    operation = failed(checkout, "failback")
    examples.operation(checkout, "set_weights", status="succeeded")
    assert f"Failback #{operation.pk} failed, and nobody has said yet" in text(browser_of.get(PAGE))


@pytest.mark.parametrize(("comment", "status"), [("", 422), ("a bad release", 409)])
def test_an_acknowledgement_without_a_comment_or_a_failure_is_explained(
    browser_of: Client, checkout: Application, comment: str, status: int
) -> None:
    response = browser_of.post(f"{PAGE}acknowledge/", {"comment": comment})
    assert response.status_code == status
    assert not Acknowledgement.objects.exists()


# ---- the plan that was confirmed ----


def hidden(response: object, name: str) -> str:
    body = response.content.decode()  # type: ignore[attr-defined]
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', body)
    return found[1] if found else ""


def becomes(checkout: Application, now: float, **shown: object) -> None:
    StoredSnapshot.objects.filter(application=checkout).update(**snapshots.columns(examples.snapshot(at=now, **shown)))


@pytest.mark.parametrize(("action", "given"), [("failover", {}), ("weights", {"weight_lambda": 90, "weight_ecs": 10})])
def test_what_was_confirmed_is_what_starts(
    browser_of: Client, checkout: Application, now: float, action: str, given: dict[str, int]
) -> None:
    approved = hidden(browser_of.get(f"{PAGE}{action}/"), "digest")
    becomes(checkout, now, desired=3)
    sent = {"reason": "Lambda is slow", "digest": approved, **given}
    refused = browser_of.post(f"{PAGE}{action}/", sent)
    assert refused.status_code == 409
    assert "plan_changed" in text(refused)
    assert "Lambda is slow" in text(refused)
    assert not Operation.objects.exists()

    fresh = hidden(refused, "digest")
    assert fresh not in ("", approved)
    assert browser_of.post(f"{PAGE}{action}/", {**sent, "digest": fresh}).status_code == 302
    assert Operation.objects.count() == 1


# ---- one operation in another's place ----


def test_another_goal_takes_the_place_of_the_running_operation_and_the_page_says_what_that_means(
    browser_of: Client, checkout: Application
) -> None:
    first = examples.operation(checkout)
    assert "/applications/checkout/failback/" in browser_of.get(PAGE).content.decode()
    form = browser_of.get(f"{PAGE}failback/")
    assert "would end that one where it stands" in text(form)
    assert f"End Failover #{first.pk} and fail back" in text(form)

    browser_of.post(f"{PAGE}failback/", {"reason": "wrong one", "supersedes": hidden(form, "supersedes")})

    first.refresh_from_db()
    second = Operation.objects.get(goal="failback")
    assert (first.status, second.supersedes) == ("superseded", first)
    assert f"Replaced by Failback #{second.pk}" in text(browser_of.get(f"/operations/{first.pk}/"))
    assert f"In place of Failover #{first.pk}" in text(browser_of.get(f"/operations/{second.pk}/"))


def test_an_operation_that_nobody_confirmed_to_end_goes_on(browser_of: Client, checkout: Application) -> None:
    first = examples.operation(checkout)
    seen = hidden(browser_of.get(f"{PAGE}failback/"), "supersedes")
    Operation.objects.filter(pk=first.pk).update(status="succeeded", finished_at=timezone.now())
    second = examples.operation(checkout, "set_weights")

    response = browser_of.post(f"{PAGE}failback/", {"reason": "wrong one", "supersedes": seen})

    assert response.status_code == 409
    assert "The operation that was to be replaced has ended." in text(response)
    assert hidden(response, "supersedes") == str(second.pk), "what runs now can be replaced next"
    second.refresh_from_db()
    assert second.status == "waiting"


@pytest.mark.parametrize("named", ["0", "first", "-1", "9" * 40])
def test_nonsense_in_its_place_ends_nothing(browser_of: Client, checkout: Application, named: str) -> None:
    first = examples.operation(checkout)
    response = browser_of.post(f"{PAGE}failback/", {"reason": "wrong one", "supersedes": named})
    assert response.status_code == 409
    first.refresh_from_db()
    assert first.status == "waiting"


# ---- again ----


def test_what_failed_is_tried_again_from_its_page_with_a_reason(
    browser_of: Client, operator: User, checkout: Application
) -> None:
    first = failed(checkout, "set_weights", weight_lambda=90, weight_ecs=10)
    path = f"/operations/{first.pk}/retry/"
    assert path in browser_of.get(f"/operations/{first.pk}/").content.decode()
    assert "asks for the same: Setting weights to 90/10" in text(browser_of.get(path))

    browser_of.post(path, {"reason": "mended"})

    again = Operation.objects.get(retry_of=first)
    assert (again.weight_lambda, again.weight_ecs, again.requested_by) == (90, 10, operator)
    assert f"Tries again Weights #{first.pk}" in text(browser_of.get(f"/operations/{again.pk}/"))
    assert f"Tried again by Weights #{again.pk}" in text(browser_of.get(f"/operations/{first.pk}/"))


def test_what_went_well_is_not_offered_to_be_tried_again(browser_of: Client, checkout: Application) -> None:
    done = examples.operation(checkout, status="succeeded")
    assert "/retry/" not in browser_of.get(f"/operations/{done.pk}/").content.decode()
    response = browser_of.post(f"/operations/{done.pk}/retry/", {"reason": "once more"})
    assert response.status_code == 409
    assert "is succeeded" in text(response)


@pytest.mark.parametrize(
    ("trigger", "by", "who"),
    [
        ("api", True, "ada (API)"),
        ("drill", False, "drill"),
        ("manual", True, "ada"),
        ("automatic", False, "automation"),
    ],
)
def test_an_operation_says_who_asked_and_how(
    browser_of: Client, operator: User, checkout: Application, trigger: str, by: bool, who: str
) -> None:
    found = examples.operation(checkout, trigger=trigger, requested_by=operator if by else None)
    assert f"Started by {who} Asked for" in text(browser_of.get(f"/operations/{found.pk}/"))


# ---- in alarm and kept back ----


def test_in_alarm_and_killed_the_fleet_says_what_would_have_started(
    browser_of: Client, beating: None, now: float
) -> None:
    row = examples.application("checkout", examples.snapshot(at=now, alarm=AlarmState.ALARM, split=Split(100, 0)))
    services.set_kill_switch(on=True, by="bo", reason="AWS is acting up")
    reason = "Alarm busy is in ALARM; it would have started a failover, but the kill switch is on."
    examples.refusal(row, "failover", rule="kill_switch", reason=reason)
    assert f"In alarm, and not failing over. {reason}" in text(browser_of.get("/"))


@pytest.mark.parametrize("hold", ["9" * 18, "9" * 5000, "-1", "²", "x"])
def test_a_hold_that_no_page_named_is_not_there(
    browser_of: Client, beating: None, checkout: Application, hold: str
) -> None:
    assert browser_of.post(f"{PAGE}release/", {"hold": hold}).status_code == 409
