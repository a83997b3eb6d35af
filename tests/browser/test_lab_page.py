"""The lab's page in a browser: it shows the world, breaks it, and is honest about a lab that is gone."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lab.process import LabProcess, start_lab

WORLD = """
[applications.checkout.function]
reserved_concurrency = 5
warm_environments = 1

[applications.checkout.task]
provisioning_seconds = 0.2
pending_seconds = 0.2
health_check_interval_seconds = 0.3

[[applications.checkout.rules]]
priority = 10
path = "/pong"

[[applications.checkout.alarms]]
name = "checkout-lambda-throttles"
metric = "Throttles"
statistic = "Sum"
threshold = 1
missing_data = "notBreaching"

[applications.search.function]
warm_environments = 0
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabProcess]:
    directory = tmp_path_factory.mktemp("lab-page")
    (directory / "world.toml").write_text(WORLD, encoding="utf-8")
    with start_lab(directory / "world.toml", directory / "state", port=0) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, lab: LabProcess, complaints: list[str]) -> Iterator[Page]:
    """The lab's page at 1440 px; ``complaints`` are errors, warnings and what the policy blocked."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{lab.endpoint}/_lab/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Checkout", ignore_case=True)
    yield page
    context.close()
    _ask(lab, "faults", "DELETE")


def _ask(lab: LabProcess, what: str, method: str = "GET") -> Any:
    request = urllib.request.Request(f"{lab.endpoint}/_lab/{what}", method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def _get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_switch_is_turned_works_and_is_mended(page: Page, lab: LabProcess, complaints: list[str]) -> None:
    url = lab.description["applications"]["checkout"]["urls"][0]
    switch = page.get_by_role("switch", name="Lambda fails")

    switch.focus()
    page.keyboard.press("Space")
    expect(page.locator("#switches-on")).to_have_text("1 on")
    assert _ask(lab, "faults")["on"] == [{"switch": "function_errors", "application": "checkout", "value": 100.0}]
    assert _get(f"{url}/bang") == 502
    expect(page.locator("#causes")).to_contain_text("502 Lambda failed")

    page.get_by_role("button", name="Mend everything").click()
    expect(switch).not_to_be_checked()
    expect(page.locator("#switches-on")).to_have_text("all off")
    assert _get(f"{url}/bang") == 200
    assert complaints == []


def test_a_value_is_given_and_changed_while_the_switch_is_on(page: Page, lab: LabProcess) -> None:
    page.get_by_role("radio", name="every application").check()
    page.get_by_label("Tasks start slowly: seconds").fill("7")
    page.get_by_role("switch", name="Tasks start slowly").check()
    expect(page.locator("#switches-on")).to_have_text("1 on")
    page.get_by_label("Tasks start slowly: seconds").fill("9")
    page.keyboard.press("Tab")
    expect(page.locator("#told")).to_have_text("Tasks start slowly: on")
    assert _ask(lab, "faults")["on"] == [{"switch": "tasks_start_slowly", "application": "", "value": 9.0}]


def test_an_accident_happens_and_one_that_cannot_says_why(page: Page, complaints: list[str]) -> None:
    page.locator("summary", has_text="Kill task").click()
    page.locator("details[open]").get_by_role("button", name="Let it happen").click()
    expect(page.locator("#accident-told")).to_contain_text("No task of checkout runs")

    page.locator("summary", has_text="Set desired count").click()
    page.locator("#set_desired_count-count").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("#accident-told")).to_contain_text("Set desired count happened to checkout")
    expect(page.locator(".tile").first).to_contain_text("healthy")

    page.locator("summary", has_text="Set weights").click()
    page.locator("#set_weights-lambda_").fill("0")
    page.locator("#set_weights-ecs").fill("5")
    page.locator("details[open]").get_by_role("button", name="Let it happen").click()
    expect(page.locator(".node").nth(1)).to_contain_text("news in")
    expect(page.locator(".node").nth(1)).to_contain_text("up to date")
    expect(page.locator(".node").nth(1)).to_contain_text("5 ECS")
    assert [each for each in complaints if "400" not in each] == []


def test_load_is_asked_for_and_nobody_sending_is_said(page: Page, lab: LabProcess) -> None:
    page.get_by_role("button", name="Calm").click()
    expect(page.locator("#load-arriving")).to_contain_text("nobody sends: run python -m lab.traffic")
    assert _ask(lab, "scenario")["loads"]["checkout"] == {"rate": 52.0, "slow_percent": 1.0}
    expect(page.get_by_role("slider", name="Requests a second")).to_have_value("52")


def test_a_scenario_is_picked_read_played_and_stopped(page: Page) -> None:
    page.get_by_role("combobox", name="Scenario").select_option("never-healthy")
    expect(page.locator("#scenario")).to_contain_text("New tasks run but fail")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#scenario")).to_contain_text("Waiting for time to pass")
    expect(page.locator("#switches-on")).to_have_text("1 on")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#switches-on")).to_have_text("all off")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_another_application_is_a_link(page: Page) -> None:
    page.get_by_role("link", name="search").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("search")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("search")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 720, 1180, 1440, 1920])
def test_no_width_scrolls_sideways_and_nothing_moves_when_figures_do(
    chromium: Browser, lab: LabProcess, width: int, scheme: Any
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{lab.endpoint}/_lab/")
    expect(page.locator("#pulse-text")).to_contain_text("live")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    before, text = page.locator("#accidents").bounding_box(), page.locator("#pulse-text").inner_text()
    expect(page.locator("#pulse-text")).not_to_have_text(text)
    assert page.locator("#accidents").bounding_box() == before
    context.close()


def test_a_lab_that_is_gone_is_said_with_since_when(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "world.toml").write_text("[applications.checkout.function]\nwarm_environments = 0\n", encoding="utf-8")
    page = chromium.new_page()
    with start_lab(tmp_path / "world.toml", tmp_path / "state", port=0) as lab:
        page.goto(f"{lab.endpoint}/_lab/")
        expect(page.locator("#pulse-text")).to_contain_text("live")
        expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#lost")).to_contain_text(re.compile(r"What you see is from \d\d:\d\d:\d\d"), timeout=10_000)
    expect(page.locator("#controls")).to_have_attribute("inert", "")
    page.close()
