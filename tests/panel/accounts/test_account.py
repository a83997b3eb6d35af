"""One's own account page, sessions and how they end, and what of allauth there is not."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from panel.accounts import members, sessions
from panel.accounts.models import Team
from panel.audit.models import Entry
from tests.panel.accounts import provider
from tests.panel.accounts.test_second_factor import signed_in

PASSWORD = {"login": "ada", "password": "correct-horse-battery"}


@pytest.fixture(autouse=True)
def _broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)


@pytest.fixture
def browser(client: Client, operator: User) -> Client:
    client.post("/accounts/login/", PASSWORD)
    return client


def logged_in(agent: str) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post("/accounts/login/", PASSWORD)
    return client


def test_it_shows_roles_with_where_they_come_from_and_sessions(browser: Client, operator: User) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    members.set_role(operator, team, "operator")
    members.follow_groups(operator, {team: "viewer"}, "single sign-on")
    logged_in("Phone <b>")
    page = re.sub(r"\s+", " ", browser.get("/accounts/").content.decode())
    assert '<td>operator</td><td class="soft small">by hand</td>' in page
    assert '<td>viewer</td><td class="soft small">by a group, at each sign-in</td>' in page
    assert "Phone &lt;b&gt;" in page
    assert 'href="/accounts/"' in browser.get("/").content.decode(), "every page leads there"


def test_who_is_in_no_team_is_told_whom_to_ask(browser: Client) -> None:
    assert "Ask an administrator" in browser.get("/accounts/").content.decode()


def test_all_other_sessions_end_with_one_click(browser: Client) -> None:
    other = logged_in("Phone")
    assert "Log out everywhere else" in browser.get("/accounts/").content.decode()
    browser.post("/accounts/sessions/")
    assert (signed_in(browser), signed_in(other)) == (True, False)


def test_a_changed_password_ends_every_other_session(browser: Client) -> None:
    other = logged_in("Phone")
    new = "another-horse-battery"
    given = {"oldpassword": PASSWORD["password"], "password1": new, "password2": new}
    browser.post("/accounts/password/change/", given)
    assert (signed_in(browser), signed_in(other)) == (True, False)


def test_a_session_ends_some_hours_after_the_login_whatever_is_done_in_it(browser: Client, settings: Any) -> None:
    assert signed_in(browser)
    session = browser.session
    session[sessions.BEGAN] = time.time() - settings.SESSION_COOKIE_AGE + 30
    session["anything"] = "is done"
    session.save()
    assert 0 < session.get_expiry_age() <= 30, "what is done does not make it last longer"
    assert signed_in(browser)
    session[sessions.BEGAN] -= 60
    session.save()
    assert not signed_in(browser)


def test_a_login_gives_the_session_another_name(client: Client, operator: User) -> None:
    """Nobody can plant a session beforehand and be in it afterwards."""
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = planted = session.session_key or ""
    client.post("/accounts/login/", PASSWORD)
    assert client.cookies["sessionid"].value != planted


def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(browser: Client) -> None:
    browser.get("/accounts/password/change/")
    for name in ("sessionid", "csrftoken"):
        cookie = browser.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")


def test_every_page_says_what_a_browser_may_do_with_it(browser: Client) -> None:
    response = browser.get("/accounts/")
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert response["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["email/", "password/reset/", "confirm-email/", "3rdparty/", "3rdparty/signup/", "2fa/webauthn/login/"]
)
def test_what_of_allauth_this_panel_has_no_use_for_does_not_exist(browser: Client, path: str) -> None:
    assert browser.get(f"/accounts/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["", "sessions/", "2fa/totp/activate/", "2fa/recovery-codes/generate/", "2fa/webauthn/add/", "reauthenticate/"],
)
def test_each_page_has_the_panels_look_and_nothing_inline_that_runs(browser: Client, path: str) -> None:
    page = browser.get(f"/accounts/{path}").content.decode()
    assert "panel/panel.css" in page
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert not re.search(r'<script(?![^>]*(\ssrc=|type="application/json"))', page)


# ---- joining an account with single sign-on ----


def test_an_administrator_joins_an_account_with_a_person_at_the_provider(operator: User, settings: Any) -> None:
    provider.use(settings, "https://id.example.com", "sre=all:operator")
    call_command("link_account", "ada", "s-1")
    call_command("link_account", "ada", "s-1")
    assert [(each.action, each.actor, each.subject) for each in Entry.objects.all()] == [
        ("account.link", "command line", "ada")
    ]
    User.objects.create_user("eve")
    with pytest.raises(CommandError, match="signs in as ada already"):
        call_command("link_account", "eve", "s-1")
    with pytest.raises(CommandError, match="no account 'bob'"):
        call_command("link_account", "bob", "s-2")


def test_without_single_sign_on_there_is_nothing_to_join(operator: User) -> None:
    with pytest.raises(CommandError, match="PANEL_OIDC_ISSUER is not set"):
        call_command("link_account", "ada", "s-1")


def test_nobody_gets_a_name_that_the_panel_itself_acts_under(db: None) -> None:
    with pytest.raises(members.MemberError, match="choose another name"):
        members.create_account("Panel")
