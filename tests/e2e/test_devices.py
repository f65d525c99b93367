"""What phones on their side, iPhones, password managers, screen readers and printers make of a page."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from domain import wallet
from domain.db import Database
from tests.e2e.conftest import Driver, Phone, Street, register

pytestmark = pytest.mark.asyncio(loop_scope="session")

FLAT = ({"width": 844, "height": 390}, {"width": 640, "height": 320}, {"width": 568, "height": 300})

COVERED = """() => {
    const words = document.createRange();
    words.selectNodeContents(document.querySelector(".text-dial"));
    const figure = words.getBoundingClientRect();
    const stop = [...document.querySelectorAll("button")].find(one => one.innerText.includes("Stop charging"))
        .getBoundingClientRect();
    const across = Math.min(figure.right, stop.right) - Math.max(figure.left, stop.left);
    const down = Math.min(figure.bottom, stop.bottom) - Math.max(figure.top, stop.top);
    const bar = document.querySelector("nav").getBoundingClientRect().top;
    return {over: across > 0 && down > 0, figure: figure.bottom <= bar, stop: stop.bottom <= bar && stop.width > 100};
}"""

NAMES = """() => [...document.querySelectorAll("form:has([autocomplete=current-password])")].map(form => {
    const name = form.querySelector("[autocomplete=username]"), pin = form.querySelector("[type=password]");
    const before = name && name.compareDocumentPosition(pin) & Node.DOCUMENT_POSITION_FOLLOWING;
    return before && name.tabIndex === -1 && !name.name && name.value;
})"""

BARS = "[...document.querySelectorAll('meta[name=theme-color]')].map(one => one.content)"

PALE = """() => [...document.querySelectorAll("h1, main *")].filter(one => one.checkVisibility()
    && [...one.childNodes].some(part => part.nodeType === Node.TEXT_NODE && part.data.trim())
    && one.getClientRects().length && !one.closest("svg, .sr-only")).filter(one => {
        const [red, green, blue] = getComputedStyle(one).color.match(/[0-9.]+/g).map(Number);
        return 0.3 * red + 0.6 * green + 0.1 * blue > 140;
    }).map(one => one.innerText)"""
"""Words that are to be read on a dark ground, which a printer leaves out."""


@pytest.mark.parametrize("size", FLAT, ids=lambda size: f"{size['width']}x{size['height']}")
async def test_on_a_phone_on_its_side_stop_leaves_the_figure_free(
    driver_with_600: Driver, street: Street, size: Any
) -> None:
    page = driver_with_600.page
    await page.set_viewport_size(size)
    async with street() as charger:
        charger.plug()
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")
        await page.evaluate("scrollTo(0, 0)")
        assert await page.evaluate(COVERED) == {"over": False, "figure": True, "stop": True}
        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("button", name="Stop and pay").click()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()


@pytest.mark.parametrize(
    ("act", "first"), [("Change PIN", "pin"), ("Edit Mobile number", "phone"), ("Delete my account", "pin")]
)
async def test_a_password_manager_sees_whose_pin_a_form_asks_for(driver: Driver, act: str, first: str) -> None:
    """Else it fills in the PIN of somebody else, or keeps the new one under none."""
    page = driver.page
    await driver.phone.open("/profile")
    await expect(page.get_by_text("This device", exact=True)).to_be_visible()
    await page.get_by_role("button", name=act).click()
    await expect(page.locator(f"#{first}")).to_be_focused()
    assert await page.evaluate(NAMES) == [driver.username]


async def test_a_device_that_makes_a_pin_up_is_told_its_form(driver: Driver, phones: Callable[..., Any]) -> None:
    """An iPhone offers a password of twenty letters, and lays it over the field."""
    rules = "minlength: 6; maxlength: 6; required: digit;"
    await driver.phone.open("/profile")
    await driver.page.get_by_role("button", name="Change PIN").click()
    stranger: Phone = await phones()
    await stranger.open("/register")
    for page in (driver.page, stranger.page):
        chosen = page.locator("[autocomplete=new-password]")
        await expect(chosen).to_have_count(2)
        for one in await chosen.all():
            await expect(one).to_have_attribute("passwordrules", rules)


@pytest.mark.parametrize(("phone_has", "chosen", "paper"), [("light", "Dark", "#0C1412"), ("dark", "Light", "#FAF6EE")])
async def test_the_browsers_bar_follows_the_theme_that_was_chosen_in_the_app(
    driver: Driver, phone_has: Any, chosen: str, paper: str
) -> None:
    page = driver.page
    await page.emulate_media(color_scheme=phone_has)
    await driver.phone.open("/profile")
    await page.get_by_role("button", name=chosen, exact=True).click()
    await expect(page.locator(f'meta[name=theme-color][content="{paper}"]')).to_have_count(2)
    await page.reload()
    await expect(page.locator(f'meta[name=theme-color][content="{paper}"]')).to_have_count(2)
    await page.get_by_role("button", name="Automatic", exact=True).click()
    await expect(page.locator(f'meta[name=theme-color][content="{paper}"]')).to_have_count(0)


async def test_on_paper_there_is_what_is_to_be_read_and_nothing_to_press(
    driver_with_600: Driver, street: Street
) -> None:
    page = driver_with_600.page
    await _charged(driver_with_600, street)
    await page.emulate_media(color_scheme="dark")
    await driver_with_600.phone.open("/history")
    await page.get_by_role("listitem").filter(has_text="Test Street").get_by_role("link").click()
    await expect(page.get_by_text("Receipt number")).to_be_visible()
    for path in ("", "/history", "/wallet"):
        if path:
            await driver_with_600.phone.open(path)
            await expect(page.get_by_text("Test Street").or_(page.get_by_text("Charging at")).first).to_be_visible()
        assert await page.evaluate(PALE) != []
        await page.emulate_media(media="print")
        await expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
        await expect(page.locator("button:visible, a.act:visible, select:visible")).to_have_count(0)
        assert await page.evaluate(PALE) == []
        assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        await page.emulate_media(media="screen")


async def test_who_is_signed_out_keeps_no_form_for_a_receipt(driver_with_600: Driver, street: Street) -> None:
    """The browser kept the sign-in page under the receipt's name, and the page said nothing."""
    page = driver_with_600.page
    await _charged(driver_with_600, street)
    await driver_with_600.phone.open("/history")
    await page.get_by_role("listitem").filter(has_text="Test Street").get_by_role("link").click()
    await page.wait_for_url("**/history/*")
    await driver_with_600.phone.context.clear_cookies()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Receipt (PDF)").click()
    assert await (await waiting.value).failure() is not None


async def test_from_one_charger_to_the_next_the_page_says_where_it_is(
    phones: Callable[[], Awaitable[Phone]], street: Street, database: Database
) -> None:
    """The page stays, and its title: a screen reader heard nothing, and its place was lost with the link."""
    driver = await register(await phones(), database)
    await database.transact(wallet.adjust, driver.id, 60_000, key=f"e2e-{driver.id}", reason="For the test")
    page = driver.page
    async with street() as faulted, street() as free:
        faulted.fault()
        await driver.phone.open(f"/c/{faulted.identity}")
        await page.get_by_role("link").filter(has_text=free.identity).press("Enter")
        await expect(page.get_by_role("heading", name=free.identity)).to_be_visible()
        await expect(page.locator("#arrival")).to_have_text(f"{free.identity}. Plug in, then start.")
        await expect(page.locator("main")).to_be_focused()


async def test_an_iphone_is_told_how_it_keeps_the_app(phones: Callable[..., Any], database: Database) -> None:
    """It has no menu that installs, and shows notices from the home screen alone."""
    phone: Phone = await phones()
    await phone.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'standalone', {get: () => false}); delete globalThis.Notification"
    )
    driver = await register(phone, database)
    await phone.open("/profile")
    await expect(driver.page.get_by_text("On an iPhone, tap Share, then “Add to Home Screen”")).to_be_visible()


async def _charged(driver: Driver, street: Street) -> None:
    """Let the driver have a finished charge behind him."""
    page: Page = driver.page
    async with street() as charger:
        charger.plug()
        await driver.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")
        charger.press_stop()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
