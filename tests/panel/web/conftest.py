from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from panel.fleet.models import Heartbeat
from tests.panel.proofs import prove


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Redis runs beside these tests: the strip's question is answered here."""
    monkeypatch.setattr("panel.broker.answers", lambda: True)


@pytest.fixture
def operator(db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
    return User.objects.create_superuser("ada", password="correct-horse-battery")


@pytest.fixture
def browser_of(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    prove(client, operator)
    return client


@pytest.fixture
def beating(db: None) -> None:
    """Worker, beat and observer showed themselves just now."""
    for name in ("worker", "beat", "observer"):
        Heartbeat.objects.create(name=name, at=datetime.now(UTC))


@pytest.fixture
def now() -> float:
    return time.time()
