"""A tariff of several parts: read before the start, warned of while it counts, and line by line on the receipt."""

import pytest
from playwright.async_api import expect

from domain import tariffs
from domain.db import Database
from domain.prices import Band, Price
from tests.e2e.conftest import Driver, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_part_is_told_before_and_billed_after(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page = driver_with_600.page
    async with street() as charger:
        await database.transact(
            tariffs.set_price,
            Price(
                1_800,
                0,
                start_paise=1_000,
                per_minute_paise=50,
                idle_after_minutes=10,
                idle_per_minute_paise=200,
                bands=(Band(0, 720, 2_000), Band(720, 0, 2_000)),
            ),
            charger_id=charger.identity,
        )
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        for line in (
            "₹20.00/kWh from 12:00 am to 12:00 pm.",
            "₹10.00 once, for the start.",
            "₹0.50 for each minute of charging.",
            "after 10 free minutes; at most ₹240.00.",
        ):
            await expect(page.get_by_role("listitem").filter(has_text=line)).to_be_visible()
        charger.plug()
        await page.get_by_role("button", name="Start charging").click()
        meter = page.get_by_role("region", name="Live meter")
        await expect(meter).to_contain_text("₹1")
        charger.suspend_ev()
        await expect(page.get_by_text("Your car takes no energy now.")).to_be_visible()
        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("button", name="Stop and pay").click()
        receipt = page.get_by_role("region", name="Receipt")
        await expect(receipt).to_contain_text("kWh × ₹20.00/kWh")
        await expect(receipt).to_contain_text("Start fee")
        still_in = page.get_by_text("The cable is still in the car.")
        await expect(still_in).to_be_visible()
        await expect(page.get_by_text("After that each minute costs ₹2.00, at most ₹240.00.")).to_be_visible()
        charger.unplug()
        await expect(still_in).to_be_hidden()
