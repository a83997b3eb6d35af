"""What only a browser can show of signing in: redirects under the policy, dialogs that ask for a proof, and keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from panel.operations.models import KillSwitch
from tests.browser.conftest import PASSWORD
from tests.panel.accounts import provider

Complaints = list[str]


@pytest.fixture
def window(chromium: Browser, live_server: Any, operator: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    cache.clear()  # attempts are counted there
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


def opened(context: BrowserContext, url: str) -> tuple[Page, Complaints]:
    """A page of the panel, and what the browser says that its policy blocked."""
    page, blocked = context.new_page(), Complaints()
    page.set_default_timeout(10_000)
    page.on("console", lambda told: blocked.append(told.text) if "Content Security Policy" in told.text else None)
    page.goto(url)
    return page, blocked


def log_in(page: Page) -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def grow_old(user: User) -> None:
    """Every session's proof becomes one of an hour ago."""
    from django.contrib.sessions.models import Session  # noqa: PLC0415 - not before the settings are there

    from panel.accounts.sessions import SessionStore  # noqa: PLC0415

    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        for each in session.get("account_authentication_methods", []):
            each["at"] -= 3600
        session.modified = True
        session.save()


def test_the_way_to_the_provider_and_back_is_not_blocked(
    window: BrowserContext, live_server: Any, settings: Any
) -> None:
    with provider.running() as idp:
        provider.use(settings, idp.url, "sre=all:operator")
        idp.knows("s-1", preferred_username="bo", groups=["sre"])
        page, blocked = opened(window, f"{live_server.url}/operations/")
        page.get_by_role("link", name="Sign in with Example ID").click()
        page.locator("input[name=sub]").fill("s-1")
        page.get_by_role("button", name="Authorize").click()
        expect(page).to_have_url(f"{live_server.url}/operations/")
        expect(page.get_by_role("link", name="bo", exact=True)).to_be_visible()
    assert [each for each in blocked if live_server.url in each] == []


def test_a_dialog_that_asks_for_a_proof_leads_back_with_what_was_typed(
    window: BrowserContext, live_server: Any, operator: User
) -> None:
    page, blocked = opened(window, live_server.url)
    log_in(page)
    grow_old(operator)
    page.get_by_role("link", name="Stop all automation…").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("You will be asked once more for your password")
    dialog.get_by_label("Reason").fill("AWS is acting up")
    dialog.get_by_role("button", name="Stop all automation").click()

    expect(page.get_by_role("heading", name="Prove who you are")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_label("Reason")).to_have_value("AWS is acting up")
    assert not KillSwitch.objects.exists()
    page.get_by_role("button", name="Stop all automation").click()
    expect(page.locator("#kill-switch")).to_contain_text("AWS is acting up")
    assert blocked == []


def test_a_security_key_is_added_asked_for_and_proves(window: BrowserContext, live_server: Any, operator: User) -> None:
    page, blocked = opened(window, live_server.url)
    devtools = window.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": False}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "automaticPresenceSimulation": True}})
    log_in(page)
    page.goto(f"{live_server.url}/accounts/")
    page.get_by_role("link", name="Add…").click()
    page.get_by_label("Name").fill("Blue key")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{live_server.url}/accounts/")
    expect(page.get_by_text("Key: Blue key")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    page.goto(f"{live_server.url}/accounts/login/")
    log_in(page)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a security key or passkey").click()
    expect(page).to_have_url(f"{live_server.url}/")

    grow_old(operator)
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/reauthenticate/?next=/accounts/")
    page.get_by_role("button", name="Use a security key or passkey").click()
    expect(page).to_have_url(f"{live_server.url}/accounts/")
    page.get_by_role("row", name="Blue key").get_by_role("link", name="Remove…").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Key: Blue key")).not_to_be_visible()
    assert blocked == []


def test_a_browser_without_the_key_says_so_on_the_page(window: BrowserContext, live_server: Any) -> None:
    page, blocked = opened(window, live_server.url)
    log_in(page)
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    page.evaluate("() => { navigator.credentials.create = () => Promise.reject(new Error('not touched')); }")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#key-problem")).to_contain_text("The key was not used")
    assert blocked == []
