"""Tokens: shown once, stored as a hash, with an end and networks, and gone when revoked."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from panel.accounts.models import Team
from panel.api import tokens
from panel.api.calls import api
from panel.api.models import ApiToken
from panel.audit.models import Entry


def status(secret: str, **more: str) -> int:
    response = Client().get("/api/v1/operations", headers={"Authorization": f"Bearer {secret}"}, **more)
    return response.status_code


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("create_api_token", *arguments)
    return capsys.readouterr().out.strip()


def test_the_command_prints_the_secret_alone_and_nothing_that_is_stored_tells_it(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = made(capsys, "deploy", "--role", "operator")
    assert status(secret) == 200
    row = ApiToken.objects.get()
    assert secret not in str(vars(row)) + str(list(Entry.objects.values()))
    assert not row.user.has_usable_password()
    assert row.last_used_at is not None


def test_a_revoked_token_works_no_more(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    secret = made(capsys, "deploy", "--role", "viewer")
    call_command("revoke_api_token", "deploy")
    assert status(secret) == 401
    with pytest.raises(CommandError, match="no token 'deploy' that works"):
        call_command("revoke_api_token", "deploy")


def test_a_token_ends(db: None) -> None:
    secret = tokens.create("nightly", "viewer", days=1)
    assert status(secret) == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert status(secret) == 401


@pytest.mark.parametrize(("address", "expected"), [("10.1.2.3", 200), ("192.0.2.1", 401), ("nonsense", 401)])
def test_a_token_works_from_its_networks_alone(db: None, address: str, expected: int) -> None:
    secret = tokens.create("inside", "viewer", addresses=["10.0.0.0/8", "2001:db8::/32"])
    assert status(secret, REMOTE_ADDR=address) == expected


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer nope", "Basic YTpi", "Bearer \u00e9"])
def test_without_a_token_the_answer_says_what_to_send(db: None, header: str) -> None:
    response = Client().get("/api/v1/operations", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer TOKEN" in response.json()["detail"]


def test_a_session_of_the_pages_opens_no_call(admin_client: Client) -> None:
    assert admin_client.get("/api/v1/operations").status_code == 401


def test_nobody_logs_in_as_a_token(db: None) -> None:
    secret = tokens.create("deploy", "admin")
    Client().post("/accounts/login/", {"login": "token:deploy", "password": secret})
    assert not Client().login(username="token:deploy", password=secret)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("deploy", "--role", "viewer"), "There is or was a token 'deploy'"),
        (("other", "--role", "viewer", "--team", "nowhere"), "no team 'nowhere'"),
        (("other", "--role", "viewer", "--from", "10.0.0.1/8"), "is no network"),
        (("other", "--role", "viewer", "--days", "0"), "works for 1 to 3650 days"),
        (("", "--role", "viewer"), "1 to 60 printable characters"),
    ],
)
def test_what_can_not_be_made_is_said(db: None, arguments: tuple[str, ...], says: str) -> None:
    tokens.create("deploy", "viewer")
    with pytest.raises(CommandError, match=says):
        call_command("create_api_token", *arguments)


def test_a_teams_token_has_its_role_there_alone(db: None) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    tokens.create("deploy", "operator", team)
    assert [(each.team, each.role) for each in ApiToken.objects.get().user.memberships.all()] == [(team, "operator")]


def test_a_token_makes_nothing_that_outlives_it() -> None:
    """Nobody can prove who they are with a token: what it could leave behind is no call of the API."""
    changes = {path for path, calls in api.get_openapi_schema()["paths"].items() if set(calls) - {"get"}}
    assert changes
    assert [path for path in changes for word in ("member", "token", "key", "team", "user") if word in path] == []
