"""One running product and one Chromium for all browser tests; a new phone, driver and charger for each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from domain import accounts, audit, chargers, wallet
from domain.db import Database
from simulator.chargers import VirtualCharger
from tests.e2e.browsers import PIN, chromium_browser
from tests.e2e.running import Product, running

PATIENCE_MS = 15_000
UNFETCHED = "An unknown error occurred when fetching the script."
"""Chromium says so of a service worker that it looks for while a test has no signal; the page goes on without."""
_numbers = count(1)

expect.set_options(timeout=PATIENCE_MS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """The production build, running."""
    async with running(tmp_path_factory.mktemp("product")) as product:
        yield product


@pytest.fixture
def database(product: Product) -> Any:
    """The running product's database, to look into and to set the scene."""
    database = Database(product.database)
    yield database
    database.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with chromium_browser() as browser:
        yield browser


@dataclass
class Phone:
    """A browser window of 390 x 844, and what its console complained about."""

    page: Page
    context: BrowserContext
    complaints: list[str]
    url: str

    async def open(self, path: str) -> None:
        await self.page.goto(self.url + path)


@pytest_asyncio.fixture(loop_scope="session")
async def phones(product: Product, chromium: Browser) -> AsyncIterator[Callable[[], Awaitable[Phone]]]:
    """Gives one phone after another; at the end no console of theirs may have complained."""
    opened: list[Phone] = []

    async def phone(**settings: Any) -> Phone:
        context = await chromium.new_context(
            **{"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, **settings}
        )
        page = await context.new_page()
        complaints: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and message.text != UNFETCHED:
                complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append(Phone(page, context, complaints, product.url))
        return opened[-1]

    yield phone
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        await one.context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(phones: Callable[[], Awaitable[Phone]]) -> Phone:
    return await phones()


@dataclass
class Driver:
    """A registered driver, signed in on a phone."""

    id: int
    username: str
    phone: Phone

    @property
    def page(self) -> Page:
        return self.phone.page


async def register(phone: Phone, database: Database, path: str = "/register") -> Driver:
    """Come in as somebody new, through the form."""
    number = next(_numbers)
    username = f"driver_{number}"
    await phone.open(path)
    await phone.page.get_by_label("Username", exact=True).fill(username)
    await phone.page.get_by_label("Mobile number").fill(f"98450{number:05d}")
    await phone.page.get_by_label("PIN", exact=True).fill(PIN)
    await phone.page.get_by_label("PIN again", exact=True).fill(PIN)
    await phone.page.get_by_role("button", name="Create account").click()
    await phone.page.wait_for_url(lambda url: "/register" not in url)
    user = (await database.read(accounts.find, username))[0]
    assert user.id is not None
    return Driver(user.id, username, phone)


@pytest_asyncio.fixture(loop_scope="session")
async def driver(phone: Phone, database: Database) -> Driver:
    """Somebody with an empty wallet, on the home page."""
    return await register(phone, database)


@pytest_asyncio.fixture(loop_scope="session")
async def driver_with_600(driver: Driver, database: Database) -> AsyncIterator[Driver]:
    """Somebody with ₹600; the ledger adds up when he is done."""
    await database.transact(wallet.adjust, driver.id, 60_000, key=f"e2e-{driver.id}", reason="For the test")
    yield driver
    assert [check for check in await database.read(audit.audit) if check.broken] == []


Street = Callable[..., Any]


@pytest.fixture
def street(product: Product, database: Database) -> Street:
    """Puts chargers up: `async with street() as charger`."""

    @asynccontextmanager
    async def put_up(**ways: Any) -> AsyncIterator[VirtualCharger]:
        charger_id = f"E2E-{next(_numbers):03d}"
        await database.transact(chargers.add, charger_id, place="Test Street", connectors=ways.get("connectors", 1))
        async with VirtualCharger(
            charger_id, product.ocpp, **{"sample_seconds": 0.5, "speed": 60.0, **ways}
        ) as charger:
            await charger.answered("BootNotification")
            await charger.answered("StatusNotification", connectorId=1)
            yield charger

    return put_up
