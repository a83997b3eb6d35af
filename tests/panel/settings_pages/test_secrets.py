"""API tokens and webhook keys: listed, made with their secret shown once, revoked."""

import re
from typing import Any

import pytest
from django.test import Client

from panel.accounts.models import Team
from panel.api import tokens
from panel.api.models import ApiToken
from panel.audit.models import Entry
from panel.ingest import keys
from panel.ingest.models import WebhookKey
from tests.panel.settings_pages.conftest import Browse, denied, text

TOKEN = {"name": "deploy", "team": "default", "role": "operator", "days": "30", "addresses": "127.0.0.0/8"}
HOOK = "/webhooks/eventbridge"


def secret_in(response: Any) -> str:
    found = re.search(r'<code class="mono" id="secret">([^<]+)</code>', text(response))
    assert found
    return found[1]


def test_a_token_is_made_shown_once_works_and_is_revoked(admin: Client, ours: Team) -> None:
    made = admin.post("/settings/tokens/new/", TOKEN)
    secret = secret_in(made)
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/operations", headers=headers).status_code == 200
    listed = text(admin.get("/settings/tokens/"))
    for each in ("deploy", "operator in Default", "127.0.0.0/8", "works"):
        assert each in listed
    assert secret not in listed
    token = ApiToken.objects.get()
    assert token.expires_at is not None
    assert "Revoke deploy" in text(admin.get(f"/settings/tokens/{token.pk}/revoke/"))
    admin.post(f"/settings/tokens/{token.pk}/revoke/")
    assert Client().get("/api/v1/operations", headers=headers).status_code == 401
    assert "revoked" in text(admin.get("/settings/tokens/"))
    assert set(Entry.objects.filter(action__startswith="token.").values_list("action", "actor")) == {
        ("token.create", "ada"),
        ("token.revoke", "ada"),
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Name the token after what will use it"),
        ({"name": "known"}, "give this one another name"),
        ({"days": "0"}, "1 to 3650 days"),
        ({"days": "soon"}, "a whole number of days"),
        ({"addresses": "10.0.0.0/8\nnowhere"}, "is no network"),
        ({"team": "payments"}, "Choose one of your teams"),
        ({"team": "*"}, "Choose one of your teams"),
        ({"role": "root"}, "Choose viewer, operator or admin"),
    ],
)
def test_a_token_that_can_not_be_made_is_told_and_what_was_typed_stays(
    admin: Client, ours: Team, theirs: Team, change: dict[str, str], says: str
) -> None:
    tokens.create("known", "viewer", ours)
    page = admin.post("/settings/tokens/new/", {**TOKEN, "addresses": "10.0.0.0/8", **change})
    assert page.status_code == 422
    assert says in text(page)
    assert "10.0.0.0/8" in text(page)
    assert ApiToken.objects.count() == 1


def test_a_token_of_every_team_is_a_fleet_admins_to_make(fleet_admin: Client, ours: Team) -> None:
    secret_in(fleet_admin.post("/settings/tokens/new/", {**TOKEN, "team": "*"}))
    assert "operator in every team" in text(fleet_admin.get("/settings/tokens/"))


def test_another_teams_tokens_are_not_there(admin: Client, theirs: Team) -> None:
    tokens.create("secret-project", "viewer", theirs)
    tokens.create("of-all", "viewer")
    assert "secret-project" not in text(admin.get("/settings/tokens/"))
    assert "of-all" not in text(admin.get("/settings/tokens/"))
    for token in ApiToken.objects.all():
        assert admin.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert admin.post("/settings/tokens/0/revoke/").status_code == 404
    assert ApiToken.objects.filter(revoked_at=None).count() == 2
    assert len(denied()) == 1


def test_a_key_is_made_shown_once_opens_the_webhook_and_is_revoked(fleet_admin: Client) -> None:
    made = fleet_admin.post("/settings/webhook-keys/new/", {"name": "eventbridge"})
    secret = secret_in(made)
    assert f"X-Api-Key: {secret}" in made.content.decode(), "the curl call"
    event = {"version": "0", "id": "e1", "source": "aws.cloudwatch", "account": "123456789012", "region": "eu-west-1"}
    event |= {"time": "2026-01-01T00:00:00Z", "resources": [], "detail-type": "CloudWatch Alarm State Change"}
    event |= {"detail": {"alarmName": "x", "state": {"value": "OK"}}}  # type: ignore[dict-item]

    def sent() -> int:
        return Client().post(HOOK, event, content_type="application/json", headers={"X-Api-Key": secret}).status_code

    assert sent() == 202
    key = WebhookKey.objects.get()
    assert key.last_used_at is not None
    assert secret not in text(fleet_admin.get("/settings/webhook-keys/"))
    assert "the only key that works" in text(fleet_admin.get(f"/settings/webhook-keys/{key.pk}/revoke/"))
    fleet_admin.post(f"/settings/webhook-keys/{key.pk}/revoke/")
    assert sent() == 401


@pytest.mark.parametrize(
    ("name", "says"), [("", "Name the key"), ("old", "choose another name"), ("x" * 61, "under 60")]
)
def test_a_key_that_can_not_be_made_is_told(fleet_admin: Client, name: str, says: str) -> None:
    keys.create("old")
    page = fleet_admin.post("/settings/webhook-keys/new/", {"name": name})
    assert page.status_code == 422
    assert says in text(page)
    assert WebhookKey.objects.count() == 1


def test_of_two_keys_the_second_to_last_goes_without_a_warning(fleet_admin: Client) -> None:
    keys.create("old")
    keys.create("new")
    page = text(fleet_admin.get(f"/settings/webhook-keys/{WebhookKey.objects.get(name='old').pk}/revoke/"))
    assert "the only key" not in page


def test_a_proof_is_asked_for_before_a_secret_is_shown(browse: Browse, ours: Team) -> None:
    ada = browse("admin", ours, "ada", proved=False)
    assert ada.post("/settings/tokens/new/", TOKEN).url.startswith("/accounts/reauthenticate/")  # type: ignore[attr-defined]
    assert not ApiToken.objects.exists()
    back = text(ada.get("/settings/tokens/new/"))
    assert "You proved who you are" in back
    assert 'value="deploy"' in back


def test_the_navigation_shows_what_one_may_open(browse: Browse, ours: Team, fleet_admin: Client, admin: Client) -> None:
    def sections(browser: Client) -> list[str]:
        return re.findall(r'href="/settings/([a-z-]+)/"', text(browser.get("/settings/teams/")).split("</nav>")[1])

    assert sections(browse("operator", ours)) == ["applications", "teams"]
    assert sections(admin) == ["applications", "teams", "notifications", "tokens"]
    assert sections(fleet_admin) == ["applications", "teams", "notifications", "tokens", "webhook-keys"]


def test_settings_lead_to_the_applications(admin: Client) -> None:
    assert admin.get("/settings/").url == "/settings/applications/"  # type: ignore[attr-defined]
