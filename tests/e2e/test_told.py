"""What a driver is told who looks at something else: by the device's own notices, if he asked for them."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Driver, Street
from tests.e2e.test_pages import until, worker_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN = """() => navigator.serviceWorker.ready.then(one => one.getNotifications())
    .then(all => JSON.stringify(all.map(one => [one.title, one.body, one.data])))"""
BEHIND = """() => {
    Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
    const show = ServiceWorkerRegistration.prototype.showNotification;
    ServiceWorkerRegistration.prototype.showNotification = function (...what) {
        return show.apply(this, what).then(() => { window.noticed = true });
    };
}"""
"""As Chromium says of a tab in the background, for all tabs of a headless one lie in front; and the page tells when a
notice was shown. Nobody may ask for the notices before that: Chromium then forgets the one that is just coming."""
AS_IT_IS = """() => JSON.stringify([document.hidden, Notification.permission, localStorage.getItem("evapp_alerts"),
    location.href, document.body.innerText])"""

NO_PUSH_SERVICE = "PushManager.prototype.subscribe = () => Promise.reject(new Error('there is none'))"
"""As of a browser that has none; Chromium's own complains of it in a window that keeps nothing, as all in tests are."""
PRESS = """() => self.registration.getNotifications().then(([notification]) => {
    self.dispatchEvent(new NotificationEvent("notificationclick", {notification}))
}).then(() => null)"""
"""A press as far as a test can make one: the browser lets only a real one open a window."""


async def test_a_page_in_the_background_says_by_a_notice_that_a_charge_ended(
    driver_with_600: Driver, street: Street
) -> None:
    page, phone = driver_with_600.page, driver_with_600.phone
    await _ask_for_notices(driver_with_600)
    async with street() as charger:
        await charge(driver_with_600, charger)
        await page.get_by_role("link", name="History").click()
        await expect(page.get_by_role("link", name=f"Open your charge at {charger.identity}")).to_be_visible()
        assert await _shown(page) == []
        await page.evaluate(BEHIND)
        charger.fault()
        title, body, data = await _first_shown(page)
        assert title == "evapp"
        assert body.startswith(f"Your charge at {charger.identity} has ended: ")
        assert data == f"{phone.url}/history"
        await phone.context.service_workers[0].evaluate(PRESS)
        assert await _shown(page) == []
    await phone.open("/profile")
    await page.get_by_role("button", name="Stop telling me").click()
    await expect(page.get_by_role("button", name="Tell me on this device")).to_be_visible()


async def test_who_looks_at_the_page_reads_it_there_and_gets_no_notice(driver_with_600: Driver, street: Street) -> None:
    page = driver_with_600.page
    await _ask_for_notices(driver_with_600)
    async with street() as charger:
        await charge(driver_with_600, charger)
        await page.get_by_role("link", name="Wallet").click()
        await expect(page.get_by_text("Set aside")).to_be_visible()
        charger.fault()
        await expect(page.get_by_text(f"Your charge at {charger.identity} has ended")).to_be_visible()
        assert await _shown(page) == []


async def test_without_a_permission_it_says_where_to_give_it(driver: Driver) -> None:
    page = driver.page
    await driver.phone.open("/profile")
    await page.get_by_role("button", name="Tell me on this device").click()  # a headless Chromium answers for him: no
    await expect(page.get_by_text("Your browser does not let evapp notify you.")).to_be_visible()


async def _ask_for_notices(driver: Driver) -> None:
    await driver.phone.context.add_init_script(NO_PUSH_SERVICE)
    await driver.phone.context.grant_permissions(["notifications"])
    await driver.phone.open("/profile")
    await worker_ready(driver.page)
    await driver.page.get_by_role("button", name="Tell me on this device").click()
    await expect(driver.page.get_by_text("as long as evapp is open in the background")).to_be_visible()


async def charge(driver: Driver, charger: Any) -> None:
    charger.plug()
    await driver.phone.open(f"/c/{charger.identity}")
    await driver.page.get_by_role("button", name="Start charging").click()
    await expect(driver.page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")


async def _shown(page: Page) -> list[list[str]]:
    shown: list[list[str]] = json.loads(await page.evaluate(SHOWN))
    return shown


async def _first_shown(page: Page) -> list[str]:
    try:
        await until(page, "!!window.noticed")
    except TimeoutError:
        pytest.fail(f"No notice was shown. The page: {await page.evaluate(AS_IT_IS)}")
    return (await _shown(page))[0]
