"""`make screenshots`: the running product before, during and after a failover, as pictures in docs/images/."""

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from lab.traffic import Traffic
from stack.directories import fresh_directory
from stack.product import LOGIN, Product, forget_foreign_settings, start_product
from stack.run import plan_panel
from stack.screen import Screen, wants_colour
from stack.settings import ROOT, SettingsError
from stack.supervisor import Supervisor, supervise
from stack.traffic import ASIDE, CALM, SURGE

SLUG = "checkout"
DEADLINE_MS = 120_000
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    name: str
    width: int
    height: int
    dark: bool


LOOKS = (Look("", 1440, 900, dark=False), Look("-dark", 1440, 900, dark=True), Look("-phone", 390, 844, dark=False))


def pictures(directory: Path, screen: Screen) -> int:
    """Returns the exit status. Raises SettingsError without chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SettingsError("make screenshots needs chromium: apt-get install chromium.")
    forget_foreign_settings()
    plan = plan_panel(os.environ, fresh_directory(directory))

    async def work(supervisor: Supervisor) -> int:
        product = await start_product(supervisor, directory, plan)
        clients = {each.slug: Traffic(each.urls) for each in product.lab.applications}
        for slug, each in clients.items():
            each.start()
            each.set(**(CALM if slug == SLUG else ASIDE))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
            await Gallery(product, browser, ROOT / "docs" / "images", screen).fill(clients[SLUG])
        await asyncio.gather(*(each.stop() for each in clients.values()))
        return 0

    return asyncio.run(supervise(work, directory / "log", screen))


@dataclass
class Gallery:
    """Takes the pictures; `screen` tells of each."""

    product: Product
    browser: Browser
    directory: Path
    screen: Screen

    async def fill(self, checkout: Traffic) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        page = await self._logged_in(LOOKS[0])
        await self._take_all("login", "/accounts/login/", logged_in=False)
        await asyncio.sleep(30)  # the charts get a past
        await self._take_all("fleet-calm", "/")
        checkout.set(**SURGE)
        await self._watch(page, "Waiting for")
        await self._take_all("fleet", "/")
        await self._take_all("application", f"/applications/{SLUG}/")
        await self._take_lab()
        await self._watch(page, "All traffic on ECS")
        await self._take_all("on-ecs", f"/applications/{SLUG}/")
        await self._take_all("operation", "/operations/1/")
        await self._take_all("set-weights", f"/applications/{SLUG}/weights/")
        await self._take_all("fail-back", f"/applications/{SLUG}/failback/")
        await self._take_all("hold-all", "/hold/")
        await self._take_all("history", f"/applications/{SLUG}/history/?span=hour")
        for name in ("operations", "events", "refusals", "audit"):
            await self._take_all(name, f"/{name}/")

    async def _watch(self, page: Page, text: str) -> None:
        """Until the application's own page says so, as it updates by itself."""
        await page.goto(f"{self.product.panel.url}/applications/{SLUG}/")
        await page.locator(".lead").get_by_text(text).wait_for(timeout=DEADLINE_MS)

    async def _take_all(self, name: str, path: str, *, logged_in: bool = True) -> None:
        for look in LOOKS:
            page = await (self._logged_in(look) if logged_in else self._page(look))
            await page.goto(f"{self.product.panel.url}{path}")
            await page.wait_for_load_state("load")
            await page.screenshot(path=self.directory / f"{name}{look.name}.png", full_page=look.width < 900)
            await page.context.close()
        self.screen.say(f"{name}: {path}")

    async def _take_lab(self) -> None:
        """Its page at the same moment, which needs no login."""
        for look in (each for each in LOOKS if each.width > 900):
            page = await self._page(look)
            await page.goto(f"{self.product.lab.endpoint}/_lab/")
            await page.locator("#pulse-text", has_text="live").wait_for()
            await page.screenshot(path=self.directory / f"lab{look.name}.png")
            await page.context.close()
        self.screen.say("lab: /_lab/")

    async def _page(self, look: Look) -> Page:
        context = await self.browser.new_context(
            viewport={"width": look.width, "height": look.height}, color_scheme="dark" if look.dark else "light"
        )
        return await context.new_page()

    async def _logged_in(self, look: Look) -> Page:
        page = await self._page(look)
        await page.goto(f"{self.product.panel.url}/accounts/login/")
        await page.fill("input[name=login]", LOGIN)
        await page.fill("input[name=password]", self.product.password)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{self.product.panel.url}/")
        return page


if __name__ == "__main__":
    try:
        sys.exit(
            pictures(
                ROOT / "build" / "pictures", Screen(sys.stdout.fileno(), colour=wants_colour(os.environ), verbose=False)
            )
        )
    except SettingsError as error:
        sys.exit(str(error))
