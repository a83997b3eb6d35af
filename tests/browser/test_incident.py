"""An operator's way through the whole product: the lab, the panel with all its processes, a browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.panel.web.servers import free_port

START_SECONDS, END_SECONDS = 90, 30
MOVE_SECONDS = 90  # tasks start, targets get healthy, weights move, and it settles
DEMO = """
import sys
from pathlib import Path
from stack.demo import demo
from stack.screen import Screen
sys.exit(demo(Path(sys.argv[1]), Screen(1, colour=False, verbose=False)))
"""

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Demo:
    url: str
    login: str
    password: str


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    output = tmp_path / "output.txt"
    environment = {**os.environ, "PORT": str(free_port())}
    with output.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-c", DEMO, str(tmp_path / "demo")], stdout=written, stderr=written, env=environment
        )
    try:
        yield _read_box(process, output)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(END_SECONDS)


def _read_box(process: subprocess.Popen[bytes], output: Path) -> Demo:
    """The address and the login that the demo prints once everything runs."""
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(r"Panel\s+(\S+).*?Login\s+(\S+).*?Password\s+(\S+)", output.read_text(), re.DOTALL)):
        assert process.poll() is None, f"the demo ended:\n{output.read_text()}"
        assert time.monotonic() < deadline, f"the demo was not up within {START_SECONDS} s:\n{output.read_text()}"
        time.sleep(0.2)
    return Demo(*found.groups())


@pytest.fixture
def page(chromium: Browser, demo: Demo) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(demo.url)
    page.get_by_label("Username").fill(demo.login)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Log in").click()
    yield page
    context.close()


def act(page: Page, link: str, button: str, reason: str | None) -> None:
    page.get_by_role("link", name=link).click()
    dialog = page.locator("#dialog")
    if reason:
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=button).click()
    expect(dialog).to_be_hidden()


@pytest.mark.full
def test_an_operator_moves_traffic_to_ecs_and_sees_it_move(page: Page, demo: Demo) -> None:
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    expect(page.get_by_role("list", name="Applications").get_by_role("listitem")).to_have_count(3)
    expect(page.locator("#pulse")).to_contain_text("Automation on")
    page.get_by_role("link", name="Search").click()
    shown = page.locator("#page")
    expect(shown).to_contain_text("All traffic on Lambda.")

    act(page, "Fail over…", "Fail over", "rehearsal")
    expect(shown).to_contain_text("Failing over to ECS")
    expect(shown).to_contain_text("All traffic on ECS since", timeout=MOVE_SECONDS * 1000)
    expect(page.get_by_role("img", name="Weights: Lambda 0, ECS 100")).to_be_visible()

    expect(shown).to_contain_text(f"Held by {demo.login} until")

    act(page, "Release…", "Release", None)
    expect(page.get_by_role("link", name="Fail back…")).to_be_visible()

    page.get_by_role("link", name=re.compile("Failover #")).first.click()
    expect(shown).to_contain_text("Started by")
    expect(shown).to_contain_text("request ")
    expect(shown).to_contain_text("In all")
    assert complaints == []
