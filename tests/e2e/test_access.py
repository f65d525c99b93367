"""For who does not see the page, sees it in other colours or in larger letters, or wants nothing to move."""

import asyncio
import re

import pytest
from playwright.async_api import FloatRect, Locator, Page, expect

from domain import wallet
from domain.db import Database
from simulator.chargers import VirtualCharger
from tests.e2e.audit import SIDEWAYS
from tests.e2e.conftest import PATIENCE_MS, Driver, Phone, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIVE_REGIONS = """() => [...document.querySelectorAll("main :is([role=status], [role=alert], [aria-live])")]
    .map(one => one.innerText)"""
CUT = """() => [...document.querySelectorAll("main *, nav *, h1")].filter(one => one.checkVisibility()
    && one.children.length === 0 && one.innerText?.trim() && !one.closest(".sr-only, svg")
    && (one.scrollWidth > one.clientWidth + 1) && getComputedStyle(one).display !== "inline")
    .map(one => one.innerText)"""
"""Words that are wider than their box."""
OUTSIDE = """() => [...document.querySelectorAll("nav a")].filter(one => one.checkVisibility()
    && one.getBoundingClientRect().right > innerWidth).map(one => one.innerText)"""
MOVING = """() => document.getAnimations().filter(one => one.playState === "running"
    && !["appear"].includes(one.animationName)).map(one => one.animationName ?? one.transitionProperty)"""
LARGER = "document.documentElement.style.setProperty('font-size', '200%')"
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea")]
    .filter(one => one.checkVisibility() && !(one.innerText?.trim() || one.getAttribute("aria-label")
    || one.labels?.length || one.getAttribute("aria-labelledby"))).map(one => one.outerHTML.slice(0, 120))"""

NAVIGATION = """
- navigation "Main":
  - list:
    - listitem:
      - link "Home"
    - listitem:
      - link "Charge"
    - listitem:
      - link "History"
    - listitem:
      - link "Wallet"
    - listitem:
      - link "You"
"""

SIGN_IN = """
- main:
  - heading "Sign in" [level=1]
  - paragraph:
    - status: Charge, and pay for the units you use.
  - text: Username or phone number
  - textbox "Username or phone number"
  - text: PIN
  - textbox "PIN"
  - button "Show what I type in PIN"
  - checkbox "Keep me signed in on this device" [checked]
  - text: /.+/
  - button "Sign in"
- contentinfo:
  - paragraph:
    - link "I forgot my PIN"
  - paragraph:
    - text: New here?
    - link "Create an account"
"""

HOME = """
- banner:
  - heading /(Hello|Good .+), .+/ [level=1]
- main:
  - region "Wallet":
    - heading "Wallet balance" [level=2]
    - paragraph: ₹600.00
    - group "Add money":
      - radio "₹500"
      - radio "₹1,000" [checked]
      - radio "₹2,000"
      - radio "₹5,000"
    - paragraph:
      - button "Other amount"
    - button "Add ₹1,000 with PhonePe"
  - heading "Start a charge" [level=2]
  - textbox "Charger ID or place"
  - button "Find"
  - link "Scan"
"""

FREE = """
- banner:
  - heading /E2E-.+/ [level=1]
  - button "Add to favourites"
- main:
  - region "Charger":
    - paragraph: ₹18.00/kWh
    - paragraph: all taxes included
    - paragraph: Plug in, then start.
    - paragraph: /Your wallet is good for about \\d+ kWh here/
    - group "Stop at":
      - radio "None" [checked]
      - radio "Rupees"
      - radio "kWh"
      - radio "Time"
    - button "Start charging"
  - paragraph:
    - link "Open in Maps"
    - link "Get help"
"""

LIVE = """
- main:
  - status: /Charging\\. .+ so far\\./
  - region "Live meter":
    - img /kWh delivered so far/
    - term: Cost so far
    - definition: /₹/
    - term: Power
    - definition: /kW/
    - term: Time
    - definition
    - term: Price
    - definition: ₹18.00/kWh
  - button "Stop charging"
"""

RECEIPT = """
- main:
  - region "Receipt":
    - paragraph: /₹/
  - term: Charger
  - definition
  - link "Receipt (PDF)"
  - link "See all charges"
  - button "Done"
"""


async def test_names_roles_and_order_are_those_of_the_story(
    phone: Phone, driver_with_600: Driver, street: Street
) -> None:
    page = driver_with_600.page
    await phone.open("/dashboard")
    await _reads(page, HOME)
    await _reads(page, NAVIGATION)
    async with street() as charger:
        await phone.open(f"/c/{charger.identity}")
        await _reads(page, FREE)
        await _charge(page, charger)
        await _reads(page, LIVE)
        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("button", name="Stop and pay").click()
        await _reads(page, RECEIPT)
    for path in ("/wallet", "/history", "/profile", "/help"):
        await phone.open(path)
        await expect(page.locator(".bone").locator("visible=true")).to_have_count(0)
        assert await page.evaluate(NAMELESS) == [], path
    await phone.context.clear_cookies()
    await phone.open("/login")
    await _reads(page, SIGN_IN)


async def test_the_running_charge_is_read_with_its_figures_on_every_page(
    driver_with_600: Driver, street: Street
) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await _charge(page, charger)
        for path in ("/dashboard", "/wallet"):
            await driver_with_600.phone.open(path)
            name = re.compile(rf"Open your charge at {charger.identity}.*Charging.*kWh.*₹\d")
            await expect(page.get_by_role("link", name=name)).to_be_visible()


async def test_a_page_that_comes_without_a_load_is_said_and_the_keyboard_goes_on_in_it(driver: Driver) -> None:
    """A browser says the title of what it loads; of a page that takes another's place it says nothing."""
    page, said = driver.page, driver.page.locator("#arrival")
    await driver.phone.open("/dashboard")
    await expect(page.get_by_role("heading", level=1, name=driver.username)).to_be_visible()
    await expect(said).to_have_text("")
    await expect(page.locator("body")).to_be_focused()
    for place, title in (("Wallet", "Wallet · evapp"), ("Home", "Home · evapp"), ("Wallet", "Wallet · evapp")):
        await page.get_by_role("navigation", name="Main").get_by_role("link", name=place).press("Enter")
        await expect(said).to_have_text(title)
        await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="₹1,000")).to_be_focused()


async def test_what_happens_at_the_charger_is_said_where_a_reader_listens_already(
    driver_with_600: Driver, street: Street
) -> None:
    """Words that come together with their live region go unsaid (WCAG technique ARIA22)."""
    page = driver_with_600.page
    said = page.locator("main [role=status].sr-only").first
    async with street() as charger:
        charger.fault()
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await expect(page.get_by_text("This charger is out of order.")).to_be_visible()
        await said.evaluate("one => one.dataset.kept = ''")
        charger.repair()
        await expect(said).to_have_text("This charger is free.")
        await expect(said).to_have_attribute("data-kept", "")
        await _charge(page, charger)
        await page.evaluate("document.querySelectorAll('[role=status]').forEach(one => one.dataset.kept = '')")
        charger.suspend_ev()
        paused = page.get_by_role("status").filter(has_text="Your car has paused. It may start again by itself.")
        await expect(paused).to_have_count(1)
        await expect(paused).to_have_attribute("data-kept", "")
        charger.press_stop()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()


async def test_the_end_of_a_charge_is_said_and_the_keyboard_goes_on_at_the_receipt(
    driver_with_600: Driver, street: Street
) -> None:
    """The meter goes, with the button that had the focus; a reader who comes back to the receipt is left alone."""
    page = driver_with_600.page
    said = page.locator("main [role=status].sr-only")
    receipt = page.get_by_role("region", name="Receipt")
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await _charge(page, charger)
        await said.evaluate("one => one.dataset.kept = ''")
        await page.get_by_role("button", name="Stop charging").press("Enter")
        await page.get_by_role("button", name="Stop and pay").press("Enter")
        await expect(receipt).to_be_focused()
        await expect(said).to_have_text(re.compile(rf"Your charge at {charger.identity} has ended: .+ kWh, ₹.+\."))
        await expect(said).to_have_attribute("data-kept", "")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Receipt (PDF)")).to_be_focused()
        await page.reload()
        await expect(receipt).to_be_visible()
        await expect(said).to_have_text("")
        await expect(page.locator("body")).to_be_focused()


async def test_at_the_end_of_a_long_list_the_keyboard_goes_on_where_it_was(
    driver_with_600: Driver, database: Database
) -> None:
    """The button that showed more went, and took the focus with it."""
    page = driver_with_600.page
    for number in range(30):
        key = f"long-{driver_with_600.id}-{number}"
        await database.transact(wallet.adjust, driver_with_600.id, 100, key=key, reason="Once more")
    await driver_with_600.phone.open("/wallet")
    await page.get_by_role("button", name="Show 20 more").press("Enter")
    end = page.get_by_role("button", name="The list ends here.")
    await expect(end).to_be_focused()
    await expect(end).to_be_disabled()
    await expect(page.get_by_text("For the test")).to_be_visible()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("radio", name="All")).to_be_focused()


async def test_the_end_of_a_charge_takes_nobody_away_from_what_he_does(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await _charge(page, charger)
        await page.get_by_role("link", name="Wallet").focus()
        charger.press_stop()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
        await expect(page.get_by_role("link", name="Wallet")).to_be_focused()


async def test_what_ticks_is_not_read_aloud(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await _charge(page, charger)
        await expect(page.get_by_role("status").filter(has_text="so far.")).to_be_attached()
        said = await page.evaluate(LIVE_REGIONS)
        shown = await page.get_by_role("region", name="Live meter").inner_text()
        await expect(page.get_by_role("region", name="Live meter")).not_to_have_text(shown)
        sent = sum(one.action == "MeterValues" for one in charger.record.sent)
        await charger.answered("MeterValues", count=sent + 3)
        assert await page.evaluate(LIVE_REGIONS) == said


async def test_letters_of_twice_the_size_fit_and_nothing_moves_for_who_wants_that(
    driver_with_600: Driver, street: Street
) -> None:
    page, phone = driver_with_600.page, driver_with_600.phone
    await page.emulate_media(reduced_motion="reduce")
    async with street() as charger:
        await phone.open(f"/c/{charger.identity}")
        await expect(page.get_by_text("Plug in, then start.")).to_be_visible()
        await _fits(page)
        await _charge(page, charger)
        assert await page.evaluate(MOVING) == []
        await _fits(page)
        for path, shows in (("/dashboard", "so far"), ("/wallet", "Set aside"), ("/profile", "This device")):
            await phone.open(path)
            await expect(page.get_by_text(shows).first).to_be_visible()
            await _fits(page)
        for path, shows in (("/hi/dashboard", "अब तक"), ("/hi/wallet", "अलग रखे"), ("/hi/profile", "यह डिवाइस")):
            await phone.open(path)
            await expect(page.get_by_text(shows).first).to_be_visible()
            await page.set_viewport_size({"width": 360, "height": 740})
            assert await page.evaluate(CUT) == [], f"cut off at 360 px on {path}"
            await _fits(page)
        charger.press_stop()
        for path in (f"/c/{charger.identity}", f"/hi/c/{charger.identity}"):
            await page.set_viewport_size({"width": 320, "height": 740})
            await phone.open(path)
            await expect(page.locator("#receipt")).to_be_visible()
            await _fits(page)


async def test_on_a_small_phone_nothing_lies_over_what_is_to_be_read(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    await page.set_viewport_size({"width": 320, "height": 640})
    async with street(speed=1.0) as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("radio", name="kWh").click()
        await page.get_by_label("Energy in kWh").fill("30")
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        meter = page.get_by_role("region", name="Live meter")
        await expect(meter).to_contain_text("Ready about")
        await page.evaluate("scrollTo(0, 0)")
        stop = await box_of(page.get_by_role("button", name="Stop charging"))
        for reading in await meter.locator("dd").all():
            read = await box_of(reading)
            assert read["y"] + read["height"] <= stop["y"]

        await page.get_by_text("Change", exact=True).click()
        field = page.get_by_label("Energy in kWh")
        await field.fill("many")
        await field.evaluate("it => it.scrollIntoView({block: 'end'})")
        await field.press("Enter")
        error = page.locator("#stop_at-error")
        await expect(error).to_have_text(re.compile("digits"))
        bar = await box_of(page.get_by_role("navigation", name="Main"))
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while (at := await box_of(error))["y"] + at["height"] > bar["y"]:
                await page.evaluate("new Promise(requestAnimationFrame)")
        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("button", name="Stop and pay").click()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()


async def box_of(one: Locator) -> FloatRect:
    """Where it is in the window."""
    box = await one.bounding_box()
    assert box is not None
    return box


async def test_in_the_readers_own_colours_a_choice_is_still_to_be_seen(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    await page.emulate_media(forced_colors="active")
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        chosen = page.locator("label.chip", has=page.get_by_role("radio", name="None"))
        other = page.locator("label.chip", has=page.get_by_role("radio", name="Rupees"))
        width = "one => getComputedStyle(one).borderTopWidth"
        assert await chosen.evaluate(width) != await other.evaluate(width)
        colours = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
        assert len(set(await chosen.evaluate(colours))) == 2
        start = page.get_by_role("button", name="Start charging")
        assert await start.evaluate(width) != "0px"
        await _charge(page, charger)
        filled = "() => ['.fill', '.bed'].map(one => getComputedStyle(document.querySelector('.rail ' + one)).fill)"
        assert len(set(await page.evaluate(filled))) == 2


async def _reads(page: Page, tree: str) -> None:
    await expect(page.locator("body")).to_match_aria_snapshot(tree)


async def _charge(page: Page, charger: VirtualCharger) -> None:
    charger.plug()
    await page.get_by_role("button", name="Start charging").click()
    await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")


async def _fits(page: Page) -> None:
    await page.evaluate(LARGER)
    assert await page.evaluate(SIDEWAYS) <= 0, f"{page.url} scrolls sideways with letters of twice the size"
    assert await page.evaluate(CUT) == [], f"{page.url}: words are cut off"
    assert await page.evaluate(OUTSIDE) == [], f"{page.url}: places of the bar are out of sight"
    await page.evaluate("document.documentElement.style.removeProperty('font-size')")
