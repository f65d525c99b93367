"""What a driver chooses: where a charge stops by itself, favourites, to be told, and to tell."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from domain import findings, history, tariffs, tokens
from domain.db import Database
from domain.models import TokenStatus
from domain.prices import Price
from tests.e2e.conftest import Driver, Phone, Street, register

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_limit_changed_meanwhile_ends_a_charge_and_who_waits_is_told(
    driver_with_600: Driver, phones: Callable[[], Awaitable[Phone]], street: Street, database: Database
) -> None:
    page = driver_with_600.page
    ravi = await register(await phones(), database)
    async with street(speed=6.0) as charger:
        await database.transact(tariffs.set_price, Price(18_000, 0), charger_id=charger.identity)
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_text("kWh", exact=True).click()
        await page.get_by_label("Energy in kWh").fill("3")
        await expect(page.get_by_text("3 kWh · about ₹540.00")).to_be_visible()
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        meter = page.get_by_role("region", name="Live meter")
        await expect(meter).to_contain_text("Stops at 3 kWh")
        await expect(meter).to_contain_text("Ready about")

        await ravi.phone.open(f"/c/{charger.identity}")
        await ravi.page.get_by_role("button", name="Add to favourites").click()
        await expect(ravi.page.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
        await ravi.page.get_by_role("button", name="Tell me when it is free").click()
        await expect(ravi.page.get_by_text("We tell you here as soon as it is free")).to_be_visible()
        await ravi.page.get_by_role("link", name="History").click()
        await expect(ravi.page.get_by_text("No charges yet.")).to_be_visible()

        await page.get_by_text("Change", exact=True).click()
        await page.get_by_text("₹", exact=True).click()
        await page.get_by_label("Amount in rupees").fill("60")
        await page.get_by_role("button", name="Save limit").click()
        await expect(meter).to_contain_text("Stops at ₹60")
        charger.connector(1).meter.speed = 60.0
        await expect(page.get_by_text("Stopped at your limit")).to_be_visible(timeout=60_000)
        charger.unplug()
        await expect(ravi.page.get_by_text(f"{charger.identity} became free")).to_be_visible()
        await ravi.page.get_by_role("link", name="Home").click()
        await expect(ravi.page.get_by_role("heading", name="Favourites")).to_be_visible()
        await ravi.page.get_by_role("button", name="Done").click()
        await expect(ravi.page.get_by_role("link", name=f"Go to {charger.identity}")).to_be_hidden()
        charger.fault()
        await expect(ravi.page.get_by_text("Out of order")).to_be_visible()
    [charge] = await database.read(history.page, driver_with_600.id)
    assert (charge.session.stop_cause, charge.session.limit_paise, charge.session.limit_wh) == ("limit", 6_000, None)


async def test_a_lost_card_is_blocked_by_its_driver(driver: Driver, database: Database) -> None:
    tag = f"LOST-{driver.id}"
    await database.transact(tokens.add, tag, user_id=driver.id)
    await driver.phone.open("/profile")
    await driver.page.get_by_role("button", name=f"Block card {tag}").click()
    keep = driver.page.get_by_role("button", name="Keep it")
    await expect(keep).to_be_focused()
    await keep.click()
    await expect(keep).to_be_hidden()
    await driver.page.get_by_role("button", name=f"Block card {tag}").click()
    await driver.page.get_by_role("button", name="Block the card").click()
    await expect(driver.page.get_by_text("Blocked. Nobody can charge with it.")).to_be_visible()
    assert (await database.read(tokens.get, tag)).status == TokenStatus.BLOCKED


async def test_a_fault_is_reported_to_the_operator(driver: Driver, street: Street, database: Database) -> None:
    page = driver.page
    async with street() as charger:
        await driver.phone.open(f"/c/{charger.identity}")
        await page.get_by_text("Report a fault").click()
        await page.get_by_role("button", name="Send to the operator").click()
        await expect(page.get_by_text("Choose what is wrong.")).to_be_visible()
        await page.get_by_label("The screen is dark or frozen.").check()
        await page.get_by_label("In your words").fill("since Monday")
        await page.get_by_role("button", name="Send to the operator").click()
        await expect(page.get_by_text("The operator has your report.")).to_be_visible()
    details = [finding.detail for finding in await database.read(findings.unresolved)]
    assert f"{charger.identity}: The screen is dark or frozen. since Monday" in details
