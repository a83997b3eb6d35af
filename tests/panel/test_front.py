"""Health and what the browser is told, on the way in that every request takes."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
def test_the_process_lives_without_database_and_whatever_the_host(path: str) -> None:
    assert Client().get(path, headers={"host": "10.0.0.7"}).status_code == 200


@pytest.mark.django_db
def test_every_answer_carries_an_id_of_ours() -> None:
    ids = {Client().get("/healthz", headers={"X-Request-Id": "forged"}).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2
    assert "forged" not in ids


@pytest.mark.django_db
def test_pages_allow_nothing_but_their_own_files() -> None:
    policy = Client().get("/accounts/login/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1"])
def test_live_updates_may_have_a_port_of_their_own(settings: Any, host: str) -> None:
    settings.PANEL_LIVE_PORT = 8001
    policy = Client().get("/accounts/login/", headers={"host": host}).headers["Content-Security-Policy"]
    assert f"connect-src 'self' http://{host.split(':', maxsplit=1)[0]}:8001" in policy


@pytest.mark.django_db
def test_visitors_can_not_sign_up() -> None:
    fields = {"username": "mallory", "password1": "a-Long-enough-1", "password2": "a-Long-enough-1"}
    Client().post("/accounts/signup/", fields)
    assert not User.objects.exists()
