"""From a change in AWS to the changed page, while operations run and 200 others watch through one live process."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page, async_playwright

from bench.figures import Figure
from lab.load import percentile
from lab.traffic import Traffic
from stack.pictures import CHROMIUM
from stack.product import LOGIN, Product, forget_foreign_settings, start_product
from stack.run import plan_panel
from stack.screen import Screen
from stack.supervisor import Supervisor, supervise
from stack.traffic import CALM
from stack.watch import sight

SLUG = "checkout"
VIEWERS = 200
ROUNDS = 2
MOST_SECONDS = 2.0
LOOK_SECONDS = 0.1
PATIENCE_MS = 240_000
# The page tells when each figure became what; it is asked for at the end.
RECORDER = """() => {
  window.seen = [];
  const number = (text) => { const found = /\\d+/.exec(text || ""); return found ? Number(found[0]) : null; };
  const look = () => {
    const facts = document.querySelectorAll(".facts dd");
    const now = {
      desired: number(facts[0]?.textContent), healthy: number(facts[2]?.textContent),
      ecs: number(document.querySelector(".big .is-ecs")?.textContent),
    };
    const last = window.seen.at(-1);
    if (!last || ["desired", "healthy", "ecs"].some((name) => last[name] !== now[name])) {
      window.seen.push({ at: Date.now() / 1000, ...now });
    }
  };
  look();
  new MutationObserver(look).observe(document.getElementById("page"), {
    subtree: true, childList: true, characterData: true,
  });
}"""
SHOWN = ("desired", "healthy", "ecs")


@dataclass
class Course:
    """What AWS was and what the page showed, each with its time, in order."""

    truth: list[dict[str, Any]] = field(default_factory=list)
    page: list[dict[str, Any]] = field(default_factory=list)
    hinted: int = 0
    lost: int = 0


def measure() -> list[Figure]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("This benchmark needs chromium: apt-get install chromium.")
    forget_foreign_settings()
    course = Course()
    with tempfile.TemporaryDirectory() as directory:
        plan = plan_panel(os.environ, Path(directory))

        async def work(supervisor: Supervisor) -> int:
            product = await start_product(supervisor, Path(directory), plan)
            await _incident(product, chromium, course)
            return 0

        screen = Screen(sys.stderr.fileno(), colour=False, verbose=False)
        if asyncio.run(supervise(work, Path(directory) / "log", screen)):
            raise RuntimeError("The product did not run to the end of the benchmark.")
    return list(_figures(course))


async def _incident(product: Product, chromium: str, course: Course) -> None:
    """Failovers and failbacks by hand, one after the other, watched by everybody."""
    clients = Traffic(product.lab.application(SLUG).urls)
    clients.start()
    clients.set(**CALM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        page = await _opened(product, await browser.new_page())
        viewers = [asyncio.create_task(each) for each in await _viewers(page, course)]
        truth = asyncio.create_task(_truth(product, course))
        await page.evaluate(RECORDER)
        for _ in range(ROUNDS):
            await _ask(page, "Fail over", "All traffic on ECS")
            await _ask(page, "Fail back", "All traffic on Lambda")
        course.page = await page.evaluate("window.seen")
        for task in (truth, *viewers):
            task.cancel()
        await asyncio.gather(truth, *viewers, return_exceptions=True)
        await browser.close()
    await clients.stop()


async def _ask(page: Page, button: str, ends: str) -> None:
    """Start an operation as an operator does, and wait for its end; a rule in the way is overridden."""
    await page.get_by_role("link", name=f"{button}…").click()
    dialog = page.locator("#dialog")
    await dialog.get_by_label("Reason").fill("A benchmark")
    if await dialog.locator("[data-override]").count():
        await dialog.locator("[data-override]").check()
        await dialog.locator("[name=typed]").fill(SLUG)
    await dialog.get_by_role("button", name=button, exact=True).click()
    await page.locator(".lead").get_by_text(ends).wait_for(timeout=PATIENCE_MS)


async def _opened(product: Product, page: Page) -> Page:
    await page.goto(f"{product.panel.url}/accounts/login/?next=/applications/{SLUG}/")
    await page.fill("input[name=login]", LOGIN)
    await page.fill("input[name=password]", product.password)
    await page.keyboard.press("Enter")
    await page.locator(".facts").first.wait_for()
    return page


async def _viewers(page: Page, course: Course) -> list[Any]:
    """As many streams as there are others who watch, with this page's login."""
    address = str(await page.locator("[sse-connect]").get_attribute("sse-connect"))
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in await page.context.cookies())
    return [_view(address, cookies, course) for _ in range(VIEWERS)]


async def _view(address: str, cookies: str, course: Course) -> None:
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    asked = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookies}\r\n\r\n"
    writer.write(asked.encode())
    try:
        while line := await reader.readline():
            course.hinted += line.startswith(b"event: hint")
        course.lost += 1
    finally:
        writer.close()


async def _truth(product: Product, course: Course) -> None:
    while True:
        now = sight(await product.lab.state(), SLUG)
        shown = {"desired": now.desired, "healthy": now.healthy, "ecs": next(iter(now.written.values()))[1]}
        if not course.truth or any(course.truth[-1][name] != value for name, value in shown.items()):
            course.truth.append({"at": now.at, **shown})
        await asyncio.sleep(LOOK_SECONDS)


def delays(truth: Sequence[dict[str, Any]], page: Sequence[dict[str, Any]]) -> list[float]:
    """Seconds from each change until the page shows it, or something that came after it."""
    found = []
    for name in SHOWN:
        changed = [each for before, each in pairwise(truth) if before[name] != each[name]]
        for index, change in enumerate(changed):
            fresh = {each[name] for each in changed[index:]}
            shown = [each["at"] for each in page if each["at"] >= change["at"] - LOOK_SECONDS and each[name] in fresh]
            found.append(max(0.0, shown[0] - change["at"]) if shown else float("inf"))
    return found


def _figures(course: Course) -> Iterator[Figure]:
    took = delays(course.truth, course.page)
    yield Figure("changes in AWS", len(took), better="", least=5)
    yield Figure("until the page shows it, median", round(percentile(took, 50), 2), "s")
    yield Figure("until the page shows it, 95th percentile", round(percentile(took, 95), 2), "s", most=MOST_SECONDS)
    yield Figure("other viewers", VIEWERS, better="")
    yield Figure("hints that they got", course.hinted, better="")
    yield Figure("streams that broke", course.lost, most=0)
