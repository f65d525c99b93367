"""The sweeper: every deadline is in the database, so no restart and no slow charger makes it forget one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from domain import charging, interruptions, sessions, sweeper, wishes
from domain.bus import LocalBus
from domain.events import RemoteStop
from domain.models import Push, SessionState, now
from domain.wallet import LedgerConflict
from tests import receivers
from tests.money.charges import METER, Desk
from tests.money.house import Gateway
from tests.money.test_dispatch import ACCEPTED, Socket


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(20):
        while not true():  # a database rings no bell
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sweeping(bus: LocalBus, gateway: Gateway) -> AsyncIterator[None]:
    task = asyncio.create_task(sweeper.run(bus, gateway, every=0.02))
    await asyncio.sleep(0)  # it has begun, and its time with it
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.row("C26", "C27", "C40")
async def test_deadlines_are_worked_after_a_restart(open_desk: Desk, gateway: Gateway) -> None:
    """C26, C27, C40: nothing of this is in memory."""
    desk = open_desk
    desk.charger(connectors=3)
    asked, waiting, stopping = desk.driver(), desk.driver(), desk.driver()
    first = desk.request(asked, connector=1)
    second = desk.request(waiting, connector=2)
    desk.do(wishes.answered, second, "accepted")
    third = desk.charging(stopping, connector=3)
    desk.do(charging.request_stop, third, "driver")
    desk.passes(minutes=3)
    socket, bus = Socket(), LocalBus()
    async with bus.attach("BLR-1", socket), sweeping(bus, gateway):
        await socket.was_asked.wait()
        await until(lambda: desk.session(third).stop_tries == 1)
        await until(lambda: desk.state(first) == desk.state(second) == SessionState.CANCELLED)
    assert desk.free(asked) == desk.free(waiting) == 1_000
    assert socket.asked == [RemoteStop(third)]


async def test_a_slow_charger_keeps_no_other_waiting(open_desk: Desk, gateway: Gateway) -> None:
    desk, bus = open_desk, LocalBus()
    slow, quick = Socket(), Socket()
    slow.speaks.clear()
    for charger_id in ("BLR-1", "BLR-2"):
        desk.charger(charger_id)
    first = desk.charging(desk.driver())
    desk.do(charging.request_stop, first, "driver")
    desk.passes(seconds=40)
    async with bus.attach("BLR-1", slow), bus.attach("BLR-2", quick), sweeping(bus, gateway):
        await slow.was_asked.wait()
        second = desk.charging(desk.driver(), "BLR-2")
        desk.do(charging.request_stop, second, "driver")
        desk.passes(seconds=36)
        await quick.was_asked.wait()
        slow.speaks.set()
        await until(lambda: desk.session(first).stop_tries == desk.session(second).stop_tries == 1)
    assert len(slow.asked) == 1, "what is being asked is not asked again"


async def test_two_processes_ask_once(open_desk: Desk, gateway: Gateway) -> None:
    desk, bus, socket = open_desk, LocalBus(), Socket()
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    desk.passes(seconds=40)
    async with bus.attach("BLR-1", socket):
        await asyncio.gather(*(sweeper.sweep_charges(bus, desk.clock.at) for _ in range(2)))
        await until(lambda: desk.session(session_id).stop_tries == 1)
    assert len(socket.asked) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_another_process_works_at_keeps_nobody_waiting(open_desk: Desk, gateway: Gateway) -> None:
    """SQLite lets one transaction write at a time."""
    desk = open_desk
    desk.charger(connectors=2)
    first, second = desk.request(desk.driver()), desk.request(desk.driver(), connector=2)
    desk.passes(minutes=1)
    with desk.database.engine.connect() as other, other.begin():
        sessions.locked(Session(other), first)
        async with asyncio.timeout(4.5):  # a lock is waited for 5 s
            await sweeper.sweep_charges(LocalBus(), desk.clock.at)
        assert desk.state(second) == SessionState.CANCELLED
    assert desk.state(first) == SessionState.REQUESTED
    await sweeper.sweep_charges(LocalBus(), desk.clock.at)
    assert desk.state(first) == SessionState.CANCELLED


@pytest.mark.parametrize(
    "failure", [OperationalError("UPDATE", {}, Exception("disk I/O error")), LedgerConflict("a session's own trouble")]
)
async def test_a_session_that_cannot_be_worked_stops_no_other(
    open_desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    desk = open_desk
    desk.charger(connectors=2)
    asha, ben = desk.driver(), desk.driver()
    broken, whole = desk.request(asha), desk.request(ben, connector=2)
    desk.passes(minutes=1)
    right = charging.deadline

    def deadline(db: Session, session_id: int, *args: Any) -> str:
        if session_id == broken:
            raise failure
        return right(db, session_id, *args)

    monkeypatch.setattr(charging, "deadline", deadline)
    await sweeper.sweep_charges(LocalBus(), desk.clock.at)
    assert desk.state(whole) == SessionState.CANCELLED
    assert desk.state(broken) == SessionState.REQUESTED
    monkeypatch.undo()
    monkeypatch.setattr("domain.stops.now", desk.clock)
    await sweeper.sweep_charges(LocalBus(), now() + (desk.clock.at - now()))
    assert desk.state(broken) == SessionState.CANCELLED


async def test_a_blackout_interrupts_every_charge(open_desk: Desk, gateway: Gateway) -> None:
    """Q23: and one transaction each."""
    desk = open_desk
    desk.charger(connectors=4)
    ids = [desk.charging(desk.driver(), connector=n) for n in range(1, 5)]
    for session_id in ids:
        desk.flows(session_id, 1)
    desk.disconnect()
    desk.passes(minutes=16)
    await sweeper.sweep_lost(desk.clock.at, desk.since)
    assert {desk.state(session_id) for session_id in ids} == {SessionState.INTERRUPTED}
    for session_id in ids:
        desk.stop(session_id, METER + 1_000)


async def test_a_lost_charge_that_cannot_be_worked_stops_no_other(
    open_desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk
    desk.charger(connectors=2)
    broken, whole = (desk.charging(desk.driver(), connector=n) for n in (1, 2))
    for session_id in (broken, whole):
        desk.flows(session_id, 1)
    desk.disconnect()
    desk.passes(minutes=16)
    right = interruptions.interrupt_lost

    def interrupt_lost(db: Session, session_id: int, *args: Any) -> bool:
        if session_id == broken:
            raise LedgerConflict("a session's own trouble")
        return right(db, session_id, *args)

    monkeypatch.setattr(interruptions, "interrupt_lost", interrupt_lost)
    await sweeper.sweep_lost(desk.clock.at, desk.since)
    assert (desk.state(broken), desk.state(whole)) == (SessionState.CHARGING, SessionState.INTERRUPTED)


async def test_the_lost_ones_are_looked_for_again_and_again(
    open_desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "LOST_EVERY", timedelta(0))
    desk, bus = open_desk, LocalBus()
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.flows(session_id, 1)
    async with bus.attach("BLR-1", Socket(ACCEPTED)), sweeping(bus, gateway):
        desk.passes(minutes=16)
        await until(lambda: desk.state(session_id) == SessionState.INTERRUPTED)


async def test_a_clock_that_is_put_back_switches_nothing_off(
    open_desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may begin by a clock of its own, and be told the time only then."""
    desk = open_desk
    looked: list[tuple[datetime, datetime]] = []
    compared: list[datetime] = []

    async def sweep_lost(at: datetime, since: datetime) -> None:
        looked.append((at, since))

    async def sweep_books(_: object, at: datetime) -> None:
        compared.append(at)

    for name, instead in (("sweep_lost", sweep_lost), ("sweep_books", sweep_books)):
        monkeypatch.setattr(sweeper, name, instead)
    for name in ("LOST_EVERY", "BOOKS_EVERY"):
        monkeypatch.setattr(sweeper, name, timedelta(0))
    async with sweeping(LocalBus(), gateway):
        back = desk.passes(hours=-6)
        await until(lambda: bool(looked and compared))
        later = desk.passes(minutes=1)
        await until(lambda: (later, back) in looked and later in compared)


async def test_who_is_told_hears_once_that_the_money_ends_soon(open_desk: Desk) -> None:
    desk = open_desk
    asha = desk.driver(300)
    desk.do(receivers.subscribed, asha, "phone", desk.clock.at)
    desk.charger(kw=7)
    session_id = desk.charging(asha)
    desk.passes(hours=2)
    desk.meter(session_id, METER + 14_000, 7_000)
    for _ in range(2):
        await sweeper.sweep_short(desk.clock.at)
        told = desk.do(lambda db: [(row.kind, row.ref) for row in db.exec(select(Push))])
        assert told == [("low", desk.session(session_id).ref)]


async def test_a_failing_sweep_does_not_end_the_sweeping(
    open_desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk
    desk.charger()
    session_id = desk.request(desk.driver())
    failures = [OSError("disk"), ValueError("odd")]

    async def poll(*_: object) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr("domain.funnel.poll", poll)
    async with sweeping(LocalBus(), gateway):
        await until(lambda: not failures)
        desk.passes(minutes=1)
        await until(lambda: desk.state(session_id) == SessionState.CANCELLED)
