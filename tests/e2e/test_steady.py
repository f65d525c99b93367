"""A page does not move under the eye: not while it comes in pieces, and not when a figure gets a digit more."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from domain import accounts, tariffs
from domain.db import Database
from domain.prices import Price
from tests.e2e.audit import NARROW, WIDE, watched
from tests.e2e.conftest import Driver, Street
from tests.e2e.running import Product

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST_PLACES = """() => {
    const list = document.querySelector("nav ul"), places = [...list.children].filter(one => one.checkVisibility());
    const box = one => JSON.stringify(one.getBoundingClientRect());
    const whole = places.map(box), moved = [];
    for (const last of [...places].reverse()) {
        last.remove();
        places.pop();
        places.forEach((one, n) => box(one) === whole[n] || moved.push(one.innerText));
    }
    return moved;
}"""
"""Places of the navigation that stand elsewhere while those behind them have not come."""

BOXES = """() => [...document.querySelectorAll("nav a[aria-label] span")].map(one => {
    const {x, y, width, height} = one.getBoundingClientRect();
    return [x, y, width, height];
})"""
"""Where the words and figures of the line above the navigation are."""

PAGES = ("/wallet", "/history", "/dashboard", "/c/{charger}")
TEN = re.compile(r"\d\d\.\d\d ?kWh")
OWN_ROOM = re.compile(r"(kWh|kW|of .* kW|\d+) [\d.]+,")
"""A unit stands right behind its own figure, and the last mark of a scale that has become longer at its end."""


@pytest.mark.parametrize("path", ["/dashboard", "/hi/history"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_a_navigation_of_which_not_all_has_come_moves_nothing(
    driver: Driver, path: str, size: dict[str, int]
) -> None:
    page = driver.page
    await page.set_viewport_size(size)  # type: ignore[arg-type]
    await driver.phone.open(path)
    await expect(page.locator("nav ul > li").first).to_be_visible()
    assert await page.evaluate(FIRST_PLACES) == []


@pytest.mark.parametrize("language", ["en", "hi"])
async def test_a_digit_more_moves_nothing(
    driver_with_600: Driver, chromium: Browser, street: Street, database: Database, product: Product, language: str
) -> None:
    """₹9.99 becomes ₹10.00, 9.99 kWh 10.00 and 9 s 10 s, on every page that shows a running charge."""
    await database.transact(accounts.speak, driver_with_600.id, language)
    prefix = "/hi" if language == "hi" else ""
    async with street(sample_seconds=1.0, speed=1.0) as charger:
        await database.transact(tariffs.set_price, Price(100, 0), charger_id=charger.identity)
        meter = charger.connector(1).meter
        meter.new_car(soc_percent=0)
        charger.plug()
        driver = driver_with_600.page
        await driver.goto(f"{product.url}{prefix}/c/{charger.identity}")
        await driver.get_by_role("button", name=re.compile("Start charging|चार्जिंग शुरू करें")).click()
        tabs = []
        for size in (NARROW, WIDE):
            context = await chromium.new_context(viewport=size)  # type: ignore[arg-type]
            await context.add_cookies(await driver_with_600.phone.context.cookies())  # type: ignore[arg-type]
            for path in PAGES:
                page, _ = await watched(await context.new_page())
                await page.goto(f"{product.url}{prefix}{path.format(charger=charger.identity)}")
                await expect(page.get_by_text(re.compile(r"\d\.\d\d ?kWh")).first).to_be_visible()
                tabs.append(page)
        before = [await _begin(page) for page in tabs]
        meter.speed = 300.0
        await expect(driver.locator("body")).to_have_text(TEN, timeout=60_000)
        meter.speed = 1.0
        for page in tabs:
            await expect(page.locator("body")).to_have_text(TEN)
        moved = [(page.url, one) for page in tabs for one in await page.evaluate("window.moved")]
        assert [(url, one) for url, one in moved if not OWN_ROOM.match(one)] == []
        assert [await page.evaluate(BOXES) for page in tabs] == before
        for context in {page.context for page in tabs}:
            await context.close()
        await driver.get_by_role("button", name=re.compile("Stop charging|चार्जिंग रोकें")).click()
        await driver.get_by_role("button", name=re.compile("Stop and pay|रोकें और भुगतान करें")).click()
        await expect(driver.get_by_role("region", name=re.compile("Receipt|रसीद"))).to_be_visible()


async def _begin(page: Page) -> Any:
    """From here on nothing may move; where the figures are."""
    assert not TEN.search(await page.locator("body").inner_text())
    await page.evaluate("window.moved = []")
    return await page.evaluate(BOXES)
