"""Every page and state through the audit, and the whole story by keyboard alone; `make audit` prints the table."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from domain import accounts, findings, health, tariffs
from domain.db import Database
from domain.health import Noted
from domain.models import now
from domain.prices import Price
from tests.e2e.audit import (
    LIGHT,
    NARROW,
    WIDE,
    WITH_DECODER,
    WITH_DIALOG,
    Found,
    Most,
    first_visit,
    look,
    table,
    watched,
    weigh,
)
from tests.e2e.browsers import PIN
from tests.e2e.conftest import Driver, Phone, Street
from tests.e2e.desk import operator
from tests.e2e.running import Product

pytestmark = pytest.mark.asyncio(loop_scope="session")

Act = Callable[[Page], Awaitable[Any]]


class Inspection:
    """A narrow and a wide window side by side, and what was found in them."""

    def __init__(self, url: str, narrow: Page, wide: Page, complaints: list[list[str]]) -> None:
        self.url = url
        self.windows = (narrow, wide)
        self.complaints = complaints
        self.found: list[Found] = []

    async def page(self, name: str, path: str, shows: str, most: Most = LIGHT) -> None:
        """Load a page, weigh it, and look at it once it shows what it should."""
        found = Found(name, most)
        narrow, wide = self.windows
        found.scripts, found.all = await weigh(narrow, self.url + path)
        await first_visit(wide, self.url + path)
        await self._look(found, shows)
        for page in self.windows:
            found.shift = max(found.shift, await page.evaluate("window.shifts"))
            found.moved += await page.evaluate("window.moved")

    async def state(self, name: str, act: Act, shows: str) -> None:
        """Do something in both windows, and look at what it led to."""
        for page in self.windows:
            await act(page)
        await self._look(Found(name), shows)

    async def _look(self, found: Found, shows: str) -> None:
        for page in self.windows:
            await expect(page.get_by_text(shows).locator("visible=true").first).to_be_visible()
            await expect(page.locator("h1")).to_have_count(1)
        await asyncio.gather(*(look(page, found) for page in self.windows))
        for heard in self.complaints:
            # Chromium itself complains of a document that is not there.
            found.console += [text for text in heard if "404 (Not Found)" not in text]
            heard.clear()
        self.found.append(found)


@asynccontextmanager
async def inspecting(product: Product, chromium: Browser, cookies: list[Any]) -> AsyncIterator[Inspection]:
    """Prints the table at the end, and lets nothing pass that needs mending."""
    windows, complaints = [], []
    for size in (NARROW, WIDE):
        context = await chromium.new_context(viewport=size, locale="en-IN")  # type: ignore[arg-type]
        await context.add_cookies(cookies)
        page, heard = await watched(await context.new_page())
        windows.append(page)
        complaints.append(heard)
    inspection = Inspection(product.url, windows[0], windows[1], complaints)
    try:
        yield inspection
    finally:
        for page in windows:
            await page.context.close()
        sys.stdout.write(table(inspection.found))
    assert [f"{one.name}: {fault}" for one in inspection.found for fault in one.faults] == []


async def test_pages_for_everybody(product: Product, chromium: Browser) -> None:
    async with inspecting(product, chromium, []) as inspection:
        await inspection.page("login", "/login?next=/c/BLR-017", "Sign in to charge at BLR-017")
        await inspection.page("hindi, login", "/hi/login?next=/c/BLR-017", "BLR-017 पर चार्ज करने के लिए")
        await inspection.page("hindi, register", "/hi/register", "पहले से खाता है?")
        await inspection.page("register", "/register", "Create an account")
        await inspection.state("register, refused", _press("Create account"), "A PIN has 6 digits.")
        await inspection.page("help", "/help", "A person answers")
        await inspection.page("offline", "/offline", "No connection")
        await inspection.page("not found", "/nowhere", "Nothing at this address.")


async def test_a_drivers_pages(
    product: Product, chromium: Browser, driver_with_600: Driver, street: Street, database: Database
) -> None:
    cookies = await driver_with_600.phone.context.cookies()
    async with (
        street() as charger,
        street() as busy,
        street() as faulted,
        inspecting(product, chromium, cookies) as inspection,
    ):
        busy.plug()
        await busy.swipe(1, "SOMEBODY-ELSE")
        await busy.answered("StartTransaction")
        faulted.fault()
        await inspection.page("home, new", "/dashboard", "Your chargers")
        await inspection.page("charge", "/charge", "Chargers you use will appear here.")
        await inspection.page("scan", "/scan", "This device has no camera.", WITH_DECODER)
        await inspection.page("history, empty", "/history", "No charges yet.")
        await inspection.page("wallet", "/wallet", "For the test")
        await inspection.state("wallet, other amount", _press("Other amount"), "₹500 minimum")
        await inspection.page("you", "/profile", "This device")
        for button, shows in EDITORS.items():
            await inspection.state(f"you, {button.lower()}", _press(button), shows)
        await inspection.page("charger, unknown", "/c/E2E-9", "No charger E2E-9.", WITH_DIALOG)
        await inspection.page("charger, in use", f"/c/{busy.identity}", "Somebody else has it now.", WITH_DIALOG)
        await inspection.state("charger, a fault", _choose("Report a fault"), "What is wrong?")
        await inspection.page("charger, faulted", f"/c/{faulted.identity}", "out of order.", WITH_DIALOG)
        await inspection.page("charger, free", f"/c/{charger.identity}", "Plug in, then start.", WITH_DIALOG)
        await inspection.state("charger, a limit", _choose("kWh"), "Energy in kWh")
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await driver_with_600.page.get_by_role("button", name="Start charging").click()
        await inspection.page("charger, waiting", f"/c/{charger.identity}", "Nothing is charged", WITH_DIALOG)
        charger.plug()
        await charger.answered("MeterValues", count=4)
        await inspection.page("live", f"/c/{charger.identity}", "Cost so far", WITH_DIALOG)
        await inspection.state("live, change limit", _choose("Change"), "Save limit")
        await inspection.state("live, stop?", _press("Stop charging"), "The rest stays in your wallet.")
        await inspection.page("home, charging", "/dashboard", "so far")
        await inspection.page("wallet, charging", "/wallet", "Set aside")
        await inspection.page("you, charging", "/profile", "This device")
        await inspection.state("you, log out?", _press("Sign out"), "Stay signed in")
        await driver_with_600.page.get_by_role("button", name="Stop charging").click()
        await driver_with_600.page.get_by_role("button", name="Stop and pay").click()
        await inspection.page("receipt", f"/c/{charger.identity}", "See all charges", WITH_DIALOG)
        await inspection.page("home", "/dashboard", "Keep evapp on your home screen")
        await inspection.page("history", "/history", "Test Street")
        await inspection.state("history, one", _follow("Test Street"), "Get help with this charge")


async def test_an_operators_pages(
    product: Product, chromium: Browser, phones: Any, driver_with_600: Driver, street: Street, database: Database
) -> None:
    desk = await operator(await phones(), database)
    await desk.phone.open("/ops/tariffs")
    await desk.give_pin()
    cookies = await desk.phone.context.cookies()
    await database.transact(tariffs.set_price, Price(1_800, 0, start_paise=1_000), group="audit")
    async with street(connectors=2) as charger, inspecting(product, chromium, cookies) as inspection:
        await database.transact(findings.note, "boot-loop", charger.identity, "5 boots in 10 minutes.")
        await database.transact(health.add, {charger.identity: Noted(repairs=3, unanswered=1)}, now())
        charger.plug()
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await driver_with_600.page.get_by_role("button", name="Start charging").first.click()
        await charger.answered("MeterValues", count=4)
        await inspection.page("ops, fleet", "/ops", "in contact")
        await inspection.state("ops, more", _open("More"), "Chargers")
        await inspection.page("ops, charger", f"/ops/c/{charger.identity}", "Health since", WITH_DIALOG)
        await inspection.state("ops, a question", _ask_something, "Cancel")
        await inspection.page("ops, charges", "/ops/sessions", driver_with_600.username, WITH_DIALOG)
        await inspection.page("ops, findings", "/ops/findings", "boots again and again", WITH_DIALOG)
        await inspection.state("ops, resolve", _press("Resolve:"), "What came of it")
        await inspection.page("ops, users", "/ops/users", "A part of a username")
        await inspection.page("ops, user", f"/ops/users/{driver_with_600.id}", "What can be done", WITH_DIALOG)
        await inspection.state("ops, adjust", _press("Adjust the wallet"), "Which way")
        await inspection.page("ops, tariffs", "/ops/tariffs", "A new price", WITH_DIALOG)
        await inspection.page("ops, payments", "/ops/refunds", "Recharges", WITH_DIALOG)
        await inspection.page("ops, trail", "/ops/trail", "user make-operator")
        await inspection.page("ops, PIN", "/ops/pin?next=/ops", "It opens changes")
        await inspection.page("hindi, ops", "/hi/ops", "संपर्क में")
        await inspection.page("hindi, ops charger", f"/hi/ops/c/{charger.identity}", "चालू चार्जिंग", WITH_DIALOG)
        await driver_with_600.page.get_by_role("button", name="Stop charging").click()
        await driver_with_600.page.get_by_role("button", name="Stop and pay").click()
        await expect(driver_with_600.page.get_by_role("region", name="Receipt")).to_be_visible()


async def _ask_something(page: Page) -> None:
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()


def _open(word: str) -> Act:
    async def open_it(page: Page) -> None:
        summary = page.locator("summary").get_by_text(word, exact=True)
        if await summary.is_visible():
            await summary.click()

    return open_it


async def test_pages_in_hindi(
    product: Product, chromium: Browser, driver_with_600: Driver, street: Street, database: Database
) -> None:
    await database.transact(accounts.speak, driver_with_600.id, "hi")
    cookies = await driver_with_600.phone.context.cookies()
    async with street() as charger, inspecting(product, chromium, cookies) as inspection:
        await inspection.page("hindi, home", "/hi/dashboard", "आपके चार्जर")
        await inspection.page("hindi, wallet", "/hi/wallet", "लेन-देन")
        await inspection.page("hindi, you", "/hi/profile", "यह डिवाइस")
        await inspection.state("hindi, PIN", _press("PIN बदलें"), "नया PIN फिर से")
        await inspection.page("hindi, help", "/hi/help", "सवाल")
        await inspection.page("hindi, charger", f"/hi/c/{charger.identity}", "प्लग लगाएँ, फिर", WITH_DIALOG)
        charger.plug()
        await driver_with_600.phone.open(f"/hi/c/{charger.identity}")
        await driver_with_600.page.get_by_role("button", name="चार्जिंग शुरू करें").click()
        await charger.answered("MeterValues", count=4)
        await inspection.page("hindi, live", f"/hi/c/{charger.identity}", "अब तक का ख़र्च", WITH_DIALOG)
        await inspection.state("hindi, stop?", _press("चार्जिंग रोकें"), "बाक़ी पैसे वॉलेट में रहेंगे।")
        await inspection.page("hindi, history", "/hi/history", "हिस्ट्री")
        await driver_with_600.page.get_by_role("button", name="चार्जिंग रोकें").click()
        await driver_with_600.page.get_by_role("button", name="रोकें और पैसे दें").click()
        await expect(driver_with_600.page.get_by_text("सभी चार्जिंग देखें")).to_be_visible()


EDITORS = {
    "Edit Mobile number": "New mobile number",
    "Edit Your car": "Battery in kWh",
    "Edit Firm on invoices": "As on its GST registration.",
    "Change PIN": "New PIN again",
    "Delete my account": "Delete your account?",
}
"""What opens the editors of /profile, one of each kind, and what it then says."""


def _press(name: str) -> Act:
    async def press(page: Page) -> None:
        await page.get_by_role("button", name=name).first.click()

    return press


def _choose(word: str) -> Act:
    async def choose(page: Page) -> None:
        await page.get_by_text(word, exact=True).click()

    return choose


def _follow(name: str) -> Act:
    async def follow(page: Page) -> None:
        await page.get_by_role("link", name=name).first.click()

    return follow


async def test_the_whole_story_by_keyboard_alone(driver_with_600: Driver, phones: Any, street: Street) -> None:
    phone: Phone = await phones()
    page, keys = phone.page, phone.page.keyboard
    async with street() as charger:
        await phone.open("/login")
        await _tab_to(page, page.get_by_label("Username or phone number"))
        await keys.type(driver_with_600.username)
        await _tab_to(page, page.get_by_label("PIN", exact=True))
        await keys.type(PIN)
        await keys.press("Enter")
        await page.wait_for_url("**/dashboard")
        await _tab_to(page, page.get_by_role("link", name="Charge", exact=True))
        await keys.press("Enter")
        await _tab_to(page, page.get_by_label("Charger ID"))
        await keys.type(charger.identity)
        await keys.press("Enter")
        await expect(page.get_by_text("Plug in, then start.")).to_be_visible()
        charger.plug()
        await _tab_to(page, page.get_by_role("button", name="Start charging"))
        await keys.press("Enter")
        await expect(page.get_by_text("Cost so far")).to_be_visible()
        stop = page.get_by_role("button", name="Stop charging")
        await _tab_to(page, stop)
        await keys.press("Enter")
        await expect(page.get_by_role("button", name="Keep charging")).to_be_focused()
        await keys.press("Escape")
        await expect(stop).to_be_focused()
        await keys.press("Enter")
        await _tab_to(page, page.get_by_role("button", name="Stop and pay"))
        await keys.press("Enter")
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
        await _tab_to(page, page.get_by_role("link", name="See all charges"))
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="History")).to_be_visible()


async def _tab_to(page: Page, target: Locator) -> None:
    """Press Tab until it has the focus, as somebody without a mouse would; and it must be seen there."""
    await expect(target).to_be_visible()
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await target.evaluate("one => one === document.activeElement"):
            assert await target.evaluate(IN_SIGHT), f"{target} has the focus behind something"
            return
    raise AssertionError(f"Tab never reaches {target}")


IN_SIGHT = """one => {
    const box = one.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const top = document.elementFromPoint(x, y);
    return !!top && (one.contains(top) || top.contains(one));
}"""
"""Whether the middle of a focused thing lies under nothing (WCAG 2.4.11)."""
