"""The driver's story once more in WebKit, the engine of every iPhone."""

from pathlib import Path

import pytest

from domain import accounts, audit, history, wallet
from domain.db import Database
from tests.e2e.browsers import PIN
from tests.e2e.conftest import Street
from tests.e2e.running import Product
from tests.e2e.webkit import PHONE, WebKit, missing, webkit_browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIDEWAYS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_the_whole_way_of_a_driver_with_an_iphone(
    product: Product, street: Street, database: Database, tmp_path: Path
) -> None:
    if lacks := missing():
        pytest.skip(lacks)
    async with webkit_browser(tmp_path) as phone, street() as charger:
        assert await phone.run("return [innerWidth, innerHeight]") == [*PHONE]
        await phone.open(f"{product.url}/c/{charger.identity}")
        await phone.shows(f"Sign in to charge at {charger.identity}")
        await phone.press("Create an account")
        for name, text in (("username", "on_an_iphone"), ("phone", "9845099999"), ("pin", PIN), ("pin_again", PIN)):
            await phone.write(name, text)
        await phone.press("Create account")

        await phone.press("Add money to start")
        await phone.press("Add ₹1,000 with PhonePe")
        await phone.press("Pay ₹")
        await phone.shows("₹1,000.00")

        await phone.press(f"Back to {charger.identity}")
        charger.plug()
        await phone.press("Start charging")
        await phone.shows("Cost so far")
        await charger.answered("MeterValues", count=3)
        await phone.press("Stop charging")
        await phone.press("Stop and pay")
        await phone.shows("Receipt number")

        [user] = await database.read(accounts.find, "on_an_iphone")
        assert user.id is not None
        [charge] = await database.read(history.page, user.id)
        assert (await database.read(wallet.balance, user.id)).balance_paise == 100_000 - charge.cost_paise
        assert [check for check in await database.read(audit.audit) if check.broken] == []
        await _every_page(phone, product)

        await phone.open(f"{product.url}/profile")
        await phone.shows("Safari on")
        await phone.press("Sign out")
        await phone.shows("You are signed out.")
        await phone.command("POST", "/back", {})
        await phone.shows("Sign in")
        assert "on_an_iphone" not in await phone.run("return document.body.innerText")


async def _every_page(phone: WebKit, product: Product) -> None:
    """Each comes with its figures and is as wide as the phone; the service worker stands before all of them."""
    for path, words in (
        ("/history", "Test Street"),
        ("/wallet", "Movements"),
        ("/hi/dashboard", "वॉलेट बैलेंस"),
        ("/help", "A person answers."),
        ("/dashboard", "Your last charge"),
    ):
        await phone.open(f"{product.url}{path}")
        await phone.shows(words)
        assert await phone.run(SIDEWAYS) <= 0, path
    assert await phone.run("return navigator.serviceWorker.controller?.scriptURL") == f"{product.url}/sw.js"
