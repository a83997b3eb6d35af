"""The flows that no other browser test has: one operation's page, modes, drills, and what is set up in a browser."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import expect

from panel.api.models import ApiToken
from panel.drills.models import Drill
from panel.fleet.models import Application
from panel.ingest.models import WebhookKey
from panel.notify.models import Target
from panel.operations.models import Operation
from tests.browser.conftest import Opener
from tests.panel.web import examples

pytestmark = pytest.mark.full


@pytest.fixture
def checkout(beating: None) -> Application:
    return examples.application("checkout", examples.snapshot(at=time.time(), concurrency=examples.wave(20)))


def test_an_operation_is_cancelled_on_its_page_and_told_as_json(open_page: Opener, checkout: Application) -> None:
    running = examples.operation(checkout)
    page = open_page(f"/operations/{running.pk}/")
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_label("Reason").fill("wrong one")
    page.get_by_role("button", name="Cancel the operation").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    running.refresh_from_db()
    assert running.cancel_requested == "Cancelled by ada: wrong one"

    page.get_by_role("link", name="JSON").click()
    assert json.loads(page.locator("body").inner_text())["id"] == running.pk


def test_what_failed_is_tried_again_from_its_page(open_page: Opener, checkout: Application) -> None:
    failed = examples.operation(checkout, status="failed", error="No target became healthy.")
    page = open_page(f"/operations/{failed.pk}/")
    page.get_by_role("link", name="Try again…").click()
    page.get_by_label("Reason").fill("ECS is back")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert failed.retries.get().reason == "ECS is back"


def test_the_mode_is_set_and_one_application_is_held_and_released(open_page: Opener, checkout: Application) -> None:
    page = open_page("/applications/checkout/")
    page.get_by_role("link", name="Mode…").click()
    page.get_by_label("observe: it records what it would do").check()
    page.get_by_label("Reason").fill("a change freeze")
    page.get_by_role("button", name="Set the mode").click()
    expect(page.get_by_text("Set by ada")).to_be_visible()

    page.get_by_role("link", name="Hold…").click()
    page.get_by_label("Reason").fill("provider trouble")
    page.locator("#dialog").get_by_role("button", name="Hold", exact=True).click()
    page.get_by_role("link", name="Release…").first.click()
    page.locator("#dialog").get_by_role("button", name="Release", exact=True).click()
    expect(page.get_by_role("link", name="Hold…")).to_be_visible()
    assert not checkout.holds.filter(released_at=None).exists()


def test_a_rehearsal_is_started_from_the_drills(open_page: Opener, checkout: Application) -> None:
    page = open_page("/drills/")
    page.get_by_role("link", name="Rehearse…").first.click()
    page.get_by_label("Reason").fill("before the sale")
    page.locator("#dialog").get_by_role("button").last.click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert Drill.objects.get().reason == "before the sale"


def test_a_token_a_key_and_a_target_are_made_and_their_secrets_shown_once(
    open_page: Opener, checkout: Application
) -> None:
    page = open_page("/settings/tokens/")
    page.get_by_role("link", name="New token…").click()
    page.get_by_label("Name").fill("deploy")
    page.get_by_label("viewer: sees everything").check()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    assert ApiToken.objects.get().name == "deploy"

    page.get_by_role("link", name="Webhook keys").click()
    page.get_by_role("link", name="New key…").click()
    page.get_by_label("Name").fill("eventbridge")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    assert WebhookKey.objects.get().name == "eventbridge"

    page.goto(page.url.split("/settings/")[0] + "/settings/notifications/")
    page.get_by_role("link", name="Add a target…").first.click()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Give it a name that says who reads it")).to_be_visible()
    assert not Target.objects.exists()


def test_an_application_is_made_by_its_form_and_changed_by_its_toml(open_page: Opener, checkout: Application) -> None:
    toml = open_page("/settings/applications/of/checkout/").locator("#toml").inner_text()
    page = open_page("/settings/applications/import/")
    page.locator("textarea[name=toml]").fill(
        toml.replace('mode = "auto"', 'mode = "off"').replace("[policy", "[policies")
    )
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_text("Your text is still here.")).to_be_visible()

    page = open_page("/settings/applications/of/checkout/edit/")
    page.get_by_label("Tasks on ECS").fill("3")
    page.get_by_role("button", name="See what would change").click()
    page.get_by_role("button", name="Change it").click()
    checkout.refresh_from_db()
    assert checkout.document["policy"]["failover_count"] == 3
    assert not Operation.objects.exists()
