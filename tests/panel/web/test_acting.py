from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from failover.model import AlarmState, Split
from panel.accounts import members
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Hold, Operation, Refusal
from tests.panel.web import examples

FRAGMENT = {"HX-Request": "true"}
FAILOVER = "/applications/checkout/failover/"
WEIGHTS = "/applications/checkout/weights/"


@pytest.fixture
def checkout(db: None, now: float) -> Application:
    return examples.application("checkout", examples.snapshot(at=now), name="Checkout API", failover_count=4)


def text(response: object) -> str:
    body = response.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace("&#x27;", "'")


def test_it_says_in_words_what_will_happen_before_it_does(browser_of: Client, checkout: Application) -> None:
    page = text(browser_of.get(FAILOVER))

    assert "Fail over Checkout API to ECS" in page
    assert "Desired count 0 → 4." in page
    assert "weights on HTTPS :443, default 100/0 becomes 0/100" in page
    assert "rules pass at every change" in page
    assert "automation is held for 8 h" in page
    assert not Operation.objects.exists(), "looking at a plan starts nothing"


def test_a_reason_starts_the_operation_and_names_who(browser_of: Client, operator: User, checkout: Application) -> None:
    response = browser_of.post(FAILOVER, {"reason": "Lambda is slow"})

    operation = Operation.objects.get()
    assert response.url == "/applications/checkout/"  # type: ignore[attr-defined]
    assert (operation.goal, operation.trigger, operation.requested_by) == ("failover", "manual", operator)
    assert operation.reason == "Lambda is slow"


def test_without_a_reason_nothing_starts_and_it_says_what_to_do(browser_of: Client, checkout: Application) -> None:
    response = browser_of.post(FAILOVER, {"reason": "   "})

    assert response.status_code == 422
    assert "Write a reason" in text(response)
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Operation.objects.exists()


def test_in_a_dialog_only_the_form_is_sent_and_success_closes_it(browser_of: Client, checkout: Application) -> None:
    form = browser_of.get(FAILOVER, headers=FRAGMENT)
    done = browser_of.post(FAILOVER, {"reason": "drill"}, headers=FRAGMENT)

    assert b"<html" not in form.content
    assert b'hx-post="/applications/checkout/failover/"' in form.content
    assert (done.status_code, "panel:done" in done["HX-Trigger"]) == (204, True)


def test_a_second_one_is_refused_with_rule_remedy_and_what_was_typed(browser_of: Client, checkout: Application) -> None:
    first = examples.operation(checkout)

    response = browser_of.post(WEIGHTS, {"reason": "try a canary", "weight_lambda": 90, "weight_ecs": 10})

    assert response.status_code == 409
    assert f"failover #{first.pk}" in text(response)
    assert "single_writer" in text(response)
    assert "try a canary" in text(response)
    assert 'value="90"' in response.content.decode()
    assert Operation.objects.count() == 1
    assert Refusal.objects.get().rule == "single_writer"


def test_a_database_that_does_not_answer_is_said_and_what_was_typed_stays(
    browser_of: Client, checkout: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(services, "request_operation", locked)
    response = browser_of.post(FAILOVER, {"reason": "Lambda is slow"}, headers=FRAGMENT)

    assert response.status_code == 503
    assert "The database did not answer in time. Look whether it was done after all" in text(response)
    assert "Lambda is slow" in text(response)


def test_what_is_in_the_way_is_said_before_anybody_types(browser_of: Client, checkout: Application) -> None:
    first = examples.operation(checkout)

    assert f"Failover #{first.pk} is running." in text(browser_of.get(FAILOVER))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((0, 0), "With 0 for both, nobody would be answered"),
        ((1000, 0), "The weight of Lambda is a whole number from 0 to 999."),
        (("", 5), "The weight of Lambda is a whole number from 0 to 999."),
        ((5, "many"), "The weight of ECS is a whole number from 0 to 999."),
    ],
)
def test_weights_that_can_not_be_are_named(
    browser_of: Client, checkout: Application, weights: tuple[object, object], message: str
) -> None:
    given = {"reason": "canary", "weight_lambda": weights[0], "weight_ecs": weights[1]}

    response = browser_of.post(WEIGHTS, given)

    assert response.status_code == 422
    assert message in text(response)
    assert "canary" in text(response), "what was typed stays"
    assert not Operation.objects.exists()


def test_the_weights_begin_at_what_they_are_now(browser_of: Client, now: float) -> None:
    examples.application("checkout", examples.snapshot(at=now, split=Split(30, 10)))

    form = browser_of.get(WEIGHTS).content.decode()

    assert 'value="30"' in form
    assert re.search(r'type="range"[^>]*value="25"', form)


def test_weights_are_asked_for_as_given(browser_of: Client, checkout: Application) -> None:
    browser_of.post(WEIGHTS, {"reason": "canary", "weight_lambda": 90, "weight_ecs": 10})

    operation = Operation.objects.get()
    assert (operation.goal, operation.weight_lambda, operation.weight_ecs) == ("set_weights", 90, 10)


def test_failing_back_into_an_alarm_warns(browser_of: Client, now: float) -> None:
    shown = examples.snapshot(at=now, split=Split(0, 1), alarm=AlarmState.ALARM)
    examples.application("checkout", shown)

    assert "The alarm is still on" in text(browser_of.get("/applications/checkout/failback/"))


def test_a_hold_has_owner_reason_and_end_and_can_be_released(browser_of: Client, checkout: Application) -> None:
    browser_of.post("/applications/checkout/hold/", {"minutes": 240, "reason": "migration"})
    hold = Hold.objects.get()
    shown = text(browser_of.get("/applications/checkout/"))
    browser_of.post("/applications/checkout/release/")
    hold.refresh_from_db()

    assert (hold.owner, hold.reason) == ("ada", "migration")
    assert 239 <= (hold.expires_at - hold.created_at).total_seconds() / 60 <= 241
    assert "Held by ada until" in shown
    assert hold.released_by == "ada"


def test_a_hold_without_an_end_is_not_taken(browser_of: Client, checkout: Application) -> None:
    response = browser_of.post("/applications/checkout/hold/", {"reason": "migration"})

    assert response.status_code == 422
    assert "a hold always ends" in text(response)


def test_releasing_what_is_not_held_is_explained(browser_of: Client, checkout: Application) -> None:
    response = browser_of.post("/applications/checkout/release/")

    assert response.status_code == 409
    assert "That hold is not there any more: it was released, or has ended." in text(response)


def test_releasing_a_hold_for_all_says_that_it_is_for_all(browser_of: Client, checkout: Application) -> None:
    examples.hold(None)

    assert "for every application" in text(browser_of.get("/applications/checkout/release/"))


def test_a_running_operation_can_be_cancelled_with_a_reason(browser_of: Client, checkout: Application) -> None:
    operation = examples.operation(checkout)

    browser_of.post(f"/operations/{operation.pk}/cancel/", {"reason": "wrong one"})

    operation.refresh_from_db()
    assert operation.cancel_requested == "Cancelled by ada: wrong one"


def test_cancelling_what_has_ended_is_explained(browser_of: Client, checkout: Application) -> None:
    operation = examples.operation(checkout, status="succeeded")

    response = browser_of.post(f"/operations/{operation.pk}/cancel/", {"reason": "too late"})

    assert response.status_code == 409
    assert "has ended already" in text(response)


def test_other_methods_are_rejected(browser_of: Client, checkout: Application) -> None:
    assert browser_of.delete(FAILOVER).status_code == 405
    assert browser_of.post("/").status_code == 405


def test_a_form_without_its_token_starts_nothing(operator: User, checkout: Application) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)

    response = client.post(FAILOVER, {"reason": "forged"})

    assert response.status_code == 403
    assert "This page was too old to act from" in text(response)
    assert not Operation.objects.exists()


def test_who_may_not_operate_is_told_and_sees_no_buttons(checkout: Application) -> None:
    browser_of = Client()
    viewer = User.objects.create_user("viewer")
    members.set_role(viewer, checkout.team, "viewer")
    browser_of.force_login(viewer)

    response = browser_of.post(FAILOVER, {"reason": "drill"})

    assert response.status_code == 403
    assert "You may not fail over, fail back, set weights" in text(response)
    assert not Operation.objects.exists()
    assert "Fail over…" not in text(browser_of.get("/applications/checkout/"))
    assert "Fail over…" not in text(browser_of.get("/"))
