"""Drivers without a browser: each speaks the pages' own websocket, and comes again when a process or a page is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlmodel import Session
from websockets.exceptions import WebSocketException

from domain import sign_ins, tokens
from domain.models import User
from domain.sign_ins import Browser
from evapp.state.charger import ChargerPage
from evapp.state.live import Live
from evapp.web.auth import COOKIE
from tests.e2e.wire import Wire
from tests.money import house

GIVEN_PAISE = 1_000_000
PATIENCE_S = 240.0
"""So long a driver tries, with one process after another."""
PAGE_S = 40.0
"""So long one page may take; a machine that does other things, too, is slow."""


@dataclass(frozen=True)
class Driver:
    """Somebody with a wallet, signed in."""

    user_id: int
    charger: str
    cookie: str

    @property
    def page(self) -> str:
        return f"/c/{self.charger}"


def sign_up(db: Session, charger: str) -> Driver:
    """A driver with money, for this charger, whose name is also the number of his card."""
    user_id = house.driver(db, f"of_{charger.lower().replace('-', '_')}")
    house.give(db, user_id, GIVEN_PAISE)
    tokens.add(db, charger, user_id=user_id)
    token = sign_ins.new_token()
    sign_ins.start(db, db.get_one(User, user_id), Browser(sign_ins.hash_token(token), "chaos", "127.0.0.1"))
    return Driver(user_id, charger, f"{COOKIE}={token}")


async def start(url: str, driver: Driver) -> str:
    """Open the charger's page and press Start; gives what the page then says: of the charge, or why there is none."""

    async def press(wire: Wire) -> str:
        await _opened(wire, driver)
        if not wire.var(Live, "state"):
            await wire.send(ChargerPage, "start", driver.page, charger_id=driver.charger, plug=1)
            await wire.when(lambda: wire.var(Live, "state") or wire.var(ChargerPage, "error"), PAGE_S)
        return str(wire.var(Live, "state") or wire.var(ChargerPage, "error"))

    return await insisting(url, driver, press)


async def stop(url: str, driver: Driver) -> str:
    """Open the page of the charge that runs and press Stop; gives what it then says, nothing once it is over."""

    async def press(wire: Wire) -> str:
        await _opened(wire, driver)
        if wire.var(ChargerPage, "phase") == "finished":
            return ""  # by a press before, whose page was lost
        assert wire.var(ChargerPage, "phase") == "running", f"{driver.charger}: {wire.state}"
        await wire.send(Live, "stop", driver.page)
        await wire.when(lambda: wire.var(Live, "state") in ("stopping", "stuck", ""), PAGE_S)
        return str(wire.var(Live, "state"))

    return await insisting(url, driver, press)


async def _opened(wire: Wire, driver: Driver) -> None:
    """A push may come before the page is there; all that a page shows comes at once."""
    await wire.send(ChargerPage, "load", driver.page)
    await wire.when(lambda: wire.var(ChargerPage, "phase"), PAGE_S)


async def insisting(url: str, driver: Driver, do: Callable[[Wire], Awaitable[str]]) -> str:
    """Do it on one page after another until one lasts long enough, as a driver reloads."""
    ends = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            async with asyncio.timeout(PAGE_S), Wire(url, cookie=driver.cookie) as wire:
                return await do(wire)
        except (OSError, WebSocketException, TimeoutError, AssertionError):
            if asyncio.get_running_loop().time() > ends:
                raise
            await asyncio.sleep(0.3)
