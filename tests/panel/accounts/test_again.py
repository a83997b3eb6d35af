"""Proving once more who one is, before what `again` in roles.toml marks; and nothing that was typed is lost over it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory

from failover.config import MOST_TEXT
from panel.accounts import again, members, roles
from panel.operations.models import KillSwitch
from tests.panel.proofs import prove

ON = "/kill-switch/on/"
PROOF = "/accounts/reauthenticate/"
PASSWORD = "correct-horse-battery"
OLD = time.time() - again.FRESH.total_seconds() - 60


@pytest.fixture
def ada(client: Client, operator: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Somebody whose password is from this morning."""
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    members.set_role(operator, None, "operator")
    client.force_login(operator)
    prove(client, operator, at=OLD)
    return client


def page_after(client: Client, **typed: str) -> str:
    """Prove it, and see the form to which that leads."""
    back = client.post(PROOF, {"password": PASSWORD, "next": ON, **typed})
    assert back.status_code == 302
    return client.get(back["Location"]).content.decode()


def test_what_the_table_marks_asks_for_a_proof_and_does_nothing_before(ada: Client) -> None:
    response = ada.post(ON, {"reason": "AWS is acting up"})
    assert response["Location"] == f"{PROOF}?next=%2Fkill-switch%2Fon%2F"
    assert not KillSwitch.objects.exists()


def test_what_was_typed_waits_and_is_confirmed_after_the_proof(ada: Client) -> None:
    ada.post(ON, {"reason": "AWS is <acting> up"})
    page = page_after(ada)
    assert "AWS is &lt;acting&gt; up" in page
    assert "What you typed is still here: confirm it" in page
    assert not KillSwitch.objects.exists(), "the proof confirms nothing by itself"

    ada.post(ON, {"reason": "AWS is <acting> up"})
    assert KillSwitch.objects.get().reason == "AWS is <acting> up"


def test_a_dialog_sends_the_whole_page_to_the_proof_and_back(ada: Client) -> None:
    response = ada.post(ON, {"reason": "AWS is acting up"}, headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (401, f"{PROOF}?next=%2Fkill-switch%2Fon%2F")
    assert "<html" in (page := page_after(ada))
    assert "AWS is acting up" in page


def test_a_wrong_password_proves_nothing_and_loses_nothing(ada: Client) -> None:
    ada.post(ON, {"reason": "AWS is acting up"})
    page = ada.post(PROOF, {"password": "guess", "next": ON}).content.decode()
    assert 'class="error"' in page
    assert ada.post(ON, {"reason": "AWS is acting up"}).status_code == 302
    assert not KillSwitch.objects.exists()
    assert "AWS is acting up" in page_after(ada)


def test_a_form_that_is_wrong_says_so_before_it_asks_for_a_proof(ada: Client) -> None:
    assert ada.post(ON, {"reason": ""}).status_code == 422


def test_the_form_says_beforehand_that_it_will_ask(ada: Client, operator: User) -> None:
    says = "You will be asked once more for your password or another factor."
    assert says in ada.get(ON).content.decode()
    prove(ada, operator)
    assert says not in ada.get(ON).content.decode()


def test_a_login_with_the_password_is_a_proof(client: Client, operator: User) -> None:
    members.set_role(operator, None, "operator")
    client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    client.post(ON, {"reason": "AWS is acting up"})
    assert KillSwitch.objects.exists()


def test_what_asks_for_no_proof_is_done_at_once(ada: Client) -> None:
    assert not roles.actions()["hold.place"].again
    assert ada.post("/applications/none/hold/", {"reason": "x"}).status_code == 404


def test_what_waits_is_shown_on_its_own_page_alone_and_once(ada: Client) -> None:
    ada.post(ON, {"reason": "AWS is acting up"})
    assert "AWS is acting up" not in ada.get("/kill-switch/off/").content.decode()
    assert "AWS is acting up" in ada.get(ON).content.decode()
    assert "AWS is acting up" not in ada.get(ON).content.decode()


def test_the_longest_toml_that_a_page_takes_waits(ada: Client) -> None:
    longest = ("# höher = “später”\n" * MOST_TEXT)[:MOST_TEXT]
    ada.post(ON, {"reason": "AWS is acting up", "toml": longest})
    assert ada.session[again.KEPT]["typed"]["toml"] == [longest]


def test_neither_a_password_nor_a_flood_waits_in_the_session(ada: Client) -> None:
    ada.post(ON, {"reason": "x" * 400, "more": "y" * again.MOST_KEPT})
    assert again.KEPT not in ada.session
    ada.post(ON, {"reason": "AWS is acting up", "csrfmiddlewaretoken": "secret-of-the-page"})
    assert "secret-of-the-page" not in str(ada.session[again.KEPT])


def test_a_proof_never_leads_to_another_host(ada: Client) -> None:
    assert ada.post(PROOF, {"password": PASSWORD, "next": "https://evil.example/"})["Location"] == "/"


def request_of(records: list[dict[str, Any]], user: User, method: str = "get") -> Any:
    request = getattr(RequestFactory(), method)("/somewhere/", {"name": "deploy"})
    request.user = user
    request.session = {"account_authentication_methods": records, "account_authentication_methods_user": str(user.pk)}
    return request


@pytest.mark.parametrize(
    ("records", "proved"),
    [
        ([], False),
        ([{"method": "password", "at": 1000}], True),
        ([{"method": "password", "at": 699}], False),
        ([{"method": "mfa", "at": 900, "type": "totp"}, {"method": "password", "at": 10}], True),
        ([{"method": "socialaccount", "at": 1000}], False),
        ([{"method": "socialaccount", "at": 1000, "reauthenticated": True}], True),
    ],
)
def test_a_proof_is_a_factor_that_was_given_within_five_minutes(
    operator: User, records: list[dict[str, Any]], proved: bool
) -> None:
    assert again.proved_recently(request_of(records, operator), now=1000) is proved


def test_somebody_elses_proof_in_the_same_session_is_none(operator: User) -> None:
    request = request_of([{"method": "password", "at": 1000}], operator)
    request.user = User.objects.create_user("eve")
    assert not again.proved_recently(request, now=1000)


@pytest.mark.parametrize(
    ("action", "method", "status"),
    [("token.manage", "post", 302), ("token.manage", "get", 200), ("hold.place", "post", 200)],
)
def test_a_view_that_wears_the_decorator_asks_when_something_is_sent(
    operator: User, action: str, method: str, status: int
) -> None:
    view = again.again(action)(lambda _request: HttpResponse("done"))
    assert view(request_of([], operator, method)).status_code == status


def test_an_action_that_the_table_does_not_know_is_a_mistake(operator: User) -> None:
    with pytest.raises(KeyError):
        again.proved_again(request_of([], operator), "token.mange")
