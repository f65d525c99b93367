"""The phone's own way back: past the forms, out of a sheet, and to nothing of somebody who has signed out."""

import pytest
from playwright.async_api import expect

from domain.db import Database
from tests.e2e.browsers import chromium_browser
from tests.e2e.conftest import Driver, Phone, Street, register
from tests.e2e.running import Product
from tests.e2e.test_pages import worker_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("opened", ["/help", "/charge"])
async def test_who_goes_back_after_somebody_signed_out_sees_nothing_of_him(
    product: Product, database: Database, opened: str
) -> None:
    """Browsers keep whole pages as they were, to go back to, and Playwright forbids it to them. Without signal such a
    page stays as it is."""
    async with chromium_browser(without=["--disable-back-forward-cache"]) as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        driver = await register(Phone(page, page.context, [], product.url), database)
        await worker_ready(page)
        await page.goto(product.url + opened)
        await page.get_by_role("navigation", name="Main").get_by_role("link", name="You").click()
        await expect(page.get_by_text(driver.username)).to_be_visible()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await expect(page.get_by_text("You are signed out.")).to_be_visible()
        await page.context.set_offline(True)
        await page.evaluate("setTimeout(() => history.back())")
        await page.wait_for_url("**/profile", wait_until="commit")  # a page that was kept is not loaded
        await expect(page.get_by_text("You are signed out.")).to_be_hidden()
        assert driver.username not in await page.inner_text("body")


async def test_back_from_a_charger_leads_past_the_forms(phone: Phone, street: Street, database: Database) -> None:
    """Whoever was signed in by then was led forward again from each of them, and never got out."""
    page = phone.page
    async with street() as charger:
        await phone.open(f"/c/{charger.identity}")
        await page.get_by_role("link", name="Create an account").click()
        await page.wait_for_url("**/register?next=*")
        await register(phone, database, page.url.removeprefix(phone.url))
        for _ in range(4):
            await expect(page.get_by_role("link", name="Add money to start")).to_be_visible()
            await page.go_back()
            if page.url == "about:blank":
                break
        assert page.url == "about:blank"


async def test_back_out_of_a_sheet_is_the_safe_answer(driver_with_600: Driver, street: Street) -> None:
    """By the button of an Android, or its gesture: it left the page under the sheet, with the meter."""
    page = driver_with_600.page
    await page.add_init_script("""if (globalThis.CloseWatcher) CloseWatcher = class extends CloseWatcher {
        constructor(...how) { super(...how); window.back = this }
    }""")
    async with street() as charger:
        charger.plug()
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        stop = page.get_by_role("button", name="Stop charging")
        for _ in range(2):  # an older sheet's way back is gone with it
            await stop.click()
            await expect(page.get_by_role("alertdialog")).to_be_visible()
            await page.evaluate("window.back.requestClose()")
            await expect(page.get_by_role("alertdialog")).to_be_hidden()
            await expect(stop).to_be_enabled()
            await expect(stop).to_be_focused()
        assert charger.connector(1).transaction is not None
