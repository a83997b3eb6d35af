from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

LOGIN = "/accounts/login/"


def test_a_password_opens_the_page_that_was_asked_for(client: Client, operator: User) -> None:
    given = {"login": "ada", "password": "correct-horse-battery", "next": "/operations/"}

    assert client.post(LOGIN, given).url == "/operations/"  # type: ignore[attr-defined]


def test_a_login_never_leads_to_another_host(client: Client, operator: User) -> None:
    given = {"login": "ada", "password": "correct-horse-battery", "next": "https://evil.example/"}

    assert client.post(LOGIN, given).url == "/"  # type: ignore[attr-defined]


def test_a_wrong_password_says_so_and_keeps_the_name(client: Client, operator: User) -> None:
    page = client.post(LOGIN, {"login": "ada", "password": "wrong"}).content.decode()

    assert 'class="error"' in page or "errorlist" in page or 'role="alert"' in page
    assert 'value="ada"' in page


def test_guessing_is_slowed_down_in_the_panels_own_words(client: Client, operator: User) -> None:
    for _ in range(30):
        response = client.post(LOGIN, {"login": "ada", "password": "guess"})
        if response.status_code == 429 or "Too many" in response.content.decode():
            break

    assert "Too many" in response.content.decode()
    right = client.post(LOGIN, {"login": "ada", "password": "correct-horse-battery"})
    assert right.status_code != 302, "the right password must not help while attempts are limited"


@pytest.mark.parametrize("path", ["/accounts/signup/"])
def test_nobody_signs_up(client: Client, db: None, path: str) -> None:
    given = {"username": "eve", "password1": "correct-horse-9", "password2": "correct-horse-9"}

    assert "There is no sign-up" in client.get(path).content.decode()
    client.post(path, given)
    assert not User.objects.exists()


def test_an_account_that_is_switched_off_does_not_get_in(client: Client, operator: User) -> None:
    operator.is_active = False
    operator.save()

    client.post(LOGIN, {"login": "ada", "password": "correct-horse-battery"})

    assert client.get("/").status_code == 302


def test_logging_out_ends_the_session(client: Client, operator: User) -> None:
    client.force_login(operator)

    client.post("/accounts/logout/")

    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [LOGIN, "/accounts/logout/", "/accounts/password/change/", "/accounts/inactive/", "/accounts/reauthenticate/"],
)
def test_allauths_pages_have_the_panels_look_and_nothing_inline(client: Client, operator: User, path: str) -> None:
    if path not in (LOGIN, "/accounts/inactive/"):
        client.force_login(operator)

    page = client.get(path).content.decode()

    assert "panel/panel.css" in page
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_a_password_can_be_changed(client: Client, operator: User) -> None:
    client.force_login(operator)
    new = "another-horse-battery"

    client.post(
        "/accounts/password/change/", {"oldpassword": "correct-horse-battery", "password1": new, "password2": new}
    )

    operator.refresh_from_db()
    assert operator.check_password(new)
