"""Whose turn it is when thousands of chargers come at once."""

import time
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest

from csms.central import Central, Pace
from csms.connection import Connection
from domain.bus import LocalBus
from domain.models import Finding
from domain.settings import Settings
from tests.csms.conftest import House, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here."""


def test_chargers_that_come_at_once_are_set_up_one_after_the_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first after it has settled, a thousand within ten seconds; so no boot waits behind set-ups."""
    central, at = Central(LocalBus(), Settings(), Pace(settle=3.0)), time.monotonic()
    with monkeypatch.context() as still:
        still.setattr(time, "monotonic", lambda: at)
        waits = [central.settled_in() for _ in range(1_000)]
    assert 2.9 < waits[0] <= 3.0
    assert 12.0 < waits[-1] <= 13.0
    assert all(before < later for before, later in pairwise(waits))


async def test_two_boards_of_one_identity_are_found(house: House) -> None:
    """payments.md C35: each takes the other's place while that one is alive."""
    async with AsyncExitStack() as boards:
        for _ in range(6):
            await boards.enter_async_context(house.charger())
            await house.online()
        (finding,) = await house.eventually(Finding, lambda row: row.kind == "one-identity")
    assert finding.ref == "RAW-1"
    assert "serial numbers" in finding.detail


@pytest.mark.parametrize("closing", [False, True])
async def test_a_charger_whose_own_socket_died_is_no_second_one(
    house: House, monkeypatch: pytest.MonkeyPatch, closing: bool
) -> None:
    """It comes back while its old socket is thought alive, which never says a word again, or is just being closed."""
    ended: list[Connection] = []
    replaced = Central._replaced

    async def counted(central: Central, older: Connection) -> None:
        if closing:
            await older.socket.wait_closed()
        await replaced(central, older)
        ended.append(older)

    async def all_ended() -> list[Connection]:
        return ended if len(ended) == 6 else []

    monkeypatch.setattr(Central, "_replaced", counted)
    async with AsyncExitStack() as sockets:
        dead = []
        for _ in range(7):
            raw = await sockets.enter_async_context(house.charger())
            await raw.silent()
            if not closing:
                raw.socket.transport.pause_reading()
            dead.append(raw)
        for raw in dead[:-1]:
            if closing:
                await raw.socket.close()
            else:
                raw.socket.transport.abort()
        await until(all_ended)
    assert not await house.rows(Finding)
