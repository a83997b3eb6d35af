"""What is acted on is what was shown: the hold, the failure, the plan; and a second click does nothing twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from failover.model import AlarmState, Split
from panel.accounts import members
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Acknowledgement, Hold, Operation
from tests.panel.web import examples
from tests.panel.web.test_acting import text

PAGE = "/applications/checkout/"


@pytest.fixture
def checkout(db: None, now: float) -> Application:
    return examples.application("checkout", examples.snapshot(at=now), name="Checkout API")


def hidden(response: object) -> dict[str, str]:
    body = response.content.decode()  # type: ignore[attr-defined]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', body))


# ---- holds ----


def test_the_hold_that_was_shown_is_released_and_not_the_newest(browser_of: Client, checkout: Application) -> None:
    shown = examples.hold(checkout, reason="migration")
    form = hidden(browser_of.get(f"{PAGE}release/"))
    newer = examples.hold(checkout, reason="another matter", minutes=600)

    browser_of.post(f"{PAGE}release/", form)

    assert list(Hold.objects.filter(released_at=None)) == [newer]
    assert Hold.objects.get(released_at__isnull=False) == shown


def test_a_hold_that_ended_meanwhile_is_not_mistaken_for_another(browser_of: Client, checkout: Application) -> None:
    shown = examples.hold(checkout)
    form = hidden(browser_of.get(f"{PAGE}release/"))
    services.release_hold(shown, by="bo")
    newer = examples.hold(checkout, reason="another matter")

    response = browser_of.post(f"{PAGE}release/", form)

    assert response.status_code == 409
    assert "That hold is not there any more" in text(response)
    newer.refresh_from_db()
    assert newer.released_at is None


@pytest.mark.parametrize("named", ["0", "x", "9" * 40, "²"])
def test_a_hold_of_another_application_or_of_none_is_not_released(
    browser_of: Client, checkout: Application, now: float, named: str
) -> None:
    other = examples.hold(examples.application("search", examples.snapshot(at=now)))

    for each in (named, str(other.pk)):
        assert browser_of.post(f"{PAGE}release/", {"hold": each}).status_code == 409
    other.refresh_from_db()
    assert other.released_at is None


def test_a_second_click_places_no_second_hold(browser_of: Client, checkout: Application) -> None:
    for _ in range(2):
        answer = browser_of.post(f"{PAGE}hold/", {"reason": "migration", "minutes": 60})
        assert answer.status_code == 302

    assert Hold.objects.count() == 1


def test_all_applications_are_held_and_released_from_the_fleet(
    browser_of: Client, beating: None, checkout: Application
) -> None:
    assert "Hold all…" in text(browser_of.get("/"))
    assert browser_of.post("/hold/", {"reason": "", "minutes": 60}).status_code == 422
    browser_of.post("/hold/", {"reason": "provider trouble", "minutes": 60})
    hold = Hold.objects.get()
    assert (hold.application, hold.owner) == (None, "ada")

    page = text(browser_of.get("/"))
    assert "Held by ada for all applications until" in page
    assert "Automation on" not in page
    form = browser_of.get("/release/")
    assert "every application again" in text(form)
    browser_of.post("/release/", hidden(form))
    hold.refresh_from_db()
    assert hold.released_by == "ada"


def test_an_operator_of_one_team_may_not_hold_all(browser_of: Client, operator: User, checkout: Application) -> None:
    User.objects.filter(pk=operator.pk).update(is_superuser=False)
    members.set_role(User.objects.get(pk=operator.pk), checkout.team, "operator")

    assert "Hold all…" not in text(browser_of.get("/"))
    assert browser_of.post("/hold/", {"reason": "mine", "minutes": 60}).status_code == 403
    assert not Hold.objects.exists()


# ---- failures ----


def test_only_the_failure_that_was_shown_is_acknowledged(browser_of: Client, checkout: Application) -> None:
    examples.operation(checkout, status="failed", error="No target became healthy.")
    form = hidden(browser_of.get(f"{PAGE}acknowledge/"))
    examples.operation(checkout, status="failed", error="AWS refused the weights.")

    response = browser_of.post(f"{PAGE}acknowledge/", {**form, "comment": "Looked at it"})

    assert response.status_code == 409
    assert "The failure that you were shown is not the one that waits" in text(response)
    assert not Acknowledgement.objects.exists()


# ---- operations ----


def test_a_second_click_starts_nothing_twice_and_leads_to_the_same_page(
    browser_of: Client, checkout: Application
) -> None:
    form = hidden(browser_of.get(f"{PAGE}failover/"))
    answers = [browser_of.post(f"{PAGE}failover/", {**form, "reason": "Lambda is slow"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Operation.objects.count() == 1


def test_a_rule_in_the_way_is_told_before_and_overridden_by_the_application_s_name(
    browser_of: Client, checkout: Application, now: float
) -> None:
    shown = examples.snapshot(
        at=now, split=Split(0, 100), desired=2, running=2, healthy=2, concurrency=examples.wave(20)
    )
    examples.application("search", shown)
    page = browser_of.get("/applications/search/failback/")
    assert "As things are, this would be refused: Lambda is not ready for traffic" in text(page)
    asked = {**hidden(page), "reason": "Lambda is fine, I looked", "override": "on"}

    wrong = browser_of.post("/applications/search/failback/", {**asked, "typed": "serach"})
    assert wrong.status_code == 422
    assert "type the application's name: search" in text(wrong)
    assert not Operation.objects.exists()

    browser_of.post("/applications/search/failback/", {**asked, "typed": "search"})
    assert Operation.objects.get().override == ["lambda_ready"]


def test_whoever_may_not_override_is_not_offered_it(
    browser_of: Client, operator: User, checkout: Application, monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    shown = examples.snapshot(
        at=now, split=Split(0, 100), desired=2, running=2, healthy=2, concurrency=examples.wave(20)
    )
    examples.application("search", shown)
    monkeypatch.setattr("panel.web.acting.may", lambda *asked: asked[1] != "operation.override")

    assert "Type search to confirm" not in text(browser_of.get("/applications/search/failback/"))
    given = {"reason": "I looked", "override": "on", "typed": "search", "rules": "lambda_ready"}
    assert browser_of.post("/applications/search/failback/", given).status_code == 403
    assert not Operation.objects.exists()


def test_the_plan_of_weights_is_that_of_the_weights_that_were_typed(browser_of: Client, checkout: Application) -> None:
    page = text(browser_of.get(f"{PAGE}weights/?weight_lambda=90&weight_ecs=10"))

    assert "weights on HTTPS :443, default 100/0 becomes 90/10" in page
    assert "becomes" not in text(browser_of.get(f"{PAGE}weights/?weight_lambda=0&weight_ecs=0"))


def test_in_an_alarm_with_a_mode_that_forbids_it_no_row_promises_anything(
    browser_of: Client, beating: None, now: float
) -> None:
    examples.application("search", examples.snapshot(at=now, alarm=AlarmState.ALARM), mode="observe")

    page = text(browser_of.get("/"))

    assert "automation decides within seconds" not in page
    assert "In alarm; mode is observe, so nothing starts by itself." in page


def test_a_second_click_on_try_again_starts_nothing_twice(browser_of: Client, checkout: Application) -> None:
    failed = examples.operation(checkout, status="failed", error="No target became healthy.")
    form = hidden(browser_of.get(f"/operations/{failed.pk}/retry/"))

    answers = [
        browser_of.post(f"/operations/{failed.pk}/retry/", {**form, "reason": "ECS is back"}) for _click in range(2)
    ]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert failed.retries.count() == 1


def test_a_second_click_on_cancel_asks_nothing_more(browser_of: Client, checkout: Application) -> None:
    running = examples.operation(checkout)
    form = hidden(browser_of.get(f"/operations/{running.pk}/cancel/"))

    answers = [
        browser_of.post(f"/operations/{running.pk}/cancel/", {**form, "reason": "Wrong one"}) for _click in range(2)
    ]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert running.journal.filter(message="Cancelled by ada: Wrong one").count() == 1


def test_cancelling_what_has_ended_says_so(browser_of: Client, checkout: Application) -> None:
    running = examples.operation(checkout)
    form = hidden(browser_of.get(f"/operations/{running.pk}/cancel/"))
    Operation.objects.update(status="succeeded", finished_at=datetime.now(UTC))

    late = browser_of.post(f"/operations/{running.pk}/cancel/", {**form, "reason": "Wrong one"})

    assert late.status_code == 409
    assert "has ended already" in text(late)
