"""One driver's whole story on many processes, from registering to the receipt; his page's process is killed midway."""

import httpx

from domain import accounts, chargers, history, wallet
from domain.db import Database
from evapp.state.charger import ChargerPage
from evapp.state.effects import Effects
from evapp.state.live import Live
from evapp.state.recharge import Recharge
from evapp.state.wallet import Wallet
from simulator.chargers import VirtualCharger
from tests.chaos.drivers import PAGE_S
from tests.chaos.house import House
from tests.e2e.browsers import PIN
from tests.e2e.wire import Wire

CHARGER, NAME = "STORY-1", "asha_of_chaos"
FORM = {"username": NAME, "phone": "9845066666", "pin": PIN, "pin_again": PIN}
PAGE = f"/c/{CHARGER}"


async def story(house: House, database: Database) -> None:
    """Every request and every socket goes to the next process in turn.

    Raises:
        AssertionError, TimeoutError: a page does not show what it should.
    """
    await database.transact(chargers.add, CHARGER, place="Chaos Street", connectors=1)
    async with (
        VirtualCharger(CHARGER, house.ocpp, sample_seconds=0.5, speed=60.0, reconnect_seconds=(0.2, 1.0)) as charger,
        httpx.AsyncClient(base_url=house.url, headers={"Origin": house.url}) as http,
    ):
        await charger.until(lambda one: one.online)
        assert (await http.post("/auth/register", data=FORM)).headers["location"] == "/dashboard"
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        await _recharges(house, http, cookie)
        charger.plug()
        await _charges(house, cookie)
        await charger.until(lambda one: not one.outbox.waiting)
    user = (await database.read(accounts.find, NAME))[0]
    [charge] = await database.read(history.page, user.id)
    money = await database.read(wallet.balance, user.id)
    assert charge.energy_wh == charge.session.meter_stop_wh - charge.session.meter_start_wh > 0
    assert money == wallet.Balance(100_000 - charge.cost_paise, 0, 0)


async def _recharges(house: House, http: httpx.AsyncClient, cookie: str) -> None:
    """Ordered on one process, paid at the gateway, credited by whichever is rung, and shown by the first."""
    async with Wire(house.url, cookie=cookie) as wire:
        await wire.event(Wallet, "load", "/wallet")
        await wire.event(Recharge, "pay", "/wallet", form={"amount": "1000"})
        way: str = wire.var(Effects, "leave_to")
        gateway = await http.get(way)
        assert gateway.headers["location"].startswith(house.processes["web-1"].env["EVAPP_PHONEPE_PG_URL"])
        await house.sandbox.choose(way.rpartition("/")[2], "pay")
        await wire.until(Wallet, "balance", "₹1,000.00", PAGE_S)


async def _charges(house: House, cookie: str) -> None:
    """The page's process dies while the meter runs; the next one shows the same charge, and stops it."""
    async with Wire(house.url, cookie=cookie) as wire:
        await wire.send(ChargerPage, "load", PAGE)
        await wire.until(ChargerPage, "phase", "free", PAGE_S)
        await wire.send(ChargerPage, "start", PAGE, charger_id=CHARGER, plug=1)
        await wire.until(Live, "state", "charging", PAGE_S)
        await _ticks(wire)
        killed = house.behind(wire.port)
        killed.kill()
        await wire.ended()
    # The same tab: its state may still be locked by the process that died.
    async with Wire(house.url, cookie=cookie, token=wire.token) as wire:
        await wire.send(ChargerPage, "load", PAGE)
        await wire.until(Live, "state", "charging", PAGE_S)
        await _ticks(wire)
        await wire.send(Live, "stop", PAGE)
        await wire.until(ChargerPage, "phase", "finished", PAGE_S)
    killed.start()
    await house.ready()


async def _ticks(wire: Wire) -> None:
    """Wait for the meter to have moved on this page."""
    shown = wire.var(Live, "energy")
    await wire.when(lambda: wire.var(Live, "energy") not in (shown, "0.00"), PAGE_S)
