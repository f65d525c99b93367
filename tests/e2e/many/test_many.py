"""A driver's story whichever processes browser and charger land on, and while those go, with Redis or without."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlmodel import Session, select

from domain import audit, history, wallet
from domain.db import Database
from domain.models import Charger
from evapp.state.effects import Effects
from evapp.state.wallet import Wallet
from evapp.web.auth import COOKIE
from simulator.chargers import VirtualCharger
from tests.chaos.house import House, Process
from tests.e2e.conftest import Driver, Phone, Street, register
from tests.e2e.wire import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

AGAIN_MS = 60_000
"""A page finds another process by itself: Reflex tries again and again."""


async def test_the_story_on_whichever_processes(
    phones: Callable[[], Awaitable[Phone]], street: Street, product: House, database: Database
) -> None:
    """Two drivers, two chargers: in turns they land on every process, and a page's files and socket on both."""
    holders, pages = set(), set()
    for _ in range(2):
        driver = await funded(await register(await phones(), database), database)
        async with street() as charger:
            holders.add(await database.read(holder, charger.identity))
            await begins(driver.page, charger, driver.phone)
            pages |= set(product.web.behind.values())
            await ends(driver.page)
        [charge] = await database.read(history.page, driver.id)
        money = await database.read(wallet.balance, driver.id)
        assert charge.cost_paise > 0
        assert money == wallet.Balance(60_000 - charge.cost_paise, 0, 0)
    assert len(holders) == len(pages) == 2
    await exact(database)


async def test_a_charge_goes_on_while_its_processes_go(
    driver: Driver, street: Street, product: House, database: Database
) -> None:
    """The web process of the page is killed, the CSMS of the charger is stopped: the page finds both again."""
    await funded(driver, database)
    page = driver.page
    async with street(reconnect_seconds=(0.1, 0.5)) as charger:
        await begins(page, charger, driver.phone)
        for process in (page_process(product), charger_process(product)):
            if process.name.startswith("web"):
                process.kill()
            else:
                await process.stop()
            shown = await energy(page)
            await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text(shown, timeout=AGAIN_MS)
            process.start()
            await process.ready()
        await ends(page)
    driver.phone.complaints.clear()
    await exact(database)


async def test_without_redis_a_page_says_that_it_is_cut_off_and_the_charge_goes_on(
    driver: Driver, street: Street, product: House, database: Database
) -> None:
    await funded(driver, database)
    page = driver.page
    lost = page.get_by_text("Connection lost. Reconnecting. Your charge goes on.")
    async with street() as charger, httpx.AsyncClient() as http:
        await begins(page, charger, driver.phone)
        product.redis.kill()
        await expect(lost).to_be_visible(timeout=AGAIN_MS)
        shown = await energy(page)
        told = await http.get(f"{product.url}/health/ready")
        assert (told.status_code, told.json()["status"], told.json()["redis"]) == (200, "degraded", False)
        await asyncio.to_thread(product.redis.start)
        await expect(lost).not_to_be_visible(timeout=AGAIN_MS)
        await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text(shown, timeout=AGAIN_MS)
        await ends(page)
    driver.phone.complaints.clear()
    await exact(database)


async def test_a_tab_that_left_is_nobody_elses_in_any_process(
    driver: Driver, product: House, database: Database
) -> None:
    """Its state lies in Redis, where each process could read it, under a name that its cookie is part of."""
    await funded(driver, database)
    [cookie] = [c for c in await driver.phone.context.cookies() if c["name"] == COOKIE]
    mine = f"{COOKIE}={cookie['value']}"
    web = [f"http://127.0.0.1:{port}" for port in product.web.ports]
    async with Wire(web[0], cookie=mine, origin=product.url) as wire:
        await wire.send(Wallet, "load", "/wallet")
        await wire.until(Wallet, "balance", "₹600.00")
        token = wire.token
    for url in web:
        async with Wire(url, origin=product.url, token=token) as stranger:
            await stranger.send(Wallet, "load", "/wallet")
            await stranger.until(Effects, "leave_to", "/auth/gate?next=%2Fwallet")
            assert "₹600.00" not in json.dumps(stranger.state, ensure_ascii=False)


async def funded(driver: Driver, database: Database) -> Driver:
    await database.transact(wallet.adjust, driver.id, 60_000, key=f"many-{driver.id}", reason="For the test")
    return driver


async def begins(page: Page, charger: VirtualCharger, phone: Phone) -> None:
    await phone.open(f"/c/{charger.identity}")
    charger.plug()
    await page.get_by_role("button", name="Start charging").click()
    await expect(page.get_by_role("region", name="Live meter")).to_be_visible()
    await expect(page.get_by_role("region", name="Live meter")).not_to_contain_text("0.00kWh")


async def ends(page: Page) -> None:
    await page.get_by_role("button", name="Stop charging").click()
    await page.get_by_role("button", name="Stop and pay").click()
    await expect(page.get_by_role("region", name="Receipt")).to_be_visible(timeout=AGAIN_MS)


async def energy(page: Page) -> str:
    """What the live meter shows now."""
    text = await page.get_by_role("region", name="Live meter").inner_text()
    return next(word for word in text.split() if "." in word)


def holder(db: Session, charger_id: str) -> str | None:
    return db.exec(select(Charger.held_by).where(Charger.id == charger_id)).one()


def page_process(product: House) -> Process:
    """The web process that most connections of the browser lead to, its socket among them when it is the only one."""
    ports = list(product.web.behind.values())
    busiest = max(ports, key=ports.count)
    return next(process for process in product.processes.values() if process.port == busiest)


def charger_process(product: House) -> Process:
    """The CSMS process that the only charger is connected to."""
    [port] = set(product.csms.behind.values())
    return next(process for process in product.processes.values() if process.port == port)


async def exact(database: Database) -> None:
    assert [check for check in await database.read(audit.audit) if check.broken] == []
