"""The operator's screen in a real browser: for whom, by what means and how quickly one sees and acts."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from failover.model import AlarmState, Split
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.operations import services
from panel.operations.models import Hold, Operation
from tests.browser.conftest import Opener
from tests.panel.web import examples


@pytest.fixture
def fleet(beating: None) -> Operation:
    """One that fails over, one on ECS that may not come home, one that failed and is held; and an event."""
    now = time.time()
    surging = examples.snapshot(at=now, alarm=AlarmState.ALARM, desired=2, concurrency=examples.wave(60, surge=True))
    examples.journal(found := examples.operation(examples.application("checkout", surging, name="Checkout API")))
    away = examples.snapshot(
        at=now, split=Split(0, 100), desired=6, running=6, healthy=6, concurrency=examples.wave(60)
    )
    examples.refusal(examples.application("search", away, name="Search API"))
    basket = examples.application("basket", examples.snapshot(at=now - 300), name="Basket API", mode="observe")
    examples.operation(basket, status="failed", error="No target became healthy.", ago=90)
    examples.hold(basket)
    event = Event.objects.create(event_id="1", detail_type="CloudWatch Alarm State Change", body={"detail": {"a": [1]}})
    event.applications.set(Application.objects.all())
    return found


def violations(page: Page) -> list[str]:
    """What axe finds wrong, each with the first element that it is about."""
    told = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response
    assert told["passes"], "axe looked at nothing"
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in told["violations"]]


def axe_on(page: Page, paths: list[str]) -> dict[str, list[str]]:
    base, found = re.sub(r"(?<=\d)/.*", "", page.url), {}
    for path in paths:
        page.goto(base + path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found[path] = violations(page)
    return {path: told for path, told in found.items() if told}


def test_axe_finds_nothing_wrong_with_what_an_incident_needs(open_page: Opener, fleet: Operation) -> None:
    paths = ["/", "/applications/checkout/", f"/operations/{fleet.pk}/"]
    assert axe_on(open_page("/"), paths) == {}


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_any_page(open_page: Opener, fleet: Operation, scheme: str) -> None:
    failed = Operation.objects.get(status="failed")
    paths = ["/", "/?q=nothing", "/applications/checkout/", "/applications/search/", "/applications/basket/"]
    paths += [f"/operations/{fleet.pk}/", f"/operations/{failed.pk}/", "/operations/", "/events/", "/refusals/"]
    paths += ["/audit/", "/applications/search/history/", "/applications/search/failback/", "/hold/", "/nowhere/"]
    paths += ["/applications/search/weights/", "/kill-switch/on/", "/applications/basket/mode/"]
    paths += [f"/events/{Event.objects.get().pk}/", "/applications/basket/acknowledge/", "/accounts/password/change/"]
    assert axe_on(open_page("/", color_scheme=scheme), paths) == {}


def test_axe_finds_nothing_wrong_with_a_dialog_and_its_errors(open_page: Opener, fleet: Operation) -> None:
    page = open_page("/applications/search/")
    page.get_by_role("link", name="Fail back…").click()
    page.locator("#dialog").get_by_role("button", name="Fail back").click()
    expect(page.locator("#dialog")).to_contain_text("Write a reason")
    assert violations(page) == []


def test_the_list_follows_while_one_types_and_the_address_keeps_it(
    open_page: Opener, fleet: Operation, complaints: list[str]
) -> None:
    page = open_page("/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("sea")

    expect(page.locator(".app")).to_have_count(1)
    expect(page.locator("#counted")).to_contain_text("1 of 3 shown")
    expect(page.get_by_label("Search")).to_be_focused()
    assert page.url.endswith("/?q=sea")
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("sea")
    page.get_by_label("Search").fill("")
    page.get_by_label("Show").select_option("with a running operation")
    expect(page.locator(".app .name")).to_have_text(["Checkout API"])
    assert complaints == []


def test_without_scripts_the_list_is_filtered_by_its_button(open_page: Opener, fleet: Operation) -> None:
    page = open_page("/", java_script_enabled=False, width=390)
    page.get_by_label("Search").fill("basket")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".app .name")).to_have_text(["Basket API"])


def test_the_plan_follows_the_slider(open_page: Opener, fleet: Operation, complaints: list[str]) -> None:
    page = open_page("/applications/search/")
    page.get_by_role("link", name="Set weights…").click()
    dialog = page.locator("#dialog")
    dialog.get_by_role("slider").fill("60")

    expect(dialog.locator("#plan")).to_contain_text(re.compile(r"refused|40/60"))
    dialog.get_by_role("slider").fill("100")
    expect(dialog.locator("#plan")).not_to_contain_text("refused")
    assert complaints == []


def test_a_failback_that_a_rule_forbids_is_overridden_by_keyboard_alone(
    open_page: Opener, fleet: Operation, complaints: list[str]
) -> None:
    page = open_page("/applications/search/")
    page.get_by_role("link", name="Fail back…").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.locator("#plan")).to_contain_text("As things are, this would be refused")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Lambda is fine again, I looked")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("search")
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(page.locator("#page")).to_contain_text("Failing back to Lambda")
    assert Operation.objects.get(goal="failback").override == ["lambda_ready"]
    assert complaints == []


def test_all_applications_are_held_and_let_go_in_two_dialogs(open_page: Opener, fleet: Operation) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Hold all…").click()
    page.get_by_label("Reason").fill("provider trouble")
    page.locator("#dialog").get_by_role("button", name="Hold all").click()
    expect(page.locator("#hold-for-all")).to_contain_text("Held by ada for all applications until")

    page.get_by_role("link", name="Release all…").click()
    page.locator("#dialog").get_by_role("button", name="Release all").click()
    expect(page.locator("#hold-for-all")).to_have_count(0)
    assert not Hold.objects.filter(application=None, released_at=None).exists()


def test_two_operators_at_once_the_second_is_told_and_keeps_what_they_typed(
    open_page: Opener, fleet: Operation
) -> None:
    first, second = open_page("/applications/search/"), open_page("/applications/search/")
    for page in (first, second):
        page.get_by_role("link", name="Set weights…").click()
        page.get_by_label("Reason").fill("canary")
    first.locator("#dialog").get_by_role("button", name="Set weights").click()
    expect(first.locator("#dialog")).to_be_hidden()
    second.locator("#dialog").get_by_role("button", name="Set weights").click()

    expect(second.locator("#dialog")).to_contain_text("one operation at a time")
    expect(second.get_by_label("Reason")).to_have_value("canary")
    assert Operation.objects.filter(goal="set_weights").count() == 1


def test_the_crosshair_tells_the_figures_of_a_time(open_page: Opener, fleet: Operation) -> None:
    page = open_page("/applications/search/")
    chart = page.locator("[data-chart]")
    chart.hover(position={"x": 200, "y": 90})

    tip = page.locator(".tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("Concurrency")
    expect(tip.locator("b")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    page.get_by_role("heading", level=1).hover()
    expect(tip).to_be_hidden()


def test_a_page_from_before_another_login_leads_to_the_login_and_back(open_page: Opener, fleet: Operation) -> None:
    page = open_page("/applications/search/")
    page.get_by_role("link", name="Hold…").click()
    page.get_by_label("Reason").fill("migration")
    page.context.clear_cookies()
    page.locator("#dialog").get_by_role("button", name="Hold").click()

    page.wait_for_url("**/accounts/login/?next=/applications/search/")
    assert not Hold.objects.filter(application__slug="search").exists()


def test_what_changes_is_announced_and_what_only_ticks_is_not(open_page: Opener, fleet: Operation) -> None:
    page = open_page("/applications/search/")
    told = page.locator("#situation")
    before = told.inner_text()
    assert "All traffic on ECS" in before

    services.place_hold(Application.objects.get(slug="search"), owner="bo", reason="migration", minutes=60)

    expect(told).to_contain_text("Held by bo", timeout=9000)


def test_a_report_prints_without_what_can_be_pressed(open_page: Opener, fleet: Operation) -> None:
    failed = Operation.objects.get(status="failed")
    page = open_page(f"/operations/{failed.pk}/")
    expect(page.locator("#report")).to_be_visible()
    page.emulate_media(media="print")

    expect(page.locator("#report")).to_be_visible()
    for hidden in (page.locator(".bar"), page.locator("#json"), page.locator("#retry")):
        expect(hidden).to_be_hidden()
