"""Live and truthful: a phone that slept, a dead link, two tabs, a server that was gone; no figure looks newer than it
is."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from domain import history, wallet
from domain.db import Database
from evapp.components.money import kwh
from simulator.chargers import VirtualCharger
from tests.e2e.conftest import PATIENCE_MS, Driver, Street
from tests.e2e.running import Product
from tests.e2e.test_pages import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON_MS = 5_000
"""Within so long a phone that wakes shows what is so now."""
STALE_MS = 35_000
WAIT = "document.querySelector('.stale').getAnimations()[0]"
"""Found in the page and used at once: each reading brings another element, and one that is gone waits for nothing."""

TWICE = """([x, y]) => new Promise((done) => {
  document.elementFromPoint(x, y).click()
  requestAnimationFrame(() => { document.elementFromPoint(x, y).click(); done() })
})"""
"""Two taps at one place, the second one in the next frame, however slow the machine is."""

CABLE_ENDS = "[...document.querySelectorAll('.cable i')].at(-1)?.getBoundingClientRect().bottom"
BUTTON_BEGINS = (
    "[...document.querySelectorAll('button')].find((it) => it.innerText.includes('Stop charging'))"
    "?.getBoundingClientRect().top"
)
"""Likewise; without such an element no comparison holds."""


@pytest_asyncio.fixture(loop_scope="session")
async def charger(street: Street) -> AsyncIterator[VirtualCharger]:
    async with street(reconnect_seconds=(0.2, 0.5)) as charger:
        charger.plug()
        yield charger


def meter_of(page: Page) -> Locator:
    return page.get_by_role("region", name="Live meter")


async def sockets_of(page: Page) -> list[WebSocketRoute]:
    """The page's connections as they are made, for a test that ends one."""
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await page.route_web_socket("**/_event/**", through)
    return sockets


async def charging(driver: Driver, charger: VirtualCharger) -> Page:
    """The page of a charge that has begun."""
    await driver.phone.open(f"/c/{charger.identity}")
    await driver.page.get_by_role("button", name="Start charging").click()
    await expect(meter_of(driver.page)).not_to_contain_text("0.00kWh")
    return driver.page


async def paused(charger: VirtualCharger, database: Database, driver: Driver) -> str:
    """Let the car take nothing more; what the meter has come to, as a page shows it."""
    charger.suspend_ev()
    await charger.answered("StatusNotification", status="SuspendedEV")
    sent = sum(one.action == "MeterValues" for one in charger.record.sent)
    await charger.answered("MeterValues", count=sent + 2)
    charge = await database.read(history.current, driver.id)
    assert charge is not None
    return f"{kwh(charge.energy_wh)}kWh"


async def test_a_phone_that_slept_is_current_at_once(
    driver_with_600: Driver, charger: VirtualCharger, database: Database
) -> None:
    page = await charging(driver_with_600, charger)
    tools = await page.context.new_cdp_session(page)
    await tools.send("Page.setWebLifecycleState", {"state": "frozen"})
    now = await paused(charger, database, driver_with_600)
    await tools.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(meter_of(page)).to_contain_text(now, timeout=SOON_MS)
    await expect(meter_of(page)).to_contain_text("Paused", timeout=SOON_MS)


async def test_a_phone_that_slept_until_its_link_had_died_catches_up_by_itself(
    driver_with_600: Driver, charger: VirtualCharger, database: Database
) -> None:
    page, context = driver_with_600.page, driver_with_600.phone.context
    sockets = await sockets_of(page)
    await charging(driver_with_600, charger)
    tools = await page.context.new_cdp_session(page)
    await context.set_offline(True)
    await sockets[-1].close()
    await expect(page.get_by_text("Connection lost.")).to_be_visible()
    await tools.send("Page.setWebLifecycleState", {"state": "frozen"})
    now = await paused(charger, database, driver_with_600)
    await context.set_offline(False)
    await tools.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(meter_of(page)).to_contain_text(now)
    driver_with_600.phone.complaints.clear()  # the browser says that the link was gone: it was


SLEEPS = "window.slept = 0; { const now = Date.now.bind(Date); Date.now = () => now() + window.slept }"
WAKES = """window.slept = 20 * 60_000;
document.dispatchEvent(new Event("visibilitychange", {bubbles: true}))"""
"""A phone's timers sleep with it, and its clock does not."""


class Way:
    """The way between a page and its server: each socket on it goes silent when the phone sleeps, and nobody says so;
    a new one waits until it is `clear`."""

    def __init__(self) -> None:
        self.sleeps, self.clear = False, asyncio.Event()
        self.clear.set()

    async def lay(self, page: Page) -> None:
        """For the page's sockets from now on."""
        await page.add_init_script(SLEEPS)
        await page.route_web_socket("**/_event/**", self._carry)

    async def _carry(self, socket: WebSocketRoute) -> None:
        await self.clear.wait()
        silenced, server = not self.sleeps, socket.connect_to_server()
        socket.on_message(lambda said: None if silenced and self.sleeps else server.send(said))
        server.on_message(lambda said: None if silenced and self.sleeps else socket.send(said))


async def test_a_phone_that_slept_knows_at_once_that_its_link_died_unsaid(
    driver_with_600: Driver, charger: VirtualCharger, database: Database
) -> None:
    """Its socket was believed in for 25 s more, and old figures looked like new ones."""
    way = Way()
    await way.lay(driver_with_600.page)
    page = await charging(driver_with_600, charger)
    way.sleeps = True
    now = await paused(charger, database, driver_with_600)
    await page.evaluate(WAKES)
    await expect(meter_of(page)).to_contain_text(now, timeout=SOON_MS)
    await expect(meter_of(page)).to_contain_text("Paused", timeout=SOON_MS)


async def test_a_tap_on_a_link_that_died_asleep_is_not_done_later(
    driver_with_600: Driver, charger: VirtualCharger, database: Database
) -> None:
    """It was kept, and began a charge whenever the line came back."""
    page, way = driver_with_600.page, Way()
    await way.lay(page)
    await driver_with_600.phone.open(f"/c/{charger.identity}")
    start = page.get_by_role("button", name="Start charging")
    await expect(start).to_be_visible()
    way.sleeps = True
    way.clear.clear()
    await page.evaluate(WAKES)
    await start.click()
    await expect(page.get_by_text("No connection just now. Nothing was done; please try again.")).to_be_visible()
    way.clear.set()
    charger.unplug()
    await expect(page.get_by_text("Plug in, then start.")).to_be_visible()  # the line is back
    assert await database.read(history.current, driver_with_600.id) is None


async def test_the_phone_stays_awake_also_after_another_app(driver_with_600: Driver, charger: VirtualCharger) -> None:
    """A browser lets go of the screen when its page is hidden, and does not take it again by itself."""
    await driver_with_600.page.add_init_script(
        "window.kept = 0; Object.defineProperty(navigator, 'wakeLock', {value: {request: async () => { kept++ }}})"
    )
    page = await charging(driver_with_600, charger)
    await until(page, "window.kept === 1")
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    await until(page, "window.kept === 2")


async def test_the_cable_is_seen_to_its_end(driver_with_600: Driver, charger: VirtualCharger) -> None:
    """On a phone the button stays in sight, over what scrolls below it: the cable ends above it."""
    page = await charging(driver_with_600, charger)
    await expect(page.get_by_role("button", name="Stop charging")).to_be_visible()
    await until(page, f"{CABLE_ENDS} <= {BUTTON_BEGINS}")


async def test_two_tabs_agree(driver_with_600: Driver, charger: VirtualCharger, database: Database) -> None:
    page = await charging(driver_with_600, charger)
    other = await driver_with_600.phone.context.new_page()
    await other.goto(page.url)
    now = await paused(charger, database, driver_with_600)
    for tab in (page, other):
        await expect(meter_of(tab)).to_contain_text(now)
        await expect(meter_of(tab)).to_contain_text("Paused")
    await other.get_by_role("button", name="Stop charging").click()
    await other.get_by_role("button", name="Stop and pay").click()
    bills = []
    for tab in (page, other):
        await expect(tab.get_by_role("region", name="Receipt")).to_be_visible()
        bills.append(await tab.get_by_role("region", name="Receipt").inner_text())
    assert bills[0] == bills[1]


async def test_a_reading_says_by_itself_that_it_is_old_and_a_newer_one_takes_that_back(
    driver_with_600: Driver, charger: VirtualCharger, database: Database
) -> None:
    page = await charging(driver_with_600, charger)
    old = page.get_by_text("no news for a while")
    assert await page.evaluate(f"{WAIT}.effect.getComputedTiming().delay") == STALE_MS
    charger.go_offline()
    await expect(old).to_be_hidden()
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while not await old.is_visible():  # a reading that was on its way yet begins the wait anew
            await page.evaluate(f"{WAIT}.finish()")
    charger.go_online()
    await expect(old).to_be_hidden()


async def test_on_a_lost_link_a_balance_says_as_of_when(driver_with_600: Driver) -> None:
    page, context = driver_with_600.page, driver_with_600.phone.context
    sockets = await sockets_of(page)
    for path in ("/dashboard", "/wallet"):
        await driver_with_600.phone.open(path)
        await expect(page.get_by_text("₹600.00").first).to_be_visible()
        as_of = page.get_by_text("as of ").first
        await expect(as_of).to_be_hidden()
        await context.set_offline(True)
        await sockets[-1].close()
        await expect(as_of).to_be_visible()
        await context.set_offline(False)
        await expect(as_of).to_be_hidden()
    driver_with_600.phone.complaints.clear()  # the browser says that the link was gone: it was


async def test_without_signal_a_page_shows_what_was_known_last_and_says_nothing_twice(driver: Driver) -> None:
    page, places = driver.page, driver.page.get_by_role("navigation", name="Main")
    await driver.phone.open("/wallet")
    await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
    await page.get_by_role("button", name="Pay ₹").click()
    added = page.locator("#main").get_by_text("₹1,000 was added.")
    await expect(added).to_be_visible()
    purse = page.get_by_role("region", name="Wallet")
    await places.get_by_role("link", name="Home").click()
    await expect(page.get_by_role("heading", level=1, name=driver.username)).to_be_visible()  # Home has its answer
    await expect(purse.get_by_text("₹1,000.00")).to_be_visible()
    await driver.phone.context.set_offline(True)
    for place in ("Wallet", "Home"):
        await places.get_by_role("link", name=place).click()
        await expect(page.get_by_role("heading", level=1, name="Wallet")).to_have_count(1 if place == "Wallet" else 0)
        await expect(purse.get_by_text("₹1,000.00")).to_be_visible()
        await expect(purse.get_by_text("as of ")).to_be_visible()
        await expect(purse.locator(".bone").locator("visible=true")).to_have_count(0)
        await expect(added).to_have_count(0)
    await driver.phone.context.set_offline(False)
    driver.phone.complaints.clear()  # the browser says that the link was gone: it was


async def test_a_tap_on_a_dead_link_is_not_done_later_and_what_was_chosen_stays(
    driver_with_600: Driver, charger: VirtualCharger, database: Database
) -> None:
    page, context = driver_with_600.page, driver_with_600.phone.context
    sockets = await sockets_of(page)
    await driver_with_600.phone.open(f"/c/{charger.identity}")
    await page.get_by_role("radio", name="Rupees").click()
    await page.get_by_role("radio", name="₹200").click()
    await expect(page.get_by_text("about ₹200.00")).to_be_visible()
    start, star = page.get_by_role("button", name="Start charging"), page.get_by_role("button", name="avourite")
    await context.set_offline(True)
    await sockets[-1].close()
    await expect(page.get_by_text("Connection lost.")).to_be_visible()
    await expect(start).to_have_css("pointer-events", "none")
    for button in (start, start, star):
        await button.press("Enter")
    await context.set_offline(False)
    await expect(page.get_by_text("Connection lost.")).to_be_hidden()
    await star.click()
    await expect(star).to_have_attribute("aria-pressed", "true")
    assert await database.read(history.current, driver_with_600.id) is None
    await start.click()
    await expect(meter_of(page)).not_to_contain_text("0.00kWh")
    charge = await database.read(history.current, driver_with_600.id)
    assert charge is not None
    assert charge.session.limit_paise == 20_000
    driver_with_600.phone.complaints.clear()  # the browser says that the link was gone: it was


NOTE_OLD = """new MutationObserver(() => {
    window.old ||= document.querySelector("[aria-label=Wallet]")?.innerText.includes("₹0.00");
}).observe(document, {subtree: true, childList: true, characterData: true});"""


async def test_a_balance_that_the_tab_remembers_is_not_shown_as_the_one_of_now(
    driver: Driver, database: Database
) -> None:
    page = driver.page
    for number, path in enumerate(("/dashboard", "/wallet")):
        await driver.phone.open(path)
        await expect(page.get_by_text("₹0.00").first).to_be_visible()
        await driver.phone.open("/help")
        await expect(page.get_by_text("in contact")).to_be_visible()
        await database.transact(wallet.adjust, driver.id, 60_000, key=f"old-{driver.id}-{number}", reason="Since then")
        await page.add_init_script(NOTE_OLD)
        await driver.phone.open(path)
        await expect(page.get_by_text("₹600.00").first).to_be_visible()
        assert not await page.evaluate("window.old")
        await database.transact(wallet.adjust, driver.id, -60_000, key=f"new-{driver.id}-{number}", reason="Taken back")


async def test_a_double_tap_stops_once_and_stays_and_a_receipt_put_away_stays_away(
    driver_with_600: Driver, charger: VirtualCharger
) -> None:
    """Under the sheet's button lie the places of the app: the second tap must not go there."""
    page = await charging(driver_with_600, charger)
    await page.get_by_role("button", name="Stop charging").click()
    button = await page.get_by_role("button", name="Stop and pay").bounding_box()
    assert button is not None
    await page.evaluate(TWICE, [button["x"] + button["width"] / 2, button["y"] + button["height"] / 2])
    await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    assert page.url.endswith(f"/c/{charger.identity}")
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_role("heading", name=driver_with_600.username)).to_be_visible()
    await page.get_by_role("link", name=re.compile(charger.identity)).first.click()
    await expect(page.get_by_role("button", name="Start charging")).to_be_visible()


async def test_a_page_that_outlived_its_server_goes_on_by_itself(
    driver_with_600: Driver, charger: VirtualCharger, product: Product, database: Database
) -> None:
    page = await charging(driver_with_600, charger)
    await product.kill()
    await expect(page.get_by_text("Connection lost.")).to_be_visible()
    await expect(page.get_by_text("no news for a while")).to_be_visible()
    await product.start()
    await charger.until(lambda one: one.online, within=60)
    await expect(page.get_by_text("Connection lost.")).to_be_hidden()
    now = await paused(charger, database, driver_with_600)
    await expect(meter_of(page)).to_contain_text(now)
    await page.get_by_role("button", name="Stop charging").click()
    await page.get_by_role("button", name="Stop and pay").click()
    await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    driver_with_600.phone.complaints.clear()  # the browser says that the server was gone: it was
