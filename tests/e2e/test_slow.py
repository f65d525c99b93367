"""On a slow line, and on none: what is typed stays, a tap is seen at once, and one that nobody hears is never done."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest
from playwright.async_api import Error, Page, Route, WebSocketRoute, expect

from domain import history
from domain.db import Database
from tests.e2e.conftest import Driver, Phone, Street
from tests.e2e.test_recharge import amounts

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY_MS = 150
"""Between two keys of somebody who types."""
SLOW_S = 0.2
UNHEARD = "No connection just now. Nothing was done; please try again."


@dataclass
class Line:
    """The way between a page and its server: how long a message takes, in seconds, each way."""

    delay: float = 0.0


async def line_of(page: Page) -> Line:
    """The page's websockets from now on, which a test makes slow."""
    line, loop = Line(), asyncio.get_running_loop()

    def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: loop.call_later(line.delay, server.send, message))
        server.on_message(lambda message: loop.call_later(line.delay, socket.send, message))

    await page.route_web_socket("**/_event/**", through)
    return line


async def test_every_digit_typed_on_a_slow_line_stays(driver: Driver) -> None:
    page = driver.page
    line = await line_of(page)
    await driver.phone.open("/wallet")
    await page.get_by_role("button", name="Other amount").click()
    field = page.get_by_role("textbox", name="Other amount")
    line.delay = SLOW_S
    await field.press_sequentially("1250", delay=KEY_MS)
    await expect(page.get_by_role("button", name="Add ₹1,250 with PhonePe")).to_be_visible()
    await expect(field).to_have_value("1250")
    await page.get_by_text("₹2,000", exact=True).click()
    await expect(field).to_have_value("")
    await expect(page.get_by_role("button", name="Add ₹2,000 with PhonePe")).to_be_visible()
    await field.press_sequentially("750", delay=KEY_MS)
    await expect(page.get_by_role("button", name="Add ₹750 with PhonePe")).to_be_visible()
    await expect(field).to_have_value("750")


async def test_a_limit_typed_on_a_slow_line_stays_and_a_usual_one_takes_its_place(
    driver_with_600: Driver, street: Street
) -> None:
    page = driver_with_600.page
    line = await line_of(page)
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_text("kWh", exact=True).click()
        field = page.get_by_label("Energy in kWh")
        await expect(field).to_be_visible()
        line.delay = SLOW_S
        await field.press_sequentially("12.5", delay=KEY_MS)
        await expect(page.get_by_text("12.5 kWh · about ₹225.00")).to_be_visible()
        await expect(field).to_have_value("12.5")
        await page.get_by_role("radio", name="20").click()
        await expect(field).to_have_value("20")
        await page.get_by_role("radio", name="Time").click()
        await expect(page.get_by_label("Time in minutes")).to_have_value("")


async def test_a_page_goes_on_after_a_download(driver_with_600: Driver, database: Database) -> None:
    page = driver_with_600.page
    await driver_with_600.phone.open("/wallet")
    async with page.expect_download() as file:
        await page.get_by_role("link", name="PDF").first.click()
    assert (await file.value).suggested_filename.endswith(".pdf")
    await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
    await page.wait_for_url("**/pay/**")
    assert await amounts(database, driver_with_600.id) == [100_000]


async def test_a_page_that_was_nearly_left_says_that_it_heard_no_tap_and_hears_the_next(
    driver: Driver, database: Database
) -> None:
    """Reflex ends its socket when a page is about to be left; one that is not left after all has none."""
    page = driver.page
    await driver.phone.open("/wallet")
    pay = page.get_by_role("button", name="Add ₹1,000 with PhonePe")
    await expect(pay).to_be_visible()
    # In one breath: a moment later the page may have a socket again, and the tap would be heard.
    await pay.evaluate("button => { window.dispatchEvent(new Event('beforeunload')); button.click() }")
    await expect(page.get_by_text(UNHEARD)).to_be_visible()
    assert await amounts(database, driver.id) == []
    await pay.click()
    await page.wait_for_url("**/pay/**")


async def test_help_leads_elsewhere_in_a_window_of_its_own(driver: Driver) -> None:
    page = driver.page
    await driver.phone.open("/help")
    for name in ("Write to us on WhatsApp", "help@"):
        await expect(page.get_by_role("link", name=name)).to_have_attribute("target", "_blank")


async def test_without_signal_nothing_is_done_by_keyboard_either(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page, context = driver_with_600.page, driver_with_600.phone.context
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        star = page.get_by_role("button", name="Add to favourites")
        await expect(page.get_by_role("button", name="Start charging")).to_be_visible()
        await context.set_offline(True)
        for button in (page.get_by_role("button", name="Start charging"), star):
            await button.press("Enter")
            await expect(page.get_by_text(UNHEARD).first).to_be_visible()
            await expect(button).to_have_css("pointer-events", "none")
        await context.set_offline(False)
        await star.click()
        await expect(page.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
        assert await database.read(history.current, driver_with_600.id) is None


async def test_a_tap_on_a_slow_line_is_seen_at_once(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    line = await line_of(page)
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        start = page.get_by_role("button", name="Start charging")
        await expect(start).to_be_visible()
        line.delay = 3.0
        await start.click()
        busy = page.get_by_role("button", name="Starting…")
        await expect(busy).to_be_disabled(timeout=5_000)  # before any answer can have come
        charger.plug()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")
        line.delay = 10.0
        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("button", name="Stop and pay").click()
        await expect(page.get_by_role("button", name="Stopping…")).to_be_disabled(timeout=15_000)
        await expect(page.get_by_text("No answer yet.")).to_be_visible()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible(timeout=60_000)


async def test_a_start_that_is_refused_can_be_tried_again(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_text("kWh", exact=True).click()
        start = page.get_by_role("button", name="Start charging")
        for _ in range(2):  # the same sentence twice
            await start.click()
            await expect(page.get_by_text("Enter the energy in kWh in digits, like 12.5.")).to_be_visible()
            await expect(start).to_be_enabled()


async def test_a_charger_asked_for_before_the_page_is_alive_is_found(driver: Driver, street: Street) -> None:
    """The form is built ahead, and on a slow line it is there long before its script."""
    page, come = driver.page, asyncio.Event()

    async def hold(route: Route) -> None:
        await come.wait()
        with suppress(Error):  # of the page before
            await route.continue_()

    async with street() as charger:
        await driver.phone.open("/help")
        await page.route("**/assets/*.js", hold)
        await page.goto(f"{driver.phone.url}/charge", wait_until="commit")
        await page.get_by_label("Charger ID or place").fill(charger.identity.lower())
        await page.get_by_role("button", name="Find").click(no_wait_after=True)
        await page.wait_for_url("**/charge?charger=*", wait_until="commit")
        come.set()
        await expect(page.get_by_role("heading", level=1, name=charger.identity)).to_be_visible()
        await page.go_back()
        await page.wait_for_url("**/charge")


async def test_a_form_is_not_posted_without_signal_and_keeps_what_was_typed(phone: Phone) -> None:
    await phone.open("/login")
    name, enter = phone.page.get_by_label("Username or phone number"), phone.page.get_by_role("button", name="Sign in")
    await name.fill("nobody_here")
    await phone.context.set_offline(True)
    await enter.click()
    await expect(phone.page.get_by_text("No signal.", exact=True)).to_be_visible()
    await expect(name).to_have_value("nobody_here")
    await phone.context.set_offline(False)
    await enter.click()
    await expect(phone.page.get_by_role("alert").filter(has_text="Enter your PIN.")).to_be_visible()


async def test_help_has_the_line_of_the_charge_that_runs(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page = driver_with_600.page
    async with street() as charger:
        charger.plug()
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")
        await driver_with_600.phone.open("/help")
        line = page.get_by_role("link", name=f"Open your charge at {charger.identity}")
        await expect(line).to_be_visible()
        await driver_with_600.phone.context.clear_cookies()
        await driver_with_600.phone.open("/help")
        await expect(page.get_by_text("in contact")).to_be_visible()
        await expect(line).to_have_count(0)
