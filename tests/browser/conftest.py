"""A real Chromium against the real pages. Without one these tests are skipped, unless REQUIRE_BROWSER=1."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from panel.fleet.models import Heartbeat
from tests.panel.proofs import prove
from tests.panel.web.servers import Broker, live_updates

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "correct-horse-battery"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


# A module's, not the session's: Playwright keeps an event loop running, and other tests want to start their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("Chromium is not installed, and REQUIRE_BROWSER=1 asks for it: apt-get install chromium.")
    if path is None:
        pytest.skip("Chromium is not installed, so no page was tried in a browser: apt-get install chromium.")
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread; Django would otherwise refuse the ORM beside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def operator(transactional_db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def live_port(broker: Broker, operator: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Live updates beside the pages, on a port of their own, as in production."""
    settings.REDIS_URL = f"redis://127.0.0.1:{broker.port}/0"
    with live_updates(broker, monkeypatch) as port:
        settings.PANEL_LIVE_PORT = port
        yield port


@pytest.fixture
def beating(transactional_db: None) -> None:
    for name in ("worker", "beat", "observer"):
        Heartbeat.objects.create(name=name, at=datetime.now(UTC))


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: errors of scripts, blocked content, failed loads."""
    return []


Opener = Callable[..., Page]


@pytest.fixture
def open_page(
    chromium: Browser, live_port: int, live_server: Any, operator: User, complaints: list[str]
) -> Iterator[Opener]:
    """Open a page, logged in, in a browser window of its own; keywords are those of a browser context."""
    contexts = []

    def opened(path: str, *, width: int = 1440, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.add_cookies(
            [{"name": django_settings.SESSION_COOKIE_NAME, "value": _session(operator), "url": live_server.url}]
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}{path}")
        return page

    yield opened
    for context in contexts:
        context.close()


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    prove(client, user)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value
