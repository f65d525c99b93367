"""A charger's page: what was chosen stays when the connection was lost, and a charge is where its driver saw it."""

from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session, select

from domain import chargers, charging, connectors, dispatch, history, sign_ins, tariffs
from domain.bus import LocalBus, use
from domain.db import read, storable, transact
from domain.models import ChargingSession, User, now
from domain.prices import Price
from domain.sign_ins import Browser, hash_token
from evapp.state.charger import ChargerPage
from evapp.state.effects import Effects
from evapp.state.live import Live
from evapp.state.stop_at import StopAt
from tests.money.house import charge, driver, free_charger, give

Go = Callable[..., Any]


@pytest.fixture
async def go(asha: int, scope: dict[str, Any]) -> Go:
    """Has the page of an address loaded on a socket."""
    use(LocalBus())
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]

    async def go(address: str, socket: str) -> Any:
        found = {"pathname": address, "asPath": address, "sid": socket}
        root.router = root.router.__class__.from_router_data(found)
        page = await root.get_state(ChargerPage)
        await page.load()
        return page

    return go


def mall(db: Session) -> None:
    for name in ("MALL-1", "MALL-2"):
        free_charger(db, name, connectors=2, max_power_w=7_400)
        told: dict[str, Any] = {"error_code": "NoError", "info": "", "at": None, "received_at": now()}
        connectors.status(db, name, connector_number=2, status="Available", **told)


async def asked_for() -> list[ChargingSession]:
    """Every start, also of one that no socket heard of."""
    return await read(lambda db: list(db.exec(select(ChargingSession))))


async def test_of_a_charger_that_nobody_described_the_connectors_are_told(go: Go) -> None:
    await transact(free_charger, "BARE-1")
    await transact(free_charger, "BARE-2", connectors=2)
    await transact(free_charger, "MALL-1", place="Phoenix Mall")
    told = [(await go(f"/c/{name}", name)).about for name in ("BARE-1", "BARE-2", "MALL-1")]
    assert told == ["1 connector", "2 connectors", "Phoenix Mall"]


@pytest.mark.parametrize("address", ["/c/%00", "/c/%ED%A0%80", "/c/A%00B"])
async def test_what_no_database_takes_is_in_no_address(go: Go, address: str) -> None:
    """PostgreSQL refused it, and the page failed."""
    page = await go(address, "socket")
    assert page.id == storable(page.id)


async def test_who_comes_to_a_charger_sees_a_connector_that_is_free(go: Go) -> None:
    """It said "Somebody else has it now." of the first, while the second was free; and it stays with what was seen."""
    await transact(mall)
    told: dict[str, Any] = {"error_code": "NoError", "info": "", "at": None, "received_at": now()}
    await transact(connectors.status, "MALL-1", connector_number=1, status="Charging", **told)
    page = await go("/c/MALL-1", "first")
    assert (page.plug, page.phase) == (2, "free")
    assert [plug.name for plug in page.plugs] == ["Connector 1 · In use", "Connector 2 · Free"]
    await transact(connectors.status, "MALL-1", connector_number=1, status="Available", **told)
    await transact(connectors.status, "MALL-1", connector_number=2, status="Charging", **told)
    assert (await go("/c/MALL-1", "second")).plug == 2
    assert page.phase == "unavailable"


async def choose(page: Any) -> Any:
    await page.choose(2)
    stop = await page.get_state(StopAt)
    await stop.choose("paise")
    await stop.write("200")
    return stop


async def test_a_new_socket_takes_back_neither_connector_nor_limit(go: Go, asha: int) -> None:
    """Reflex loads a page again whenever its connection was lost; the next tap must start what is shown."""
    await transact(mall)
    await transact(give, asha, 100_000)
    page = await go("/c/MALL-1", "first")
    stop = await choose(page)
    assert (await go("/c/MALL-1", "second")).plug == 2
    assert (stop.kind, stop.typed) == ("paise", "200")
    await page.start("MALL-1", 2)
    [begun] = await asked_for()
    assert (begun.connector_number, begun.limit_paise) == (2, 20_000)


@pytest.mark.parametrize(
    ("address", "socket", "token"),
    [("/c/MALL-1", "first", "phone"), ("/c/MALL-2", "second", "phone"), ("/c/MALL-1", "second", "laptop")],
)
async def test_who_comes_to_a_page_begins_anew(
    go: Go, asha: int, scope: dict[str, Any], address: str, socket: str, token: str
) -> None:
    await transact(mall)
    await transact(lambda db: sign_ins.start(db, db.get_one(User, asha), Browser(hash_token("laptop"), "", "")))
    stop = await choose(await go("/c/MALL-1", "first"))
    scope["ev.sign_in"] = hash_token(token)
    assert (await go(address, socket)).plug == 1
    assert (stop.kind, stop.typed) == ("", "")


@pytest.mark.parametrize("seen", [("MALL-2", 1), ("MALL-1", 2), ("", 0), (None, "1")])
async def test_a_start_elsewhere_than_the_page_shows_is_none(go: Go, asha: int, seen: tuple[Any, Any]) -> None:
    await transact(mall)
    await transact(give, asha, 100_000)
    page = await go("/c/MALL-1", "first")
    await page.start(*seen)
    assert await asked_for() == []


async def test_a_start_that_overtook_the_choice_of_a_connector_is_told_so(go: Go, asha: int) -> None:
    await transact(mall)
    await transact(give, asha, 100_000)
    page = await go("/c/MALL-1", "first")
    await page.choose(2)
    await page.start("MALL-1", 1)
    assert page.error == "You have just changed the connector. Check it, then start again. Nothing was charged."
    await page.start("MALL-1", 2)
    assert [one.connector_number for one in await asked_for()] == [2]


async def test_a_start_is_at_the_price_that_the_page_shows(go: Go, asha: int) -> None:
    """Another price came into force while the page stood open: its driver would have paid what he never read."""
    await transact(mall)
    await transact(give, asha, 100_000)
    page = await go("/c/MALL-1", "first")
    assert page.rate == "₹18.00/kWh"
    await transact(tariffs.set_price, Price(4_000, 0))
    await page.start("MALL-1", 1)
    assert (await asked_for(), page.rate) == ([], "₹40.00/kWh")
    assert page.error == "The price has just changed. Check it, then start again. Nothing was charged."
    await page.start("MALL-1", 1)
    assert [one.paise_per_kwh for one in await asked_for()] == [4_000]


async def test_a_refusal_is_past_once_the_charger_is_what_it_was_not(
    go: Go, asha: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who came second read that it is in use beside "Free", when the first one had left."""
    monkeypatch.setattr(dispatch, "soon", lambda asking: asking.close())
    await transact(free_charger, "BLR-2")
    await transact(give, asha, 100_000)
    page = await go("/c/BLR-2", "first")
    other = await transact(driver, "bina")
    await transact(give, other, 100_000)
    wish = await transact(charging.request_start, other, "BLR-2", 1)
    await page.start("BLR-2", 1)
    await page._refresh(asha)
    assert (page.phase, page.error) == ("unavailable", "This charger is in use. Nothing was charged.")
    await transact(charging.request_stop, wish.id or 0, "driver")
    await page._refresh(asha)
    assert (page.phase, page.error) == ("free", "")


async def test_every_tap_is_answered(go: Go, asha: int) -> None:
    """A page that waits for an answer would wait for ever, if a start or a stop that does nothing gave none."""
    await transact(mall)
    page = await go("/c/MALL-1", "first")
    effects, live = await page.get_state(Effects), await page.get_state(Live)
    for act in (page.start("MALL-1", 1), page.start("MALL-2", 1), live.stop(), page.load()):
        before = effects.answers
        await act
        assert effects.answers == before + 1


async def test_the_answer_to_a_tap_is_of_the_whole_page(go: Go, asha: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cancelled saw a meter without figures, until the news of his own tap had come round to the page."""
    monkeypatch.setattr(dispatch, "soon", lambda asking: asking.close())
    await transact(mall)
    await transact(give, asha, 100_000)
    page = await go("/c/MALL-1", "first")
    live, choice = await page.get_state(Live), await page.get_state(StopAt)
    assert choice.outlook != ""
    await page.start("MALL-1", 1)
    assert (page.phase, live.state, choice.outlook) == ("running", "starting", "")
    await live.stop()
    assert (page.phase, live.state) == ("free", "")
    assert page.error == "You cancelled before charging began. Nothing was charged."


def out_of_service(db: Session, charger_id: str) -> None:
    """As a version did that let a charge go on there."""
    chargers.info(db, charger_id).retired_at = now()


async def test_who_charges_at_one_that_is_taken_out_of_service_sees_his_charge(go: Go, asha: int) -> None:
    await transact(mall)
    await transact(give, asha, 100_000)
    await transact(charge, asha)
    begun = await read(history.current, asha)
    assert begun is not None
    address = f"/c/{begun.session.charger_id}"
    assert (await go(address, "first")).phase == "running"
    await transact(out_of_service, begun.session.charger_id)
    page = await go(address, "first")
    assert page.phase == "running"
    assert (await page.get_state(Live)).can_stop
    assert (await go("/c/GONE-1", "first")).phase == "unknown"


async def test_what_the_wallet_lacks_counts_the_fee_for_the_start(go: Go, asha: int) -> None:
    await transact(mall)
    await transact(tariffs.set_price, Price(1_800, 0, start_paise=6_000))
    await transact(give, asha, 5_500)
    assert (
        await go("/c/MALL-1", "first")
    ).lacking == "Your wallet has ₹55.00 available. At least ₹110.00 is needed to start."


@pytest.mark.parametrize(
    ("status", "phase", "headline", "reason"),
    [
        ("Available", "free", "Plug in, then start.", ""),
        ("Preparing", "free", "A car is plugged in. Start if it is yours.", ""),
        ("Charging", "unavailable", "Somebody else has it now.", "This page changes as soon as it is free."),
        (
            "Finishing",
            "unavailable",
            "The last charge has ended.",
            "Its cable is still in the car. If it is yours, unplug it; then you can start again.",
        ),
    ],
)
async def test_a_cable_in_a_car_is_told_from_a_charge_of_somebody_else(
    go: Go, status: str, phase: str, headline: str, reason: str
) -> None:
    """Whoever had just charged there himself read that somebody else has it."""
    await transact(free_charger, "MALL-1", status)
    page = await go("/c/MALL-1", "first")
    assert (page.phase, page.headline, page.reason) == (phase, headline, reason)
