"""Authenticator app and recovery codes: set up, asked for, removed, required, and not to be guessed."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from panel.accounts import again, members
from panel.accounts.models import Team
from panel.audit.models import Entry
from panel.operations.models import KillSwitch
from tests.panel.proofs import prove

LOGIN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"
ACTIVATE = "/accounts/2fa/totp/activate/"
PASSWORD = {"login": "ada", "password": "correct-horse-battery"}
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)


def code(secret: str = SECRET) -> str:
    """What the app would show; the same one opens nothing twice, so each is forgotten before the next."""
    cache.clear()
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


@pytest.fixture
def app(operator: User) -> User:
    """Somebody with an authenticator app."""
    TOTP.activate(operator, SECRET)
    return operator


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_it_is_set_up_with_a_code_and_leads_to_recovery_codes(client: Client, operator: User) -> None:
    client.force_login(operator)
    prove(client, operator)
    page = client.get(ACTIVATE).content.decode()
    assert "<svg" in page
    assert "data:image" not in page
    secret = client.session["mfa.totp.secret"]
    assert secret in page

    response = client.post(ACTIVATE, {"code": code(secret)})
    assert response["Location"] == "/accounts/2fa/recovery-codes/"
    assert len(re.findall(r"<li>\d{8}</li>", client.get(response["Location"]).content.decode())) == 10
    told = [
        (each.actor, each.subject, each.after["factor"])
        for each in Entry.objects.filter(action="mfa.add").order_by("pk")
    ]
    assert told == [("ada", "ada", "totp"), ("ada", "ada", "recovery_codes")]
    assert secret not in str(list(Authenticator.objects.values())), "a dump of the database alone gives no codes"


def test_a_wrong_code_sets_nothing_up(client: Client, operator: User) -> None:
    client.force_login(operator)
    prove(client, operator)
    client.get(ACTIVATE)
    assert "Incorrect code" in client.post(ACTIVATE, {"code": "000000"}).content.decode()
    assert not Authenticator.objects.exists()


def test_the_password_alone_no_longer_opens_anything(client: Client, app: User) -> None:
    assert client.post(LOGIN, PASSWORD)["Location"] == CODE
    assert not signed_in(client)
    client.post(CODE, {"code": code()})
    assert signed_in(client)


def test_a_code_opens_once(client: Client, app: User) -> None:
    client.post(LOGIN, PASSWORD)
    used = code()
    client.post(CODE, {"code": used})
    other = Client()
    other.post(LOGIN, PASSWORD)
    assert "Incorrect code" in other.post(CODE, {"code": used}).content.decode()
    assert not signed_in(other)


def test_nor_in_another_web_process(client: Client, app: User) -> None:
    client.post(LOGIN, PASSWORD)
    used = code()
    client.post(CODE, {"code": used})
    assert signed_in(client)
    cache.clear()  # what a process remembers, another one does not know
    other = Client()
    other.post(LOGIN, PASSWORD)
    assert "Incorrect code" in other.post(CODE, {"code": used}).content.decode()
    assert not signed_in(other)


def test_nor_as_a_proof(client: Client, app: User) -> None:
    client.post(LOGIN, PASSWORD)
    used = code()
    client.post(CODE, {"code": used})
    cache.clear()
    page = client.post("/accounts/2fa/reauthenticate/", {"code": used})
    assert "Incorrect code" in page.content.decode()


def test_a_wrong_code_is_told_and_counted(client: Client, app: User) -> None:
    client.post(LOGIN, PASSWORD)
    assert "Incorrect code" in client.post(CODE, {"code": "000000"}).content.decode()
    entry = Entry.objects.get(action="login.failed")
    assert (entry.subject, entry.reason) == ("ada", "The totp code is wrong.")


def test_guessing_codes_is_stopped_and_the_right_one_does_not_help(client: Client, app: User) -> None:
    client.post(LOGIN, PASSWORD)
    for guess in range(6):
        page = client.post(CODE, {"code": f"{guess:06}"}).content.decode()
    assert "Too many" in page
    right = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
    client.post(CODE, {"code": right})
    assert not signed_in(client)


def test_guessing_at_the_proof_ends_with_429_in_the_panels_own_words(client: Client, app: User) -> None:
    client.force_login(app)
    answers = [client.post("/accounts/2fa/reauthenticate/", {"code": f"{guess:06}"}) for guess in range(12)]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].content.decode()


def test_guessing_passwords_from_one_address_ends_with_429(client: Client, operator: User) -> None:
    answers = [client.post(LOGIN, {"login": f"user-{n}", "password": "guess"}) for n in range(40)]
    assert any("Too many" in each.content.decode() for each in answers)
    assert not signed_in(client)


def test_a_recovery_code_opens_once_in_the_apps_place(client: Client, app: User) -> None:
    client.force_login(app)
    prove(client, app)
    client.post("/accounts/2fa/recovery-codes/generate/")
    found = re.findall(r"<li>(\d{8})</li>", client.get("/accounts/2fa/recovery-codes/").content.decode())
    for opens in (True, False):
        other = Client()
        other.post(LOGIN, PASSWORD)
        other.post(CODE, {"code": found[0]})
        assert signed_in(other) is opens


def test_a_code_proves_who_one_is(client: Client, app: User) -> None:
    members.set_role(app, None, "operator")
    client.force_login(app)
    client.post("/kill-switch/on/", {"reason": "AWS is acting up"})
    page = client.get("/accounts/reauthenticate/?next=/kill-switch/on/").content.decode()
    assert "/accounts/2fa/reauthenticate/?next=" in page, "the way to the code is one click away"
    response = client.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": "/kill-switch/on/"})
    assert "AWS is acting up" in client.get(response["Location"]).content.decode()
    client.post("/kill-switch/on/", {"reason": "AWS is acting up"})
    assert KillSwitch.objects.exists()


def test_removing_it_asks_for_a_proof_and_is_told(client: Client, app: User) -> None:
    client.force_login(app)
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert Authenticator.objects.exists()
    prove(client, app)
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    assert Entry.objects.filter(action="mfa.remove", actor="ada").exists()


@pytest.mark.parametrize("page", ["totp/deactivate/", "recovery-codes/", "recovery-codes/generate/"])
def test_pages_about_factors_want_a_fresh_proof_also_to_look(client: Client, app: User, page: str) -> None:
    client.force_login(app)
    prove(client, app, at=time.time() - again.FRESH.total_seconds() - 1)
    assert client.get(f"/accounts/2fa/{page}")["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize(
    ("whom", "role", "leads"),
    [("off", "admin", False), ("admins", "operator", False), ("admins", "admin", True), ("all", "viewer", True)],
)
def test_where_a_second_factor_is_required_nothing_else_opens_before(
    client: Client, operator: User, settings: Any, whom: str, role: str, leads: bool
) -> None:
    settings.PANEL_REQUIRE_MFA = whom
    members.set_role(operator, Team.objects.create(slug="payments", name="Payments"), role)
    client.force_login(operator)
    response = client.get("/")
    assert (response.status_code == 302 and response["Location"] == "/accounts/") is leads
    assert ("asks for a second factor" in client.get("/accounts/").content.decode()) is leads
    if leads:
        assert client.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == "/accounts/"
        TOTP.activate(operator, SECRET)
        assert signed_in(client)


def test_under_another_secret_key_nothing_fits_and_the_command_helps(client: Client, app: User, settings: Any) -> None:
    settings.SECRET_KEY = "another-secret-key-" * 4
    client.post(LOGIN, PASSWORD)
    assert "Incorrect code" in client.post(CODE, {"code": code()}).content.decode()
    call_command("reset_second_factor", "ada")
    other = Client()
    other.post(LOGIN, PASSWORD)
    assert signed_in(other)
    entry = Entry.objects.get(action="mfa.remove")
    assert (entry.actor, entry.subject, entry.before) == ("command line", "ada", {"factor": "totp"})


@pytest.mark.parametrize(("name", "says"), [("ada", "ada has no second factor"), ("eve", "no account 'eve'")])
def test_what_can_not_be_reset_is_said(operator: User, name: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("reset_second_factor", name)
