"""No page shows anything else on its way from one truth to the next, however short: not even for one frame."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Driver, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

WATCH = """new MutationObserver(() => {
  const text = document.querySelector('main')?.innerText
  if (text !== window.shown.at(-1)) window.shown.push(text)
}).observe(document, {subtree: true, childList: true, characterData: true, attributes: true})"""
"""Keeps all that the page says, each time that anything of it changes."""


async def film(page: Page) -> None:
    """From now on, and of every page after this one from its beginning."""
    await page.add_init_script(f"window.shown = []; {WATCH}")


async def shown(page: Page) -> list[str]:
    return [text for text in await page.evaluate("window.shown") if text]


async def test_a_start_that_is_cancelled_is_never_said_to_be_stopping(driver_with_600: Driver, street: Street) -> None:
    """With the charge came its button, which waited for the answer to the start; and of a charge that was cancelled the
    page had a meter without figures until the news of it had come round."""
    page = driver_with_600.page
    async with street() as charger:
        await film(page)
        await driver_with_600.phone.open(f"/c/{charger.identity}")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_text("Waiting for your car")).to_be_visible()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("You cancelled before charging began.")).to_be_visible()
        frames = await shown(page)
    assert [frame for frame in frames if "Waiting for your car" in frame]
    assert [frame for frame in frames if "Stopping" in frame or "Cost so far" in frame] == []


async def test_who_comes_back_from_phonepe_does_not_go_there(driver: Driver) -> None:
    """What the tab remembered of the tap was shown until the page had been read."""
    page = driver.page
    await film(page)
    await driver.phone.open("/wallet")
    await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
    await page.get_by_role("button", name="Later").click()
    await expect(page.get_by_text("on its way.")).to_be_visible()
    frames = await shown(page)
    assert [frame for frame in frames if "on its way." in frame]
    assert [frame for frame in frames if "Opening PhonePe" in frame] == []
