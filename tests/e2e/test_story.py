"""The driver's story on a phone, against the production build, a real websocket charger and the payment sandbox."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from domain import chargers, history, statements, wallet
from domain.db import Database
from domain.models import now
from evapp.components.money import day
from simulator.phonepe import Sandbox
from tests.e2e.conftest import Driver, Phone, Street, register
from tests.e2e.running import Product
from tests.e2e.test_pages import worker_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_register_recharge_charge_and_read_what_it_cost(
    phone: Phone, street: Street, product: Product, database: Database
) -> None:
    async with street() as charger:
        await phone.open(f"/c/{charger.identity}")
        await phone.page.wait_for_url("**/login?next=*")
        await expect(phone.page.get_by_text(f"Sign in to charge at {charger.identity}")).to_be_visible()
        await phone.page.get_by_role("link", name="Create an account").click()
        await phone.page.wait_for_url("**/register*")
        driver = await register(phone, database, phone.page.url.removeprefix(product.url))
        page = driver.page
        await expect(page.get_by_role("heading", name=charger.identity)).to_be_visible()
        await page.get_by_role("link", name="Add money to start").click()

        await page.get_by_text("₹1,000", exact=True).click()
        await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
        await page.wait_for_url(f"{product.sandbox_url}/**")
        await page.get_by_role("button", name="Pay ₹").click()
        await page.wait_for_url(f"{product.url}/**")
        await expect(page.get_by_text("₹1,000.00").first).to_be_visible()

        await page.get_by_role("link", name="Charge", exact=True).click()
        await page.get_by_label("Charger ID").fill(charger.identity.lower().replace("-", " "))
        await page.get_by_role("button", name="Find").click()
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Live meter")).to_be_visible()
        await expect(page.get_by_text("Cost so far")).to_be_visible()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")

        await page.get_by_role("button", name="Stop charging").click()
        await expect(page.get_by_role("alertdialog")).to_contain_text("The rest stays in your wallet.")
        await page.get_by_role("button", name="Stop and pay").click()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()

        [charge] = await database.read(history.page, driver.id)
        money = await database.read(wallet.balance, driver.id)
        assert charge.cost_paise > 0
        assert money == wallet.Balance(100_000 - charge.cost_paise, 0, 0)
        assert charge.session.meter_stop_wh - charge.session.meter_start_wh == charge.energy_wh
        await _keeps(page, "Receipt (PDF)", f"receipt-{charge.session.receipt_number.replace('/', '-')}.pdf")
        await page.get_by_role("link", name="See all charges").click()
        await expect(page.get_by_role("listitem").filter(has_text="Test Street")).to_be_visible()

        await phone.open("/wallet")
        await _keeps(page, "Receipt (PDF)", "payment-RCH-")
        month = statements.name(now())
        await _keeps(page, ", PDF", f"statement-{month}.pdf")
        await _keeps(page, ", CSV", f"statement-{month}.csv")


async def test_a_charger_is_found_by_its_place(driver: Driver, street: Street, database: Database) -> None:
    """And its row is of now, as in the other lists."""
    page = driver.page
    async with street() as charger:
        await database.transact(chargers.rename, charger.identity, "", "Cubbon Park, east gate")
        await driver.phone.open("/charge")
        await page.get_by_label("Charger ID or place").fill("cubbon park")
        await page.get_by_role("button", name="Find").click()
        row = page.get_by_role("link").filter(has_text=charger.identity)
        await expect(row).to_contain_text("Free")
        await expect(page.get_by_role("status").filter(has_text="Chargers for “cubbon park”")).to_be_attached()
        charger.fault()
        await expect(row).to_contain_text("Out of order")
        await row.click()
        await expect(page.get_by_role("heading", name=charger.identity)).to_be_visible()


async def test_a_second_browser_sees_the_charger_change(
    phones: Callable[[], Awaitable[Phone]], street: Street, database: Database
) -> None:
    first, second = await register(await phones(), database), await register(await phones(), database)
    await database.transact(wallet.adjust, first.id, 60_000, key=f"e2e-{first.id}", reason="For the test")
    async with street() as charger:
        for driver in (first, second):
            await driver.phone.open(f"/c/{charger.identity}")
            await expect(driver.page.get_by_text("Plug in, then start.")).to_be_visible()
        charger.plug()
        await expect(second.page.get_by_text("A car is plugged in. Start if it is yours.")).to_be_visible()
        await first.page.get_by_role("button", name="Start charging").click()
        await expect(second.page.get_by_text("Somebody else has it now.")).to_be_visible()
        await expect(second.page.get_by_role("button", name="Start charging")).to_be_disabled()
        await expect(first.page.get_by_role("region", name="Live meter")).to_be_visible()
        await first.page.get_by_role("button", name="Stop charging").click()
        await first.page.get_by_role("button", name="Stop and pay").click()
        await expect(first.page.get_by_role("region", name="Receipt")).to_be_visible()
        await first.page.get_by_role("button", name="Done").click()
        for driver in (first, second):
            await expect(driver.page.get_by_text("Its cable is still in the car.")).to_be_visible()
        charger.unplug()
        await expect(second.page.get_by_text("Plug in, then start.")).to_be_visible()


async def test_a_fault_in_the_middle_bills_what_was_delivered(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")
        charger.fault()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
        await expect(page.get_by_text("You paid only for the units it delivered.")).to_be_visible()
        await driver_with_600.phone.open("/dashboard")
        await expect(page.get_by_role("heading", name="Your last charge")).to_be_visible()
        await page.get_by_role("link", name="The charger ended it because of a fault").click()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    [charge] = await database.read(history.page, driver_with_600.id)
    money = await database.read(wallet.balance, driver_with_600.id)
    assert (money.balance_paise, money.held_paise) == (60_000 - charge.cost_paise, 0)


async def test_too_little_money_leads_to_the_wallet(driver: Driver, street: Street) -> None:
    async with street() as charger:
        await driver.phone.open(f"/c/{charger.identity}")
        await expect(driver.page.get_by_text("At least ₹50.00 is needed to start.")).to_be_visible()
        await driver.page.get_by_role("link", name="Add money to start").click()
        await driver.page.wait_for_url("**/wallet")


async def test_a_refusing_charger_costs_nothing(driver_with_600: Driver, street: Street, database: Database) -> None:
    page = driver_with_600.page
    async with street() as charger:
        charger.answer_with("RemoteStartTransaction", {"status": "Rejected"})
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_text("The charger said no. Nothing was charged.")).to_be_visible()
        await driver_with_600.phone.open("/history")
        await expect(page.get_by_role("listitem").filter(has_text="The charger said no.")).to_contain_text(day(now()))
    assert await database.read(wallet.balance, driver_with_600.id) == wallet.Balance(60_000, 0, 0)


async def test_waiting_for_the_plug_can_be_cancelled(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Start of your charge")).to_be_visible()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("You cancelled before charging began. Nothing was charged.")).to_be_visible()
    assert await database.read(wallet.balance, driver_with_600.id) == wallet.Balance(60_000, 0, 0)


async def test_busy_faulted_offline_and_unknown_chargers_say_so(driver_with_600: Driver, street: Street) -> None:
    page, phone = driver_with_600.page, driver_with_600.phone
    async with street() as busy, street() as faulted:
        busy.plug()
        await busy.swipe(1, "SOMEBODY-ELSE")
        await busy.answered("StartTransaction")
        faulted.fault()
        await phone.open(f"/c/{busy.identity}")
        await expect(page.get_by_text("Somebody else has it now.")).to_be_visible()
        await expect(page.locator("#main").get_by_text("in use")).to_have_count(1)
        await phone.open(f"/c/{faulted.identity}")
        await expect(page.get_by_text("This charger is out of order.")).to_be_visible()
    await phone.open(f"/c/{faulted.identity}")
    await expect(page.get_by_text("No contact with this charger.").first).to_be_visible()
    await phone.open("/c/NOSUCH-9")
    await expect(page.get_by_text("No charger NOSUCH-9.")).to_be_visible()


async def test_a_kill_in_the_middle_of_a_charge_loses_nothing(
    driver_with_600: Driver, street: Street, product: Product, database: Database
) -> None:
    page = driver_with_600.page
    async with street(reconnect_seconds=(0.2, 0.5)) as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")
        other = await driver_with_600.phone.context.new_page()
        await other.goto(f"{product.url}/help")
        await worker_ready(other)
        await product.kill()
        await other.goto(f"{product.url}/history")
        await expect(other.get_by_role("heading", name="No connection")).to_be_visible()
        await other.close()
        await expect(page.get_by_text("Connection lost.")).to_be_visible()
        await product.start()
        await charger.until(lambda one: one.online, within=60)
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await expect(page.get_by_role("region", name="Live meter")).to_be_visible()
        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("button", name="Stop and pay").click()
        await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    driver_with_600.phone.complaints.clear()  # The browser says that the server was gone: it was.
    [charge] = await database.read(history.page, driver_with_600.id)
    assert charge.energy_wh == charge.session.meter_stop_wh - charge.session.meter_start_wh
    assert await database.read(wallet.balance, driver_with_600.id) == wallet.Balance(60_000 - charge.cost_paise, 0, 0)


async def test_a_failed_and_a_late_payment(driver: Driver, product: Product, database: Database) -> None:
    page, sandbox = driver.page, product.sandbox
    assert isinstance(sandbox, Sandbox)
    await driver.phone.open("/wallet")
    for choice in ("Fail the payment", "Later"):
        await page.get_by_role("region", name="Wallet").get_by_text("₹500", exact=True).click()
        await page.get_by_role("button", name="Add ₹500 with PhonePe").click()
        await page.wait_for_url(f"{product.sandbox_url}/**")
        await page.get_by_role("button", name=choice).click()
        await page.wait_for_url(f"{product.url}/**")
    await expect(page.get_by_text("on its way")).to_be_visible()
    assert (await database.read(wallet.balance, driver.id)).balance_paise == 0


async def _keeps(page: Page, link: str, name: str) -> None:
    """A click on the link gives a file of this name, and leaves the page as it is."""
    before = page.url
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name=link).click()
    download = await waiting.value
    assert download.suggested_filename.startswith(name)
    content = (await download.path()).read_bytes()
    assert content.startswith(b"%PDF-" if download.suggested_filename.endswith(".pdf") else b"\xef\xbb\xbf")
    assert page.url == before
