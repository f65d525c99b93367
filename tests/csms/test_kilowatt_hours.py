"""Registers in kWh that are called Wh (ocpp.md Q34): known by the first sample, or looked at by somebody."""

import asyncio

import pytest

from csms.connection import Connection
from domain.db import read
from domain.models import Finding, MeterSample
from domain.quirks import Habits
from tests.csms.charger import SECONDS, Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import start, stop
from tests.csms.test_quirks import wanted
from tests.csms.test_quirks_of_charges import meter, says
from tests.money.house import broken

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: the rules themselves are tested on both in tests/money."""


async def test_kwh_labelled_wh_is_known_by_the_first_sample(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q34: a register that is a thousandth of meterStart counts kWh; the samples after it are read so."""
    known, goes_by = asyncio.Event(), Connection.goes_by

    def learns(connection: Connection, habits: Habits) -> None:
        goes_by(connection, habits)
        if habits.energy_factor != 1:
            known.set()

    monkeypatch.setattr(Connection, "goes_by", learns)
    transaction = await start(raw, meter=1_250_000)
    await meter(raw, transaction, "1250.01", unit="Wh")
    await house.eventually(Finding, lambda row: row.kind == "energy-scale")
    async with asyncio.timeout(SECONDS):
        await known.wait()
    assert (await house.session()).energy_wh == 0
    await meter(raw, transaction, "1250.4", unit="Wh")
    session = await house.session()
    assert (session.energy_wh, session.review) == (400, "")
    assert (await house.rows(MeterSample))[-1].energy_wh == 1_250_400
    await stop(raw, transaction, 1_250_450)
    assert (await house.session()).energy_wh == 450
    async with house.charger() as again:
        await again.boot()
        await again.asked("GetConfiguration")
        transaction = await start(again, meter=1_250_450)
        await meter(again, transaction, "1250.5", unit="Wh")
        assert (await house.session_of(transaction)).energy_wh == 50


async def test_a_relative_register_is_no_kwh(house: House, raw: Raw) -> None:
    """Q34, Q35: one that began at zero is told from one in kWh, whatever the meter had counted before."""
    for begun in (250, 12_000, 250_000, 4_076_000):
        transaction = await start(raw, meter=begun, timestamp=stamp(-60))
        await meter(raw, transaction, "12", "250", "400")
        assert (await house.session_of(transaction)).energy_wh in (400, 150), begun
        await stop(raw, transaction, begun + 410)
        assert (await house.session_of(transaction)).energy_wh == 410
    assert not [finding for finding in await house.rows(Finding) if finding.kind == "energy-scale"]


@pytest.mark.parametrize(
    ("told_w", "stop_wh", "reviewed"), [(22_000, 1256, True), (22_000, 23_000, False), (None, 1256, False)]
)
async def test_a_bill_far_below_the_power_told_is_reviewed(
    house: House, raw: Raw, told_w: int | None, stop_wh: int, reviewed: bool
) -> None:
    """Q34: a board that tells start, samples and stop in kWh alike cannot be told by its registers."""
    wish = await wanted(hours_ago=2)
    await says(raw, "Charging", timestamp=stamp())
    transaction = await start(raw, meter=1234, tag=wish.tag, timestamp=stamp(-3600))
    for minutes in range(59, 0, -1):
        register = 1234 + (stop_wh - 1234) * (60 - minutes) // 60
        power = [sampled(told_w, measurand="Power.Active.Import", unit="W")] if told_w is not None else []
        values = metered(sampled(register), *power, at=stamp(-60 * minutes))
        await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    await stop(raw, transaction, stop_wh)
    session = await house.session()
    assert session.energy_wh == stop_wh - 1234
    assert bool(session.review) is reviewed
    assert [finding.kind for finding in await house.rows(Finding)] == ["review"] * reviewed
    assert await read(broken) == []
