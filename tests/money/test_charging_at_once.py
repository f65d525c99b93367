"""Many at once, on both databases: every race ends with one winner, a sentence for the rest, and clean books."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from domain import (
    accounts,
    arrivals,
    charging,
    connectors,
    findings,
    interruptions,
    metering,
    placing,
    recharges,
    sessions,
    starts,
    wallet,
    wishes,
)
from domain.charging import Limit, Refused
from domain.db import Database
from domain.models import ChargingSession, Finding, SessionState, Transfer
from domain.recharges import OrderStatus
from tests.money import house
from tests.money.charges import METER, Desk


@asynccontextmanager
async def processes(url: str, number: int = 3) -> AsyncIterator[list[Database]]:
    """The database as so many processes have it, each with writers of its own."""
    databases = [Database(url) for _ in range(number)]
    try:
        yield databases
    finally:
        for database in databases:
            await asyncio.to_thread(database.close)


async def together(databases: list[Database], *calls: tuple[Any, ...], **kwargs: Any) -> list[Any]:
    """Every call at once, spread over the processes; what each gave or raised."""
    return await asyncio.gather(
        *(databases[n % len(databases)].transact(*call, **kwargs) for n, call in enumerate(calls)),
        return_exceptions=True,
    )


def codes(results: list[Any]) -> list[str]:
    """Why starts were refused; anything else that was raised fails the test."""
    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(result, Refused) for result in refused), refused
    return [result.code for result in refused]


@pytest.mark.row("C28")
async def test_50_wishes_of_one_driver_are_one_hold(open_desk: Desk) -> None:
    """C28."""
    desk = open_desk
    asha = desk.driver(rupees=50)
    for n in range(50):
        desk.charger(f"BLR-{n}")
    async with processes(desk.database.url) as databases:
        results = await together(
            databases, *((charging.request_start, asha, f"BLR-{n}", 1, Limit()) for n in range(50))
        )
    assert len(codes(results)) == 49
    assert set(codes(results)) <= {"charging", "funds"}
    assert desk.money(asha) == wallet.Balance(5_000, 5_000, 0)
    assert desk.do(lambda db: house.rows(db, ChargingSession)) == 1


async def test_20_drivers_want_one_connector(open_desk: Desk) -> None:
    desk = open_desk
    desk.charger()
    drivers = [desk.driver() for _ in range(20)]
    async with processes(desk.database.url) as databases:
        results = await together(databases, *((charging.request_start, user, "BLR-1", 1, Limit()) for user in drivers))
    assert codes(results) == ["busy"] * 19
    assert sorted(desk.money(user).held_paise for user in drivers) == [0] * 19 + [100_000]


@pytest.mark.row("C2")
async def test_20_stops_are_one_debit(open_desk: Desk) -> None:
    """C2."""
    desk = open_desk
    asha, session_id = desk.a_charge(kwh=2)
    told = desk.stop_told(session_id, METER + 2_000)
    async with processes(desk.database.url) as databases:
        results = await together(databases, *[(charging.stopped,)] * 20, **told)
    assert results == [None] * 20
    assert desk.money(asha) == wallet.Balance(96_400, 0, 0)
    assert desk.do(lambda db: house.rows(db, Transfer)) == 2


@pytest.mark.row("C2", "C3")
async def test_20_different_stops_are_one_debit_and_one_finding(open_desk: Desk) -> None:
    """C2, C3."""
    desk = open_desk
    asha, session_id = desk.a_charge(kwh=2)

    told = desk.stop_told(session_id, None, "")

    def stop(db: Any, n: int) -> None:
        charging.stopped(db, **told | {"meter_stop_wh": METER + 2_000 + n})

    async with processes(desk.database.url) as databases:
        results = await together(databases, *((stop, n) for n in range(20)))
    assert results == [None] * 20
    energy_wh, cost = desk.bill(session_id)
    assert desk.money(asha).balance_paise == 100_000 - cost
    assert 2_000 <= energy_wh < 2_020
    assert desk.findings() == {"conflict": 1}


@pytest.mark.row("C38")
async def test_a_busy_database_delays_a_stop_and_loses_nothing(open_desk: Desk) -> None:
    """C38: another process has the session; the stop waits for it and is answered then."""
    desk = open_desk
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.flows(session_id, 1)
    told = desk.stop_told(session_id, METER + 1_000)
    has_it, let_go = threading.Event(), threading.Event()

    def keep(db: Any) -> None:
        sessions.locked(db, session_id)
        has_it.set()
        let_go.wait(20)

    async with processes(desk.database.url, 2) as (one, other):
        keeping = asyncio.create_task(one.transact(keep))
        await asyncio.to_thread(has_it.wait, 20)
        stopping = asyncio.create_task(other.transact(charging.stopped, **told))
        _, waiting = await asyncio.wait([stopping], timeout=0.3)
        assert waiting == {stopping}
        let_go.set()
        await asyncio.gather(keeping, stopping)
    assert desk.bill(session_id) == (1_000, 1_800)


@pytest.mark.row("C33")
async def test_20_starts_are_one_session(open_desk: Desk) -> None:
    """C33."""
    desk = open_desk
    desk.charger()
    session_id = desk.request(desk.driver())
    told = desk.start_told(session_id)
    async with processes(desk.database.url) as databases:
        results = await together(databases, *[(charging.started,)] * 20, **told)
    assert set(results) == {starts.Started(session_id, session_id, "Accepted", False)}


@pytest.mark.row("C33")
async def test_20_walk_ups_are_one_session(open_desk: Desk) -> None:
    """C33, Q32: nothing is there to be locked yet."""
    desk = open_desk
    desk.charger()
    told = {
        "charger_id": "BLR-1",
        "connector_number": 1,
        "tag": "CARD",
        "meter_start_wh": METER,
        "at": desk.clock.at,
        "received_at": desk.clock.at + timedelta(seconds=1),
    }
    async with processes(desk.database.url) as databases:
        results = await together(databases, *[(charging.started,)] * 20, **told)
    assert len(set(results)) == 1, results


@pytest.mark.row("C11")
async def test_20_orphans_are_one_finding(open_desk: Desk) -> None:
    """C11: also with a reference that does not fit its column."""
    desk = open_desk
    async with processes(desk.database.url) as databases:
        results = await together(databases, *[(findings.note, "orphan-stop", "x" * 150, "y" * 600)] * 20)
    assert results == [None] * 20
    assert desk.do(lambda db: house.rows(db, Finding)) == 1


@pytest.mark.row("C26")
@pytest.mark.parametrize("round_", range(5))
async def test_an_answer_a_deadline_and_a_start_meet(open_desk: Desk, round_: int) -> None:
    """C26, Q26: whoever comes first, a charge that began runs with its hold."""
    desk = open_desk
    drivers = [desk.driver() for _ in range(6)]
    desk.charger(connectors=6)
    ids = [desk.request(user, connector=n) for n, user in enumerate(drivers, 1)]
    later = desk.passes(seconds=36)
    told = {session_id: desk.start_told(session_id) for session_id in ids}

    def start(db: Any, session_id: int) -> None:
        charging.started(db, **told[session_id])

    calls: list[tuple[Any, ...]] = []
    for session_id in ids:
        meeting = [
            (wishes.answered, session_id, "accepted"),
            (charging.deadline, session_id, later),
            (start, session_id),
        ]
        calls += meeting[round_ % 3 :] + meeting[: round_ % 3]
    async with processes(desk.database.url) as databases:
        results = await together(databases, *calls)
    assert not [result for result in results if isinstance(result, BaseException)]
    for session_id, user in zip(ids, drivers, strict=True):
        assert desk.state(session_id) == SessionState.CHARGING
        assert desk.money(user).held_paise == 100_000


def recharge(db: Any, user_id: int, n: int) -> None:
    order = placing.place(db, user_id, 50_000, f"n{n}")
    recharges.apply(db, order.merchant_order_id, OrderStatus(f"O{n}", "COMPLETED", 50_000, "", "", "", "", {}))


@pytest.mark.row("C24", "C31")
async def test_everything_of_one_driver_at_once(open_desk: Desk) -> None:
    """C24, C31: recharges, samples, statuses, a stop, a block; nobody waits for each other for ever."""
    desk = open_desk
    asha, session_id = desk.a_charge(kwh=2, rupees=100)
    at = desk.passes(minutes=1)
    samples = [desk.sample(session_id, METER + 2_000 + 10 * n) for n in range(10)]

    def status(db: Any, word: str) -> None:
        connectors.status(
            db,
            "BLR-1",
            connector_number=1,
            status=word,
            error_code="NoError",
            info="",
            at=None,
            received_at=at,
        )

    told = desk.stop_told(session_id, METER + 2_500, at=at)

    def stop(db: Any) -> None:
        charging.stopped(db, **told)

    async with processes(desk.database.url) as databases:
        results = await together(
            databases,
            *((recharge, asha, n) for n in range(5)),
            *((metering.record, [sample]) for sample in samples[:5]),
            (status, "SuspendedEV"),
            (stop,),
            (charging.request_stop, session_id, "driver"),
            *((metering.record, [sample]) for sample in samples[5:]),
            (arrivals.heard, {"BLR-1": at}),
            (status, "Finishing"),
            (accounts.block, asha),
            (stop,),
            (interruptions.interrupt_lost, session_id, at, at),
            *((recharge, asha, n) for n in range(5)),
        )
    blocked = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(result, placing.RechargeRefused) for result in blocked), blocked
    assert desk.bill(session_id) == (2_500, 4_500)
    recharged = sum(desk.do(house.credits, asha))
    assert desk.money(asha) == wallet.Balance(10_000 + recharged - 4_500, 0, 0)


async def test_batches_with_the_same_chargers_in_other_orders(open_desk: Desk) -> None:
    """Two processes' meter logs lock the same sessions: always in the order of their ids."""
    desk = open_desk
    ids = []
    for n in range(4):
        desk.charger(f"BLR-{n}")
        ids.append(desk.charging(desk.driver(), f"BLR-{n}"))
    desk.passes(minutes=1)
    there = [desk.sample(session_id, METER + 500) for session_id in ids]
    async with processes(desk.database.url) as databases:
        calls = [(metering.record, there if n % 2 else there[::-1]) for n in range(24)]
        assert await together(databases, *calls) == [[]] * 24
    assert [desk.session(session_id).energy_wh for session_id in ids] == [500] * 4


@pytest.mark.row("C14")
async def test_20_drivers_stop_at_once_and_every_bill_is_exact(open_desk: Desk) -> None:
    """C14: the receipts have no gap, although they are taken at the same moment."""
    desk = open_desk
    desk.charger(connectors=20)
    ids = {n: desk.charging(desk.driver(), connector=n) for n in range(1, 21)}
    desk.passes(minutes=30)
    told = {n: desk.stop_told(session_id, METER + 100 * n) for n, session_id in ids.items()}

    def stop(db: Any, n: int) -> None:
        charging.stopped(db, **told[n])

    async with processes(desk.database.url) as databases:
        results = await together(databases, *((stop, n) for n in [*ids, *ids]))
    assert results == [None] * 40
    assert [desk.bill(ids[n]) for n in ids] == [(100 * n, 180 * n) for n in ids]
    numbers = sorted(desk.session(session_id).receipt_number for session_id in ids.values())
    assert [int(number[-7:]) for number in numbers] == list(range(1, 21))
