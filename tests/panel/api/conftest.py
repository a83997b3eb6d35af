from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from panel.accounts.models import Team
from panel.api import tokens


@pytest.fixture(autouse=True)
def fresh_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are counted in the cache; and no Redis runs beside these tests."""
    cache.clear()
    monkeypatch.setattr("panel.broker.answers", lambda: True)


Caller = Callable[..., Any]


@pytest.fixture
def caller(db: None) -> Callable[..., Caller]:
    """`caller(role, team)` makes a token; what it answers with calls the API: `call("get", "/operations")`."""

    def make(role: str = "operator", team: Team | None = None, **more: Any) -> Caller:
        secret = tokens.create(f"{role} {len(more)} {team}", role, team, **more)

        def call(method: str, path: str, body: object = None, **headers: str) -> Any:
            given = {"data": body, "content_type": "application/json"} if body is not None else {}
            sent = {"Authorization": f"Bearer {secret}", **headers}
            return getattr(Client(), method)(f"/api/v1{path}", headers=sent, **given)

        call.secret = secret  # type: ignore[attr-defined]  # for who sends it another way
        return call

    return make


@pytest.fixture
def call(caller: Callable[..., Caller]) -> Caller:
    """An operator's of every team."""
    return caller()
