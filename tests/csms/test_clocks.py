"""Clocks of chargers over a real socket (ocpp.md Q26, Q27, Q39): what is history, and what is a clock that is wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import sweeper
from domain.db import transact
from domain.events import SessionMetered
from domain.models import ChargerHealth, ChargingSession, Connector, MeterSample, SessionState, now
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_cards import begin, remote_stop
from tests.csms.test_charge import start, stop
from tests.csms.test_fast import Times
from tests.csms.test_quirks import wanted
from tests.csms.test_quirks_of_charges import meter, says

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: the rules themselves are tested on both in tests/money."""

FAST_W = 120_000


async def noted(house: House, raw: Raw, clock_s: float = 0) -> None:
    """It says that its connector charges, by a clock so many seconds ahead of ours, which is written down."""
    await says(raw, "Charging", timestamp=stamp(clock_s))
    await house.eventually(
        ChargerHealth,
        lambda row: row.clock_skew_ms is not None and abs(row.clock_skew_ms - 1_000 * clock_s) < 10_000,
    )


@asynccontextmanager
async def back(house: House) -> AsyncIterator[Raw]:
    """The charger on a new socket, without a boot; it told no time yet, and was asked for its states."""
    async with house.charger() as raw:
        await raw.silent()
        id_, _ = await raw.asked("TriggerMessage")
        await raw.send([3, id_, {"status": "Rejected"}])
        yield raw


def _began_20_minutes_ago(db: Session, transaction: int) -> None:
    session = db.exec(select(ChargingSession).where(ChargingSession.transaction_id == transaction)).one()
    db.get_one(Connector, (session.charger_id, session.connector_number)).max_power_w = FAST_W
    session.started_at = session.started_received_at = session.requested_at = now() - timedelta(minutes=20)
    session.limit_wh = 15_000


async def test_a_queue_that_comes_first_is_history_where_the_clock_was_right(house: House, raw: Raw) -> None:
    """Q27: back on a new socket without a boot, a fast charge tells ten minutes: all of it counts, none of it is live,
    and the limit that was passed meanwhile ends the charge with the first sample of now."""
    wish = await wanted(100_000)
    transaction = await start(raw, tag=wish.tag)
    await noted(house, raw)
    await transact(_began_20_minutes_ago, transaction)
    async with back(house) as again:
        for sample in range(1, 21):
            await meter(again, transaction, 1000 + 1000 * sample, at=stamp(30 * sample - 1000))
        session = await house.session()
        assert (session.state, session.energy_wh, session.review) == (SessionState.CHARGING, 20_000, "")
        assert not [event for event in house.events if isinstance(event, SessionMetered)]
        told = {"connectorId": 1, "transactionId": transaction, "meterValue": metered(sampled("21100"))}
        await again.send([2, "now", "MeterValues", told])
        assert await again.receive() == [3, "now", {}]
        await remote_stop(again, transaction)
        await stop(again, transaction, 21_200)
        session = await house.session()
        assert (session.energy_wh, session.review, session.stop_cause) == (20_200, "", "limit")


async def test_an_interrupted_charge_is_not_resumed_by_what_is_history(house: House, raw: Raw) -> None:
    """Q23, Q27."""
    wish = await wanted()
    transaction = await start(raw, tag=wish.tag)
    await noted(house, raw)
    await sweeper.sweep_lost(now() + timedelta(minutes=16), now())
    async with back(house) as again:
        await meter(again, transaction, "1200", at=stamp(-600))
        assert (await house.session()).state == SessionState.INTERRUPTED


async def test_a_clock_that_was_slow_tells_no_history(house: House, raw: Raw) -> None:
    """Q39: by the last socket it was an hour behind."""
    transaction = await start(raw, meter=0, timestamp=stamp(-3600))
    await noted(house, raw, -3600)
    async with back(house) as again:
        await meter(again, transaction, "1", at=stamp(-3600))
        sample = await house.sample()
        assert sample.at == sample.received_at


async def test_a_boot_may_take_a_clock_its_time(house: House, raw: Raw) -> None:
    """Q39: what the last socket knew of it is worth nothing then."""
    transaction = await start(raw, meter=0)
    await noted(house, raw)
    async with house.charger() as again:
        await again.boot()
        await meter(again, transaction, "1", at=stamp(-3600))
        sample = await house.sample()
        assert sample.at == sample.received_at


async def test_an_offline_charge_without_our_number_is_told_from_its_start_on(house: House, raw: Raw) -> None:
    """Q22, Q27: nothing of now was said yet on this socket, but history grows younger while it is told."""
    await begin(raw, "CARD1", timestamp=stamp(-7200))
    for seconds, register in ((-6000, "2200"), (-5000, "3200")):
        values = metered(sampled(register), at=stamp(seconds))
        await raw.call("MeterValues", connectorId=1, transactionId=-1, meterValue=values)
    await raw.call("StopTransaction", transactionId=-1, idTag="CARD1", meterStop=4000, timestamp=stamp(-4000))
    session = await house.session()
    assert (session.state, session.energy_wh, session.review) == (SessionState.SETTLED, 3_000, "")
    assert all(sample.received_at - sample.at > timedelta(minutes=80) for sample in await house.rows(MeterSample))


async def test_a_clock_that_is_set_back_during_a_charge_freezes_nothing(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q26, Q39: an hour back, as time goes on: the screen moves again with the third sample, states are shown, and the
    operator is told."""
    wish = await wanted()
    transaction = await start(raw, tag=wish.tag)
    await noted(house, raw)
    times = Times(now())
    for module in ("csms.fast", "csms.connection", "tests.csms.charger"):
        monkeypatch.setattr(f"{module}.now", times)
    for register in ("1100", "1200", "1300"):
        times.at += timedelta(seconds=15)
        await meter(raw, transaction, register, at=stamp(-3600))
    assert [event.energy_wh for event in house.events if isinstance(event, SessionMetered)] == [300]
    for status in ("Finishing", "Available"):
        times.at += timedelta(seconds=15)
        await says(raw, status, timestamp=stamp(-3600))
        assert (await house.connector()).status == status
    await house.eventually(ChargerHealth, lambda row: (row.clock_skew_ms or 0) < -3_590_000)
