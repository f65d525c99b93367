"""Adding money in a real browser: what only a browser can show of typing, clicking twice, leaving and coming back."""

import re

import pytest
from playwright.async_api import expect
from sqlmodel import col, select

from domain import audit, tariffs, wallet
from domain.db import Database
from domain.models import RechargeOrder
from domain.prices import Price
from tests.e2e.conftest import Driver, Street
from tests.e2e.running import Product

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def amounts(database: Database, user_id: int) -> list[int]:
    """What was ordered, in paise, oldest first."""
    query = select(RechargeOrder.amount_paise).where(RechargeOrder.user_id == user_id).order_by(col(RechargeOrder.id))
    return await database.read(lambda db: list(db.exec(query)))


async def test_no_amount_is_taken_before_the_page_is_alive(driver: Driver) -> None:
    """What was typed before would be emptied by the server's first word, and the amount beside it be paid."""
    form = driver.page.locator("form", has=driver.page.get_by_text("₹2,000", exact=True))
    await driver.page.route_web_socket("**/_event/**", lambda _socket: None)  # a server that says nothing
    await driver.phone.open("/wallet")
    await expect(form).to_have_attribute("inert", "")
    await driver.page.route_web_socket("**/_event/**", lambda socket: socket.connect_to_server())
    await driver.phone.open("/wallet")
    await expect(form).not_to_have_attribute("inert", "")
    await driver.page.get_by_text("₹2,000", exact=True).click()
    await expect(driver.page.get_by_role("button", name="Add ₹2,000 with PhonePe")).to_be_visible()


async def test_typed_refused_clicked_twice_left_and_paid_after_all(
    driver: Driver, product: Product, database: Database
) -> None:
    page = driver.page
    await driver.phone.open("/wallet")
    await page.get_by_role("button", name="Other amount").click()
    field = page.get_by_role("textbox", name="Other amount")
    await expect(field).to_be_focused()
    await field.press_sequentially("499")
    await field.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="The least you can add is ₹500.")).to_be_visible()
    assert await amounts(database, driver.id) == []

    await page.get_by_text("₹2,000", exact=True).click()
    await expect(field).to_have_value("")
    await expect(page.get_by_role("button", name="Add ₹2,000 with PhonePe")).to_be_visible()
    await field.fill("750.50")
    await page.get_by_role("button", name="Add ₹750.50 with PhonePe").dblclick()
    await page.wait_for_url(f"{product.sandbox_url}/**")
    assert await amounts(database, driver.id) == [75_050]

    await page.go_back()
    await expect(page.get_by_text("₹750.50 on its way. PhonePe has not confirmed yet.")).to_be_visible()
    await expect(field).to_have_value("750.50")
    await expect(page.get_by_role("button", name="Add ₹750.50 with PhonePe")).to_be_enabled()
    await page.get_by_role("link", name="Open PhonePe again").click()
    await page.wait_for_url(f"{product.sandbox_url}/**")
    await page.get_by_role("button", name="Pay ₹").click()
    await page.wait_for_url("**/wallet?paid=*")
    await expect(page.locator("#main").get_by_text("₹750.50 was added.")).to_be_visible()
    await expect(page.get_by_text("on its way")).to_have_count(0)
    await expect(page.get_by_text("₹750.50 was added.")).to_have_count(1)
    assert await amounts(database, driver.id) == [75_050]
    assert await database.read(wallet.balance, driver.id) == wallet.Balance(75_050, 0, 0)
    assert [check for check in await database.read(audit.audit) if check.broken] == []


async def test_help_knows_of_which_payment_that_failed(driver: Driver) -> None:
    """Also the day after, when nothing else on the page speaks of it."""
    page = driver.page
    await driver.phone.open("/wallet")
    await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
    await page.get_by_role("button", name="Fail the payment").click()
    await expect(page.get_by_text("PhonePe did not take the ₹1,000.")).to_be_visible()
    await driver.phone.open("/wallet")
    await expect(page.get_by_role("heading", name="Payments that failed")).to_be_visible()
    await page.get_by_role("link", name="Get help").click()
    chat = page.get_by_role("link", name="Write to us on WhatsApp")
    await expect(chat).to_have_attribute("href", re.compile("help%20with%20my%20payment.*reference%20OMO"))


async def test_who_lacks_money_at_a_charger_is_led_back_to_it(driver: Driver, street: Street) -> None:
    page = driver.page
    async with street() as charger:
        await driver.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("link", name="Add money to start").click()
        await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
        await page.get_by_role("button", name="Pay ₹").click()
        await page.get_by_role("link", name=f"Back to {charger.identity}").click()
        await expect(page.get_by_role("button", name="Start charging")).to_be_visible()
        await driver.phone.open("/wallet")
        await expect(page.get_by_text("₹1,000.00").first).to_be_visible()
        await expect(page.get_by_role("link", name="Back to")).to_have_count(0)


async def test_whose_money_ended_the_charge_adds_some_from_the_receipt(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await database.transact(tariffs.set_price, Price(60_000, 0), charger_id=charger.identity)
        charger.plug()
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_text("Stopped: your wallet was nearly used up")).to_be_visible()
        await page.get_by_role("link", name="Add money").click()
        await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
        await page.get_by_role("button", name="Pay ₹").click()
        await expect(page.get_by_role("link", name=f"Back to {charger.identity}")).to_be_visible()


@pytest.mark.row("R1")
async def test_money_shows_on_a_page_that_is_only_looked_at(
    driver: Driver, product: Product, database: Database
) -> None:
    """R1: paid in one tab, seen in the other without a reload."""
    page, home = driver.page, await driver.phone.context.new_page()
    await home.goto(f"{product.url}/dashboard")
    await expect(home.get_by_text("₹0.00")).to_be_visible()
    await driver.phone.open("/wallet")
    await page.get_by_text("₹1,000", exact=True).click()
    await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
    await page.wait_for_url(f"{product.sandbox_url}/**")
    await expect(home.get_by_text("₹1,000 on its way. PhonePe has not confirmed yet.")).to_be_visible()
    await page.get_by_role("button", name="Pay ₹").click()
    await expect(home.get_by_text("₹1,000.00").first).to_be_visible()
    await expect(home.get_by_text("on its way")).to_have_count(0)
