import os

import pytest

from stack.product import forget_foreign_settings


@pytest.mark.parametrize(
    "name",
    ["AWS_PROFILE", "AWS_ENDPOINT_URL", "PANEL_SECRET_KEY", "DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "HOST"],
)
def test_nothing_of_the_callers_settings_reaches_the_demo(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "theirs")
    forget_foreign_settings()
    assert name not in os.environ


def test_what_is_not_ours_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("HOSTNAME", "laptop")
    forget_foreign_settings()
    assert (os.environ["PORT"], os.environ["HOSTNAME"]) == ("8123", "laptop")
