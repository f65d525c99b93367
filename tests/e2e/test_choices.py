"""What a driver chooses: where a charge stops by itself."""

import pytest
from playwright.async_api import expect

from domain import history
from domain.db import Database
from tests.e2e.conftest import Driver, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_charge_stops_at_the_limit_that_was_changed_meanwhile(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page = driver_with_600.page
    async with street(speed=240.0) as charger:
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_text("kWh", exact=True).click()
        await page.get_by_label("Energy in kWh").fill("30")
        await expect(page.get_by_text("30 kWh · about ₹540.00")).to_be_visible()
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        meter = page.get_by_role("region", name="Live meter")
        await expect(meter).to_contain_text("Stops at 30 kWh")
        await expect(meter).to_contain_text("Ready about")
        await page.get_by_text("Change", exact=True).click()
        await page.get_by_text("₹", exact=True).click()
        await page.get_by_label("Amount in rupees").fill("20")
        await page.get_by_role("button", name="Save limit").click()
        await expect(meter).to_contain_text("Stops at ₹20")
        await expect(page.get_by_text("Stopped at your limit")).to_be_visible()
    [charge] = await database.read(history.page, driver_with_600.id)
    assert (charge.session.stop_cause, charge.session.limit_paise, charge.session.limit_wh) == ("limit", 2_000, None)
    assert charge.cost_paise > 0
