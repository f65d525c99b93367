"""A page does not move under the eye: not while it comes in pieces, and not when a figure gets a digit more."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from domain import accounts, tariffs
from domain.db import Database
from domain.prices import Price
from tests.e2e.audit import NARROW, SHIFT, WIDE, watched
from tests.e2e.conftest import Driver, Street
from tests.e2e.desk import operator
from tests.e2e.running import ROOT, Product

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIECES = """() => {
    const range = document.createRange(), nodes = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const one = walk.currentNode, element = one.nodeType === 3 ? one.parentElement : one;
        const painted = element.checkVisibility() && !element.closest("script, style");
        if (painted && one.nodeValue?.trim() !== "") nodes.push(one);
    }
    const box = one => {
        range.selectNode(one);
        const {left, top, right, bottom} = (one.nodeType === 3 ? range : one).getBoundingClientRect();
        return {left, top, seen: [left, top, right, bottom].map((edge, n) =>
            Math.round(Math.min(Math.max(edge, 0), n % 2 ? innerHeight : innerWidth) / 2))};
    };
    const size = ({seen: [left, top, right, bottom]}) => (right - left) * (bottom - top);
    const columns = Math.ceil(innerWidth / 2) + 1;
    const shift = (before, after) => {
        const painted = new Set();
        let farthest = 0;
        before.forEach((was, n) => {
            const is = after[n], far = Math.max(Math.abs(was.left - is.left), Math.abs(was.top - is.top));
            if (far < 3 || !size(was) || !size(is)) return;
            farthest = Math.max(farthest, far);
            for (const {seen: [left, top, right, bottom]} of [was, is])
                for (let y = top; y < bottom; y++)
                    for (let x = left; x < right; x++) painted.add(y * columns + x);
        });
        return 4 * painted.size / (innerWidth * innerHeight) * farthest / Math.max(innerWidth, innerHeight);
    };
    const whole = nodes.map(box), pauses = [], steps = [];
    for (let later = whole; nodes.length > 1; ) {
        nodes.pop().remove();
        const now = nodes.map(box);
        pauses.push(shift(now, whole));
        steps.push(shift(now, later));
        later = now;
    }
    return [Math.max(0, ...pauses), steps.reduce((sum, one) => sum + one, 0)];
}"""
"""What a document moves that stops once on its way, at the worst place, and what one does that comes node by node;
counted as Chromium counts its Layout Instability: the part of the window that is touched, times how far of it."""

BOXES = """() => [...document.querySelectorAll("nav a[aria-label] span")].map(one => {
    const {x, y, width, height} = one.getBoundingClientRect();
    return [x, y, width, height];
})"""
"""Where the words and figures of the line above the navigation are."""

BUILT = ROOT / ".web" / "build" / "client"
PAGES = ("/wallet", "/history", "/dashboard", "/c/{charger}")
TEN = re.compile(r"\d\d\.\d\d ?kWh")
OWN_ROOM = re.compile(r"(kWh|kW|of .* kW|\d+) [\d.]+,")
"""A unit stands right behind its own figure, and the last mark of a scale that has become longer at its end."""


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_a_document_that_comes_in_pieces_moves_nothing(
    product: Product, chromium: Browser, phones: Any, database: Database, size: dict[str, int]
) -> None:
    desk = await operator(await phones(), database)
    context = await chromium.new_context(viewport=size, java_script_enabled=False)  # type: ignore[arg-type]
    await context.add_cookies(await desk.phone.context.cookies())  # type: ignore[arg-type]
    page, found = await context.new_page(), {}
    for path in prerendered():
        await page.goto(product.url + path)
        await page.evaluate("document.fonts.ready.then(() => null)")
        found[path] = await page.evaluate(PIECES)
    await context.close()
    assert found["/wallet"][1] > 0
    assert {path: shifts for path, shifts in found.items() if max(shifts) > SHIFT} == {}


def prerendered() -> list[str]:
    """The address of every page that comes as a document with all that it shows at first."""
    every = [str(one.relative_to(BUILT).with_suffix("")) for one in BUILT.rglob("*.html") if one.stem != "index"]
    return [f"/{one}" for one in sorted(every) if one not in ("404", "nothing")]


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
        await driver.get_by_role("button", name=re.compile("Stop and pay|रोकें और पैसे दें")).click()
        await expect(driver.get_by_role("region", name=re.compile("Receipt|रसीद"))).to_be_visible()


async def _begin(page: Page) -> Any:
    """From here on nothing may move; where the figures are."""
    assert not TEN.search(await page.locator("body").inner_text())
    await page.evaluate("window.moved = []")
    return await page.evaluate(BOXES)
