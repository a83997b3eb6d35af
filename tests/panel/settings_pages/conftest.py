"""People with one role each, their browsers, and two teams with an application each."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from panel.accounts import members
from panel.accounts.models import Team, default_team
from panel.audit import denials
from panel.audit.models import Entry
from panel.fleet.models import Application
from tests.panel.proofs import prove

Browse = Callable[..., Client]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose


@pytest.fixture
def ours(db: None) -> Team:
    return default_team()


@pytest.fixture
def theirs(db: None) -> Team:
    return Team.objects.create(slug="payments", name="Payments")


@pytest.fixture
def browse(db: None) -> Browse:
    """`browse("admin", team)` is the browser of somebody with that role; None is every team. They just logged in."""

    def browser(role: str, team: Team | None, name: str = "", *, proved: bool = True) -> Client:
        user, _ = User.objects.get_or_create(username=name or f"{role}-{team or 'all'}")
        members.set_role(user, team, role)
        client = Client()
        client.force_login(user)
        if proved:
            prove(client, user)
        return client

    return browser


@pytest.fixture
def admin(browse: Browse, ours: Team) -> Client:
    return browse("admin", ours, "ada")


@pytest.fixture
def fleet_admin(browse: Browse) -> Client:
    return browse("admin", None, "root")


@pytest.fixture
def checkout(ours: Team, application: Application) -> Application:
    return application


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def denied() -> list[str]:
    """The reasons of the denials that the trail tells of, those included that were only counted."""
    denials.pending._written_at = None
    denials.write_due()
    return list(Entry.objects.filter(outcome="denied").values_list("reason", flat=True))
