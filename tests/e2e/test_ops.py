"""An operator's day on a phone, and that nobody else gets anything of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import reflex as rx
from playwright.async_api import Page, expect

from domain import accounts, chargers, findings, operators, story, trail, wallet
from domain.db import Database
from evapp.state.ops import Ops
from evapp.state.ops_charger import OpsCharger
from evapp.state.ops_findings import OpsFindings
from evapp.state.ops_fleet import Fleet
from evapp.state.ops_messages import OpsMessages
from evapp.state.ops_refunds import OpsRefunds
from evapp.state.ops_sessions import OpsSessions
from evapp.state.ops_tariffs import OpsTariffs
from evapp.state.ops_trail import OpsTrail
from evapp.state.ops_user import OpsUser
from evapp.state.ops_users import OpsUsers
from tests.e2e.conftest import Driver, Phone, Street, register
from tests.e2e.desk import operator
from tests.e2e.running import Product
from tests.e2e.wire import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

Phones = Callable[[], Awaitable[Phone]]


async def test_an_operators_day(phones: Phones, street: Street, database: Database) -> None:
    driver = await register(await phones(), database)
    await database.transact(wallet.adjust, driver.id, 60_000, key=f"e2e-{driver.id}", reason="For the test")
    desk = await operator(await phones(), database)
    page = desk.page
    async with street() as charger:
        await page.get_by_label("ID, name or place").fill(charger.identity.lower().replace("-", ""))
        await page.get_by_role("button", name="Find").click()
        await page.get_by_role("link", name=charger.identity).click()
        await expect(page.get_by_role("heading", name=charger.identity)).to_be_visible()
        await expect(page.get_by_text("Changes need your PIN.")).to_be_visible()
        await expect(page.get_by_role("button", name="Send", exact=True)).to_have_count(0)
        await desk.give_pin()

        charger.plug()
        await driver.phone.open(f"/c/{charger.identity}")
        await driver.page.get_by_role("button", name="Start charging").click()
        running = page.get_by_role("listitem").filter(has_text=driver.username)
        await expect(running).to_contain_text("kWh")
        await expect(running).not_to_contain_text("0.00 kWh")

        await page.get_by_role("button", name="Trace every message").click()
        await expect(page.get_by_text("Every message is kept, and shown as it comes.")).to_be_visible()
        await expect(page.get_by_role("listitem").filter(has_text="MeterValues").first).to_be_visible(timeout=30_000)

        await _chooses(page, "GetConfiguration")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_text("HeartbeatInterval = ")).to_be_visible()
        await _chooses(page, "TriggerMessage")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_role("alertdialog")).to_contain_text(f"Send TriggerMessage to {charger.identity}?")
        await page.get_by_role("button", name="Send TriggerMessage").click()
        await expect(page.get_by_text("Accepted", exact=True)).to_be_visible()

        await page.get_by_role("button", name="Stop the charge").click()
        await expect(page.get_by_role("alertdialog")).to_contain_text(f"Stop the charge of {driver.username}")
        await page.get_by_role("alertdialog").get_by_role("button", name="Stop the charge").click()
        await expect(driver.page.get_by_role("region", name="Receipt")).to_be_visible()

    await _adjusts(page, driver.username)
    assert (await database.read(story.lines, driver.id))[0].description == "The charger was stopped by us"
    await driver.phone.open("/wallet")
    await expect(driver.page.get_by_text("The charger was stopped by us")).to_be_visible()

    await database.transact(findings.note, "boot-loop", charger.identity, "5 boots in 10 minutes.")
    await page.get_by_role("link", name="Findings").click()
    await page.get_by_role("button", name=f"Resolve: A charger boots again and again, {charger.identity}").click()
    await page.get_by_label("What came of it").fill("The fuse was loose.")
    await page.get_by_role("button", name="Resolve", exact=True).last.click()
    await expect(page.get_by_text("Resolved.")).to_be_visible()

    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("link", name="Trail").click()
    for done in ("findings resolve", "wallet adjust", "session stop", "call TriggerMessage", "charger trace"):
        await expect(page.get_by_text(done).first).to_be_visible()
    acts = await database.read(trail.entries, actor=trail.user(desk.id))
    assert [entry.action for entry in acts] == [
        "findings resolve",
        "wallet adjust",
        "session stop",
        "answer TriggerMessage",
        "call TriggerMessage",
        "answer GetConfiguration",
        "call GetConfiguration",
        "charger trace",
    ]


async def _chooses(page: Page, message: str) -> None:
    await page.get_by_label("Often asked").select_option(message)
    await expect(page.get_by_label("Message", exact=True)).to_have_value(message)


async def _adjusts(page: Page, username: str) -> None:
    await page.get_by_role("link", name="Users").click()
    await page.get_by_label("Number, phone, username or e-mail").fill(username)
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("link", name=username).click()
    await page.get_by_role("button", name="Adjust the wallet").click()
    await page.get_by_label("Rupees").fill("12.50")
    await page.get_by_label("Why").fill("The charger was stopped by us")
    await page.get_by_role("button", name="Go on…").click()
    await expect(page.get_by_role("alertdialog")).to_contain_text(f"Give ₹12.50 to {username}?")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await page.get_by_role("button", name="Give ₹12.50").click()
    await expect(page.get_by_text("₹12.50 moved.")).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text="The charger was stopped by us")).to_be_visible()


async def test_the_fleet_changes_while_one_looks(phones: Phones, street: Street, database: Database) -> None:
    desk = await operator(await phones(), database)
    async with street() as charger:
        await desk.page.get_by_label("ID, name or place").fill(charger.identity)
        await desk.page.get_by_role("button", name="Find").click()
        row = desk.page.get_by_role("link", name=charger.identity)
        await expect(row).to_contain_text("Free")
        charger.fault()
        await expect(row).to_contain_text("Out of order")


async def test_a_dismissed_operators_page_closes_by_itself(phones: Phones, database: Database) -> None:
    desk = await operator(await phones(), database)
    await database.transact(operators.dismiss, desk.id, trail.shell())
    await desk.page.get_by_role("link", name="Users").click()
    await desk.page.wait_for_url("**/login?next=*")


async def test_the_way_to_the_pin_is_there_before_the_page_is_alive(phones: Phones, database: Database) -> None:
    desk = await operator(await phones(), database)
    await desk.page.route_web_socket("**/_event/**", lambda _socket: None)  # a server that says nothing
    await desk.phone.open("/ops/tariffs")
    await expect(desk.page.get_by_role("link", name="Enter PIN")).to_have_attribute("href", "/ops/pin")


async def test_a_wrong_pin_opens_nothing(phones: Phones, database: Database) -> None:
    desk = await operator(await phones(), database)
    page = desk.page
    await desk.phone.open("/ops/tariffs")
    await page.get_by_role("link", name="Enter PIN").click()
    await page.get_by_label("Your PIN", exact=True).fill("000000")
    await page.get_by_role("button", name="Open changes").click()
    await expect(page.get_by_text("This is not your PIN.")).to_be_visible()
    await desk.phone.open("/ops/tariffs")
    await expect(page.get_by_text("Changes need your PIN.")).to_be_visible()
    await expect(page.get_by_role("button", name="Read it first…")).to_have_count(0)


async def test_in_hindi(phones: Phones, street: Street, database: Database) -> None:
    desk = await operator(await phones(), database)
    async with street() as charger:
        await desk.phone.open(f"/hi/ops/c/{charger.identity}")
        await expect(desk.page.get_by_text("खाली").first).to_be_visible()
        await expect(desk.page.get_by_text("Free", exact=True)).to_have_count(0)


# Nobody else

PATHS = ("/ops", "/ops/sessions", "/ops/c/E2E-001", "/ops/users/1", "/ops/trail", "/ops/pin", "/hi/ops")


async def test_there_is_nothing_at_these_addresses_for_others(phones: Phones, database: Database) -> None:
    stranger = await phones()
    driver = await register(await phones(), database)
    for phone in (stranger, driver.phone):
        for path in PATHS:
            answer = await phone.page.goto(phone.url + path)
            assert answer is not None
            assert answer.status == 404
            words = "इस पते पर" if path.startswith("/hi") else "Nothing at this address."
            await expect(phone.page.get_by_role("heading").get_by_text(words).first).to_be_visible()
            await expect(phone.page.get_by_role("navigation")).to_have_count(0)
        phone.complaints[:] = [text for text in phone.complaints if "404" not in text]


FORGED: tuple[tuple[type[rx.State], str, dict[str, Any]], ...] = (
    (Fleet, "load", {}),
    (Fleet, "search", {"form": {"charger": ""}}),
    (OpsUsers, "find", {"form": {"who": "driver"}}),
    (OpsUser, "load", {}),
    (OpsUser, "adjust", {"form": {"way": "give", "rupees": "5000", "reason": "mine"}}),
    (OpsUser, "do", {}),
    (OpsUser, "reset_pin", {"form": {"reason": "mine"}}),
    (OpsCharger, "load", {}),
    (OpsCharger, "new_key", {"form": {"reason": "mine"}}),
    (OpsMessages, "follow", {"on": True}),
    (OpsMessages, "command", {"form": {"action": "Reset", "payload": "{}"}}),
    (OpsMessages, "send", {}),
    (OpsSessions, "load", {}),
    (OpsFindings, "load", {}),
    (OpsFindings, "resolve", {"form": {"note": "mine"}}),
    (OpsTariffs, "set_price", {"form": {"rupees": "0"}}),
    (OpsTariffs, "do", {}),
    (OpsRefunds, "request", {"form": {"rupees": "1", "reason": "mine"}}),
    (OpsTrail, "load", {}),
    (OpsTrail, "show_more", {}),
    (OpsUser, "_perform", {"deed": {}}),
    (OpsUser, "_ask", {"question": "mine"}),
    (Ops, "setvar", {"var_name": "here", "value": "in"}),
)
SHOWN = ((Fleet, "rows"), (OpsUsers, "people"), (OpsUser, "username"), (OpsFindings, "rows"), (OpsTrail, "rows"))


async def test_forged_events_of_others_show_and_change_nothing(
    driver: Driver, product: Product, street: Street, database: Database
) -> None:
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in await driver.phone.context.cookies())
    async with street() as charger:
        await database.transact(findings.note, "boot-loop", charger.identity, "5 boots")
        before = len(await database.read(trail.entries, limit=1_000))
        for jar in (cookie, ""):
            async with Wire(product.url, cookie=jar) as wire:
                for state, handler, payload in FORGED:
                    await wire.send(state, handler, path=f"/ops/c/{charger.identity}", **payload)
                await wire.worked_off()
                assert wire.var(Ops, "here") == "nothing"
                assert [wire.var(state, name) for state, name in SHOWN if wire.var(state, name)] == []
                told = str(wire.state)
                assert charger.identity not in told.replace(f"/ops/c/{charger.identity}", "")
        assert not (await database.read(chargers.info, charger.identity)).trace
    assert len(await database.read(trail.entries, limit=1_000)) == before
    assert await database.read(wallet.balance, driver.id) == wallet.Balance(0, 0, 0)
    assert (await database.read(accounts.find, driver.username))[0].role == "driver"


async def test_the_pins_door_is_closed_to_others_and_to_other_sites(driver: Driver, product: Product) -> None:
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in await driver.phone.context.cookies())
    async with httpx.AsyncClient(base_url=product.url, headers={"cookie": cookie}) as http:
        answer = await http.post("/auth/step-up", data={"pin": "274918"}, headers={"origin": product.url})
        assert answer.headers["location"] == "/ops"
        answer = await http.post("/auth/step-up", data={"pin": "274918"}, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
