"""What only a browser can show: policy, layout, dialogs, refreshing, and the honesty about a lost connection."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from failover.model import AlarmState, Split
from panel import audit
from panel.api import tokens
from panel.fleet import snapshots
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.operations import services
from panel.operations.models import Hold, Operation
from tests.browser.conftest import PASSWORD, Opener
from tests.panel.web import examples
from tests.panel.web.servers import Broker


@pytest.fixture
def checkout(beating: None) -> Application:
    shown = examples.snapshot(at=time.time(), concurrency=examples.wave(60))
    return examples.application("checkout", shown, name="Checkout API")


@pytest.fixture
def busy(checkout: Application) -> Operation:
    """A fleet with some of everything, names too long to fit included."""
    examples.journal(found := examples.operation(checkout))
    away = examples.snapshot(at=time.time(), split=Split(0, 100), desired=12, running=11, pending=1, healthy=10)
    examples.refusal(examples.application("search", away))
    long = examples.application("x" * 60, examples.snapshot(at=time.time() - 900), name="An API with a long name " * 4)
    examples.hold(long, reason="because of a long story " * 6)
    examples.operation(long, status="failed", error="no target became healthy " * 5, finished_at=datetime.now(UTC))
    audit.record(audit.Action.LOGIN_FAILED, subject="root" * 50, after={"key" * 20: "value" * 40})
    return found


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(
    "width", [1440, 390, pytest.param(320, marks=pytest.mark.full), pytest.param(3840, marks=pytest.mark.full)]
)
def test_no_page_breaks_the_policy_or_scrolls_sideways(
    open_page: Opener, busy: Operation, complaints: list[str], width: int
) -> None:
    page = open_page("/", width=width)
    base = page.url.rstrip("/")
    paths = ["/", "/applications/checkout/", f"/applications/{'x' * 60}/", f"/operations/{busy.pk}/", "/operations/"]
    event = Event.objects.create(event_id="e" * 128, detail_type="An event", body={"key": "x" * 500, "list": [1] * 50})
    event.applications.set(Application.objects.all())
    paths += ["/?q=nothing", "/?show=attention&sort=load", "/hold/", "/release/", "/applications/checkout/history/"]
    paths += ["/applications/checkout/?span=week", "/applications/search/weights/?weight_lambda=1&weight_ecs=2"]
    paths += ["/audit/", "/events/", f"/events/{event.pk}/", "/refusals/"]
    paths += ["/applications/search/failback/", "/applications/search/weights/"]
    failed = Operation.objects.get(status="failed")
    services.set_kill_switch(on=True, by="on-call", reason="because of a long story " * 6)
    paths += ["/applications/checkout/failback/", "/applications/search/mode/", "/kill-switch/on/", "/kill-switch/off/"]
    paths += [f"/applications/{'x' * 60}/acknowledge/", f"/operations/{failed.pk}/", f"/operations/{failed.pk}/retry/"]
    tokens.create("x" * 60, "viewer", addresses=["2001:db8::/32"])
    paths += [f"/settings/{each}/" for each in ("applications", "teams", "teams/people", "tokens", "webhook-keys")]
    paths += [f"/settings/applications/of/{'x' * 60}/", "/settings/applications/of/checkout/edit/"]
    paths += ["/settings/applications/import/", "/settings/applications/new/", "/settings/teams/in/default/"]
    paths += ["/applications/search/hold/", f"/operations/{busy.pk}/cancel/", "/accounts/password/change/"]
    for path in paths:
        page.goto(base + path)
        expect(page.locator("h1")).to_be_visible()
        assert overflow(page) <= 0, f"{path} is {overflow(page)} px too wide at {width} px"
    assert complaints == []


def test_a_failover_is_started_by_keyboard_alone(
    open_page: Opener, checkout: Application, complaints: list[str]
) -> None:
    page = open_page("/applications/checkout/")
    dialog = page.locator("#dialog")

    page.get_by_role("link", name="Fail over…").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    expect(dialog).to_contain_text("What will happen")
    page.keyboard.type("Lambda is slow")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(page.locator("#page")).to_contain_text("Failing over to ECS")
    operation = Operation.objects.get()
    assert (operation.reason, operation.requested_by.username) == ("Lambda is slow", "ada")  # type: ignore[union-attr]
    assert complaints == []


def test_escape_closes_a_dialog_and_focus_returns(open_page: Opener, checkout: Application) -> None:
    page = open_page("/")
    action = page.get_by_role("link", name="Fail over…")

    action.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#dialog")).to_be_hidden()
    expect(action).to_be_focused()
    assert not Operation.objects.exists()


def test_a_form_error_stays_in_the_dialog_beside_its_field(open_page: Opener, checkout: Application) -> None:
    page = open_page("/applications/checkout/")
    page.get_by_role("link", name="Hold…").click()
    dialog = page.locator("#dialog")

    dialog.get_by_label("4 hours").check()
    dialog.get_by_role("button", name="Hold").click()
    expect(dialog).to_contain_text("Write a reason")
    expect(dialog.get_by_label("4 hours")).to_be_checked()
    dialog.get_by_label("Reason").fill("migration")
    dialog.get_by_role("button", name="Hold").click()

    expect(dialog).to_be_hidden()
    expect(page.locator("#page")).to_contain_text("Held by ada until")
    assert Hold.objects.get().reason == "migration"


def test_a_conflict_is_explained_and_keeps_what_was_typed(open_page: Opener, checkout: Application) -> None:
    page = open_page("/applications/checkout/")
    page.get_by_role("link", name="Fail over…").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Reason").fill("mine")
    examples.operation(checkout)

    dialog.get_by_role("button", name="Fail over").click()

    expect(dialog).to_contain_text("single_writer")
    expect(dialog.get_by_label("Reason")).to_have_value("mine")


def test_slider_and_numbers_agree_and_nothing_for_nobody_can_not_be_sent(
    open_page: Opener, checkout: Application
) -> None:
    page = open_page("/applications/checkout/")
    page.get_by_role("link", name="Set weights…").click()
    dialog = page.locator("#dialog")
    to_lambda, to_ecs = dialog.get_by_label("Lambda weight"), dialog.get_by_label("ECS weight")
    slider = dialog.get_by_role("slider")

    slider.fill("30")
    expect(to_lambda).to_have_value("70")
    expect(to_ecs).to_have_value("30")
    expect(dialog).to_contain_text("70 % Lambda, 30 % ECS")
    to_lambda.fill("1")
    to_ecs.fill("3")
    expect(slider).to_have_value("75")
    to_lambda.fill("0")
    to_ecs.fill("0")
    dialog.get_by_label("Reason").fill("nobody")
    dialog.get_by_role("button", name="Set weights").click()

    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("0/0 would answer nobody")
    assert not Operation.objects.exists()


def test_a_hint_refreshes_the_page_and_leaves_the_reader_alone(
    open_page: Opener, checkout: Application, complaints: list[str]
) -> None:
    page = open_page("/applications/checkout/")
    expect(page.locator("#page")).to_contain_text("All traffic on Lambda.")
    page.locator("#figures summary").click()
    page.get_by_role("link", name="Hold…").focus()
    page.evaluate("document.querySelector('h1').seen = true")

    snapshots.store(checkout, examples.snapshot(at=time.time(), split=Split(0, 100), concurrency=examples.wave(60)))

    expect(page.locator("#page")).to_contain_text("All traffic on ECS.", timeout=4000)
    expect(page.get_by_role("link", name="Hold…")).to_be_focused()
    expect(page.locator("#figures")).to_have_attribute("open", "")
    assert page.evaluate("document.querySelector('h1').seen"), "what did not change must stay the same element"
    assert complaints == []


def test_what_is_being_typed_survives_a_refresh(open_page: Opener, checkout: Application) -> None:
    page = open_page("/applications/checkout/")
    page.get_by_role("link", name="Fail over…").click()
    reason = page.locator("#dialog").get_by_label("Reason")
    reason.fill("half a sen")

    snapshots.store(checkout, examples.snapshot(at=time.time(), alarm=AlarmState.ALARM))

    expect(page.locator("#page")).to_contain_text("In alarm", timeout=4000)
    expect(reason).to_have_value("half a sen")
    expect(reason).to_be_focused()


def test_without_live_updates_the_page_polls(open_page: Opener, checkout: Application, broker: Broker) -> None:
    page = open_page("/applications/checkout/")
    broker.stop()

    snapshots.store(checkout, examples.snapshot(at=time.time(), split=Split(50, 50)))

    expect(page.locator("#page")).to_contain_text("Split 50/50", timeout=9000)
    broker.start()


def test_when_nothing_answers_the_page_says_since_when_it_is_old(open_page: Opener, checkout: Application) -> None:
    page = open_page("/")
    expect(page.locator("#lost")).to_be_hidden()

    page.route("**/*", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.locator("#lost")).to_be_visible(timeout=9000)
    expect(page.locator("#lost")).to_contain_text(re.compile(r"What you see is from \d\d:\d\d:\d\d"))
    page.unroute("**/*")
    expect(page.locator("#lost")).to_be_hidden(timeout=9000)


def test_a_session_that_ended_leads_to_the_login_and_back(open_page: Opener, checkout: Application) -> None:
    page = open_page("/applications/checkout/")
    Session.objects.all().delete()

    page.wait_for_url("**/accounts/login/?next=/applications/checkout/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.wait_for_url("**/applications/checkout/")


def test_times_are_told_in_the_readers_zone_and_clocks_run(open_page: Opener, busy: Operation) -> None:
    page = open_page(f"/operations/{busy.pk}/", timezone_id="Asia/Tokyo")
    asked = page.locator("time[data-local]").first
    tokyo = busy.created_at.timestamp() + 9 * 3600

    expect(asked).to_have_text(re.compile(datetime.fromtimestamp(tokyo, UTC).strftime("%H:%M:%S") + "$"))
    assert asked.get_attribute("title") == f"{busy.created_at:%Y-%m-%d %H:%M:%S} UTC"
    clock = page.locator("time[data-clock='fine']").first
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=4000)


def test_keys_open_their_list_and_lead_to_pages(open_page: Opener, checkout: Application) -> None:
    page = open_page("/")

    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("o")

    page.wait_for_url("**/operations/")


def test_without_scripts_everything_can_still_be_done(open_page: Opener, checkout: Application) -> None:
    page = open_page("/applications/checkout/", java_script_enabled=False)

    page.get_by_role("link", name="Set weights…").click()
    page.get_by_label("Lambda weight").fill("0")
    page.get_by_label("ECS weight").fill("0")
    page.get_by_label("Reason").fill("canary")
    page.get_by_role("button", name="Set weights").click()
    expect(page.locator("main")).to_contain_text("With 0 for both, nobody would be answered")
    expect(page.get_by_label("Reason")).to_have_value("canary")
    page.get_by_label("Lambda weight").fill("90")
    page.get_by_label("ECS weight").fill("10")
    page.get_by_role("button", name="Set weights").click()

    expect(page.locator("main")).to_contain_text("Setting weights to 90/10")
    assert Operation.objects.get().weight_ecs == 10


def test_all_automation_is_stopped_in_a_dialog_and_the_page_says_so_at_once(
    open_page: Opener, checkout: Application, operator: object
) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Stop all automation…").click()
    page.get_by_label("Reason").fill("AWS is acting up")
    page.get_by_role("button", name="Stop all automation").click()
    expect(page.get_by_label("Kill switch").get_by_text("Turned on by ada")).to_be_visible()
    expect(page.get_by_role("link", name="Let automation go on…")).to_be_visible()


def test_another_goal_takes_the_place_of_the_running_operation_from_a_dialog(
    open_page: Opener, checkout: Application
) -> None:
    first = examples.operation(checkout)
    page = open_page("/applications/checkout/")
    page.get_by_role("link", name="Fail back…").click()
    page.get_by_label("Reason").fill("wrong one")
    page.get_by_role("button", name=f"End Failover #{first.pk} and fail back").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    first.refresh_from_db()
    assert (first.status, first.superseded_by.goal) == ("superseded", "failback")
