"""Takes the pictures of docs/shots: every page of the running product, on a phone and a desk, light and dark."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Browser, expect
from sqlmodel import Session, select

from domain import accounts, chargers, tokens, wallet
from domain.db import Database
from domain.models import ChargingSession
from simulator.chargers import AS_USUAL, VirtualCharger
from tests.e2e.browsers import chromium_browser
from tests.e2e.camera import SHOTS, Camera, register
from tests.e2e.ops_shots import at_the_desk
from tests.e2e.running import Product, running

SIZES = {"390": {"width": 390, "height": 844}, "1280": {"width": 1280, "height": 860}}
THEMES = ("light", "dark")
OPERATORS = "ops"
"""Pictures whose names begin so are of the operators' pages."""


async def signed_out(camera: Camera) -> None:
    await camera.picture("login", "/login?next=/c/BLR-017", "Sign in to charge at BLR-017")
    await camera.picture("register", "/register", "Create an account")
    await camera.page.get_by_role("button", name="Create account").click()
    await expect(camera.page.get_by_role("alert").first).to_be_visible()
    await camera.shoot("register-errors")
    await camera.picture("not-found", "/nothing-here", "Nothing at this address.")
    await camera.picture("offline", "/offline", "No connection")
    await camera.picture("help", "/help", "A person answers")


async def payments(camera: Camera) -> None:
    """What comes back from PhonePe when it was not paid."""
    page = camera.page
    for choice, name, says in (
        ("Fail the payment", "wallet-failed", "PhonePe did not take"),
        ("Later", "wallet-waiting", "on its way"),
    ):
        await camera.open("/wallet", "Movements")
        await page.get_by_role("button", name="Add ₹1,000 with PhonePe").click()
        await page.get_by_role("button", name=choice).click()
        await page.wait_for_url(f"{camera.url}/wallet**")
        await expect(page.get_by_text(says).first).to_be_visible(timeout=15_000)
        await camera.shoot(name)


async def car(camera: Camera) -> None:
    """The form, and what it makes of an estimate."""
    page = camera.page
    await camera.open("/profile", "This device")
    await page.get_by_role("button", name="Edit Your car").click()
    await expect(page.get_by_label("Battery in kWh")).to_be_visible()
    await camera.shoot("profile-car")
    for label, typed in (("Battery in kWh", "30.2"), ("Most power at AC, in kW", "7.2")):
        await page.get_by_label(label).fill(typed)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await camera.picture("charger-car", "/c/BLR-017", "An empty battery is full")


async def card(camera: Camera, username: str, database: Database) -> None:
    """The question before a card is blocked."""
    [user] = await database.read(accounts.find, username)
    tag = f"04A1B2C3D4E5{camera.number:02d}"
    await database.transact(tokens.add, tag, user_id=user.id)
    await camera.open("/profile", "You pay for what it charges.")
    await camera.page.get_by_role("button", name="Block card").click()
    await expect(camera.page.get_by_role("button", name="Keep it")).to_be_visible()
    await camera.page.get_by_role("button", name="Keep it").scroll_into_view_if_needed()
    await camera.shoot("profile-card")
    await camera.page.get_by_role("button", name="Keep it").click()


async def refusal(camera: Camera, charger: VirtualCharger) -> None:
    charger.answer_with("RemoteStartTransaction", {"status": "Rejected"})
    await camera.open(f"/c/{charger.identity}", "Plug in, then start.")
    await camera.page.get_by_role("button", name="Start charging").click()
    await expect(camera.page.get_by_text("The charger said no.")).to_be_visible(timeout=15_000)
    await camera.shoot("charger-refused")
    charger.answer_with("RemoteStartTransaction", AS_USUAL)


async def chargers_of_all_kinds(camera: Camera, busy: VirtualCharger, faulted: VirtualCharger) -> None:
    await camera.picture("charge", "/charge", "Chargers you use will appear here.")
    await camera.picture("charger-free", "/c/BLR-017", "Plug in, then start.")
    await camera.page.get_by_text("kWh", exact=True).first.click()
    await expect(camera.page.get_by_text("Energy in kWh")).to_be_visible()
    await camera.shoot("charger-limit")
    await camera.picture("charger-busy", f"/c/{busy.identity}", "Somebody else has it now.")
    await camera.picture("charger-faulted", f"/c/{faulted.identity}", "This charger is out of order.")
    await camera.picture("charger-silent", "/c/BLR-090", "No contact with this charger.")
    await camera.picture("charger-unknown", "/c/BLR-71", "No charger BLR-71.")


def an_hour_old(db: Session, charger_id: str) -> None:
    """Let the charge that runs at a charger have begun an hour ago, with what it would have given since."""
    session = db.exec(
        select(ChargingSession).where(ChargingSession.charger_id == charger_id, ChargingSession.state == "CHARGING")
    ).one()
    assert session.started_at is not None
    assert session.started_received_at is not None
    session.started_at -= timedelta(minutes=64)
    session.started_received_at -= timedelta(minutes=64)
    session.meter_start_wh = (session.meter_start_wh or 0) - 7_456
    session.energy_wh += 7_456
    db.add(session)


async def one_charge(camera: Camera, charger: VirtualCharger, database: Database) -> None:
    page = camera.page
    await camera.open(f"/c/{charger.identity}", "Plug in, then start.")
    await page.get_by_role("button", name="Start charging").click()
    await expect(page.get_by_role("region", name="Start of your charge")).to_be_visible()
    await camera.shoot("waiting")
    charger.plug()
    await charger.answered("StartTransaction", count=camera.number + 1)
    await database.transact(an_hour_old, charger.identity)
    await charger.answered("MeterValues", count=30 * (camera.number + 1), within=60)
    await camera.picture("live", f"/c/{charger.identity}", "Cost so far")
    await camera.picture("home-charging", "/dashboard", "so far")
    await camera.picture("wallet-charging", "/wallet", "Set aside")
    await camera.open("/profile", "This device")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Stay signed in")).to_be_visible()
    await page.get_by_role("button", name="Stay signed in").scroll_into_view_if_needed()
    await camera.shoot("profile-logout")
    await camera.open(f"/c/{charger.identity}", "Cost so far")
    await page.get_by_role("button", name="Stop charging").click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await camera.shoot("stop-dialog")
    await page.get_by_role("button", name="Stop and pay").click()
    await expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    await camera.shoot("receipt")
    charger.unplug()


async def afterwards(camera: Camera) -> None:
    await camera.picture("home", "/dashboard", "Your chargers")
    await camera.picture("history", "/history", "Phoenix Mall")
    await camera.page.get_by_role("listitem").filter(has_text="Phoenix Mall").first.click()
    await expect(camera.page.get_by_role("region", name="Receipt")).to_be_visible()
    await camera.shoot("charge-detail")
    await camera.picture("wallet", "/wallet", "Wallet")
    await camera.picture("profile", "/profile", "This device")
    await camera.picture("home-hindi", "/hi/dashboard", "वॉलेट")
    await camera.picture("wallet-hindi", "/hi/wallet", "वॉलेट")
    await camera.picture("scan", "/scan", "Scan")


async def album(product: Product, browser: Browser, only: str) -> None:
    """All pictures, a new driver for each size and theme."""
    database = Database(product.database)
    async with street(product, database) as (charger, busy, faulted):
        for number, (width, theme) in enumerate((w, t) for w in SIZES for t in THEMES):
            context = await browser.new_context(
                viewport=SIZES[width],
                color_scheme=theme,  # type: ignore[arg-type]
                device_scale_factor=2 if width == "390" else 1,
                locale="en-IN",
            )
            camera = Camera(await context.new_page(), product.url, f"{width}-{theme}", only, number)
            if not only.startswith(OPERATORS):
                await signed_out(camera)
            username = f"asha{number or ''}"
            await register(camera, username, f"98450{number:05d}")
            await camera.picture("home-new", "/dashboard", "Add ₹500 to start your first charge")
            [user] = await database.read(accounts.find, username)
            await database.transact(wallet.adjust, user.id, 124_050, key=username, reason="Welcome")
            if not only.startswith(OPERATORS):
                await chargers_of_all_kinds(camera, busy, faulted)
                await payments(camera)
                await car(camera)
                await card(camera, username, database)
                await refusal(camera, charger)
                await one_charge(camera, charger, database)
                await afterwards(camera)
            await context.clear_cookies()
            await at_the_desk(camera, database, busy, username)
            await context.close()
    database.close()


@contextlib.asynccontextmanager
async def street(
    product: Product, database: Database
) -> AsyncIterator[tuple[VirtualCharger, VirtualCharger, VirtualCharger]]:
    """A free charger, one in use, one out of order, and one that has never been heard of."""
    places = {
        "BLR-017": ("Phoenix Mall, Whitefield", 7_400, "Type 2"),
        "BLR-061": ("Indiranagar 100 ft Road", 7_400, "Type 2"),
        "BLR-104": ("Toll Plaza, Nelamangala", 60_000, "CCS 2"),
        "BLR-090": ("Airport, P4", 30_000, "CCS 2"),
    }
    for charger_id, (place, power, kind) in places.items():
        await database.transact(chargers.add, charger_id, place=place, max_power_w=power, kind=kind)
    ways = {"sample_seconds": 0.2, "speed": 1.0}
    async with (
        VirtualCharger("BLR-017", product.ocpp, **ways) as free,  # type: ignore[arg-type]
        VirtualCharger("BLR-104", product.ocpp, max_power_w=60_000, supply="DC", **ways) as busy,  # type: ignore[arg-type]
        VirtualCharger("BLR-061", product.ocpp, **ways) as faulted,  # type: ignore[arg-type]
    ):
        for charger in (free, busy, faulted):
            await charger.answered("BootNotification")
        busy.plug()
        await busy.swipe(1, "CARD-1")
        faulted.fault()
        yield free, busy, faulted


async def main(only: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as product, chromium_browser() as browser:
            await album(product, browser, only)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="take only pictures whose name contains this")
    sys.exit(asyncio.run(main(parser.parse_args().only)))
