"""Processes that live and die, and what becomes of the chargers they held."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select
from structlog.testing import capture_logs

from domain import arrivals, chargers, processes
from domain.bus import LocalBus
from domain.db import Database, read, transact
from domain.events import ChargerChanged, ChargerTaken, NewsLost, SessionChanged
from domain.models import Charger, Process, now
from tests.money.charges import Desk


def online(db: Session) -> dict[str, str | None]:
    """Which chargers are online, and who holds them."""
    return {c.id: c.held_by for c in db.exec(select(Charger).order_by(Charger.id)) if c.online}


def live(db: Session, *names: str) -> None:
    for name in names:
        processes.begin(db, name, "csms", now())


def test_the_newest_connection_holds_and_the_older_ones_end_changes_nothing(desk: Desk) -> None:
    """ocpp.md Q5, across processes."""
    desk.do(chargers.add, "BLR-1")
    at = desk.clock.at
    first = desk.do(arrivals.connected, "p1", [("BLR-1", at)])["BLR-1"]
    assert not [event for event in desk.events if isinstance(event, ChargerTaken)]
    second = desk.do(arrivals.connected, "p2", [("BLR-1", at)])["BLR-1"]
    assert second > first
    assert desk.events[-2:] == [ChargerTaken("BLR-1", second), ChargerChanged("BLR-1")]
    desk.events.clear()
    desk.do(arrivals.disconnected, [("BLR-1", at, first)])
    assert (desk.do(online), desk.events) == ({"BLR-1": "p2"}, [])
    third = desk.do(arrivals.connected, "p1", [("BLR-1", at)])["BLR-1"]
    desk.do(arrivals.disconnected, [("BLR-1", at, second), ("BLR-1", at, first)])
    assert desk.do(online) == {"BLR-1": "p1"}
    desk.do(arrivals.disconnected, [("BLR-1", at, third)])
    assert desk.do(online) == {}
    assert desk.do(chargers.holder, "BLR-1") is None


def test_a_start_buries_its_own_predecessor_only(desk: Desk) -> None:
    asha = desk.driver()
    for name in ("BLR-1", "BLR-2"):
        desk.charger(name)
    session_id = desk.charging(asha)
    desk.do(live, "before", "beside")
    desk.do(processes.opened_door, "before", 9000)
    desk.do(processes.opened_door, "beside", 9001)
    desk.do(arrivals.connected, "before", [("BLR-1", desk.clock.at)])
    desk.do(arrivals.connected, "beside", [("BLR-2", desk.clock.at)])
    heard_at = desk.do(chargers.info, "BLR-1").heard_at
    desk.passes(minutes=1)
    desk.events.clear()
    desk.do(live, "after")
    desk.do(processes.opened_door, "after", 9000)
    assert desk.do(online) == {"BLR-2": "beside"}
    assert desk.events == [ChargerChanged("BLR-1"), SessionChanged(session_id, "BLR-1", asha, "CHARGING")]
    assert desk.do(chargers.info, "BLR-1").heard_at == heard_at, "nobody heard it while its process was dead"


def test_a_process_that_says_nothing_is_dead(desk: Desk) -> None:
    at = desk.clock.at
    desk.do(live, "lives", "dies")
    desk.charger("BLR-1")
    desk.do(arrivals.connected, "dies", [("BLR-1", at)])
    for seconds in range(5, 31, 5):
        assert desk.do(processes.seen, "lives", at + timedelta(seconds=seconds)) == []
    assert desk.do(processes.seen, "lives", at + timedelta(seconds=35)) == ["dies"]
    assert desk.do(processes.bury, "dies")
    assert not desk.do(processes.bury, "dies"), "once"
    assert desk.do(online) == {}
    assert desk.do(processes.seen, "dies", at + timedelta(seconds=36)) is None


def test_after_a_gap_of_its_own_nobody_is_judged(desk: Desk) -> None:
    """A database that was away kept everybody from saying so."""
    at = desk.clock.at
    desk.do(live, "one", "other")
    assert desk.do(processes.seen, "one", at + timedelta(minutes=2)) == []
    assert desk.do(processes.seen, "other", at + timedelta(minutes=2, seconds=1)) == []
    assert desk.do(processes.seen, "one", at + timedelta(minutes=2, seconds=5)) == []


def _processes(db: Session) -> list[str]:
    return list(db.exec(select(Process.id)))


async def test_a_process_is_known_as_long_as_it_lives(database: Database) -> None:
    bus = LocalBus()
    async with processes.living(bus, "web"):
        assert await read(_processes) == [bus.process]
    assert await read(_processes) == []


async def test_who_was_thought_dead_lives_again_and_looks_anew(database: Database) -> None:
    bus = LocalBus()
    heard = bus.subscribe(NewsLost)
    async with processes.living(bus, "csms", beat=0.01):
        await transact(processes.bury, bus.process)
        async with asyncio.timeout(10):
            assert await anext(heard) == NewsLost()
        assert await read(_processes) == [bus.process]


async def test_the_living_bury_the_dead(database: Database) -> None:
    dead = "dead"

    def put(db: Session) -> None:
        db.add(Process(id=dead, kind="csms", seen_at=now() - timedelta(minutes=1)))
        chargers.add(db, "BLR-1")

    await transact(put)
    await transact(arrivals.connected, dead, [("BLR-1", now())])
    bus = LocalBus()
    async with processes.living(bus, "web", beat=0.01), asyncio.timeout(10):
        while await read(online):
            await asyncio.sleep(0.01)


async def test_one_sign_of_life_that_fails_for_any_reason_is_not_the_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else everybody would think this process dead, and its chargers out of contact, for as long as it lives."""
    right, asked, again = processes.seen, [], asyncio.Event()

    def seen(db: Session, process: str, at: datetime) -> list[str] | None:
        asked.append(process)
        if len(asked) == 1:
            raise ValueError("nobody thought of this")
        loop.call_soon_threadsafe(again.set)
        return right(db, process, at)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(processes, "seen", seen)
    async with processes.living(LocalBus(), "web", beat=0.01), asyncio.timeout(10):
        await again.wait()


async def test_two_that_nothing_joins_are_told_so_once(database: Database) -> None:
    """Two servers started on one SQLite file, or a CSMS of its own without Redis."""
    await transact(live, "gone")  # whoever was here before this one began is no company
    with capture_logs() as logged:
        async with processes.living(LocalBus(), "web", beat=0.01), asyncio.timeout(10):
            await _beats(3)
            assert _unjoined(logged) == 0
            async with processes.living(LocalBus(), "csms", beat=0.01):
                while _unjoined(logged) < 2:
                    await asyncio.sleep(0)
                await _beats(3)
    assert _unjoined(logged) == 2


def _unjoined(logged: Sequence[Mapping[str, Any]]) -> int:
    return [line["event"] for line in logged].count(processes.UNJOINED)


async def _beats(count: int) -> None:
    """Return after so many signs of life of the living."""
    for _ in range(count):
        before = now()
        while not await read(_seen_since, before):
            await asyncio.sleep(0)


def _seen_since(db: Session, moment: datetime) -> bool:
    return bool(db.exec(select(Process.id).where(Process.seen_at > moment)).first())
