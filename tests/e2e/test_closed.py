"""What a driver is told who has closed evapp: through his browser's push service, for which a test stands in."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import BrowserContext, expect
from sqlmodel import Session, select

from domain.db import Database
from domain.models import PushSubscription
from tests.e2e.conftest import Driver, Street
from tests.e2e.test_pages import worker_ready
from tests.e2e.test_told import charge
from tests.push_services import Service, serving
from tests.receivers import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_S = 15
SUBSCRIBES = """PushManager.prototype.subscribe = async (asked) => {
    const key = atob(asked.applicationServerKey.replaceAll("-", "+").replaceAll("_", "/"));
    if (!asked.userVisibleOnly || key.length !== 65) throw new Error("no push service takes this");
    return {toJSON: () => (%s)};
}"""
"""A push service's part in a browser: there is none without the internet. A key is 65 bytes (RFC 8292, 3.2)."""
TELLS_WHEN_SHOWN = """() => {
    const show = ServiceWorkerRegistration.prototype.showNotification;
    self.noticed = new Promise((noticed) => {
        ServiceWorkerRegistration.prototype.showNotification = function (...what) {
            return show.apply(this, what).then(noticed);
        };
    });
}"""
"""Nobody may ask for the notices before: Chromium then forgets the one that is just coming."""
SHOWN = """() => self.noticed.then(() => self.registration.getNotifications())
    .then((all) => JSON.stringify(all.map((one) => [one.title, one.body, one.data])))"""
PUT_AWAY = """() => self.registration.getNotifications().then((all) => all.length === 0)"""


async def test_who_has_closed_evapp_is_told_that_the_charge_ended(driver_with_600: Driver, street: Street) -> None:
    phone, context = driver_with_600.phone, driver_with_600.phone.context
    async with serving() as service, street() as charger:
        receiver = await _ask_to_be_told(driver_with_600, service)
        await charge(driver_with_600, charger)
        await phone.page.close()
        charger.fault()
        async with asyncio.timeout(PATIENCE_S):
            while not service.posts:
                await asyncio.sleep(0.05)
    [(_, _, sealed)] = service.posts
    notice = json.loads(receiver.read(sealed))
    assert notice["body"].startswith(f"Your charge at {charger.identity} has ended: ")
    assert notice["data"].startswith(f"{phone.url}/")

    [worker] = context.service_workers
    await worker.evaluate(TELLS_WHEN_SHOWN)
    await _deliver(context, phone.url, notice)
    assert json.loads(await worker.evaluate(SHOWN)) == [["evapp", notice["body"], notice["data"]]]

    page = await context.new_page()
    await page.goto(notice["data"])
    await expect(page.get_by_text(charger.identity).first).to_be_visible()
    await _deliver(context, phone.url, notice)
    async with asyncio.timeout(PATIENCE_S):
        while not await worker.evaluate(PUT_AWAY):
            await asyncio.sleep(0.05)


async def test_who_turns_it_off_or_signs_out_is_told_nothing_more(driver: Driver, database: Database) -> None:
    page = driver.page
    async with serving() as service:
        receiver = await _ask_to_be_told(driver, service)
        assert await database.read(_subscribed, driver.id) == [receiver.endpoint]
        await page.get_by_role("button", name="Stop telling me").click()
        await expect(page.get_by_role("button", name="Tell me on this device")).to_be_visible()
        assert await database.read(_subscribed, driver.id) == []
        await page.get_by_role("button", name="Tell me on this device").click()
        await expect(page.get_by_text("even while evapp is closed")).to_be_visible()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.wait_for_url("**/login**")
        assert await database.read(_subscribed, driver.id) == []


def _subscribed(db: Session, user_id: int) -> list[str]:
    return list(db.exec(select(PushSubscription.endpoint).where(PushSubscription.user_id == user_id)))


async def _ask_to_be_told(driver: Driver, service: Service) -> Receiver:
    """Turn it on under You; gives the browser's subscription."""
    receiver = Receiver(f"{service.origin}/one")
    endpoint, p256dh, auth = receiver.told
    given = {"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": p256dh, "auth": auth}}
    await driver.phone.context.add_init_script(SUBSCRIBES % json.dumps(given))
    await driver.phone.context.grant_permissions(["notifications"])
    await driver.phone.open("/profile")
    await worker_ready(driver.page)
    await driver.page.get_by_role("button", name="Tell me on this device").click()
    await expect(driver.page.get_by_text("even while evapp is closed")).to_be_visible()
    return receiver


async def _deliver(context: BrowserContext, origin: str, notice: dict[str, Any]) -> None:
    """Hand the worker a message, as the browser does that has it from its push service; no page of evapp is needed."""
    blank = await context.new_page()
    tools, known = await context.new_cdp_session(blank), asyncio.get_running_loop().create_future()

    def hear(told: dict[str, Any]) -> None:
        for one in told["registrations"]:
            if one["scopeURL"].startswith(origin) and not known.done():
                known.set_result(one["registrationId"])

    tools.on("ServiceWorker.workerRegistrationUpdated", hear)
    await tools.send("ServiceWorker.enable")
    number = await asyncio.wait_for(known, PATIENCE_S)
    about = {"origin": origin, "registrationId": number, "data": json.dumps(notice)}
    await tools.send("ServiceWorker.deliverPushMessage", about)
    await blank.close()
