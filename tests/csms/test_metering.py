"""What a MeterValues message means: units, contexts, phases, places and times."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.models import MeterSample
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import start


async def read(house: House, raw: Raw, transaction: int, *values: dict[str, object], **told: Any) -> MeterSample:
    """Send one MeterValues message; gives the sample it became."""
    told = {"connectorId": 1, "transactionId": transaction, "meterValue": metered(*values), **told}
    assert await raw.call("MeterValues", **told) == {}
    return (await house.rows(MeterSample))[-1]


@pytest.mark.row("C20")
async def test_units_are_known_and_numbers_exact(house: House, raw: Raw) -> None:
    """Q34, C20: no unit is Wh; kWh, kW, A, V and percent by their unit; text, numbers and commas."""
    transaction = await start(raw, meter=0)
    cases: list[tuple[dict[str, object], str, int | None]] = [
        (sampled("300"), "energy_wh", 300),
        (sampled("0.30002999999999996", unit="kWh"), "energy_wh", 300),
        (sampled("1.5", unit="KWH"), "energy_wh", 1500),
        (sampled(1500.5), "energy_wh", 1501),
        (sampled("1500.5"), "energy_wh", 1501),  # half a Wh is rounded up, whichever path decodes it
        (sampled("1500,5"), "energy_wh", 1501),
        (sampled(" 1600,4 "), "energy_wh", 1600),
        (sampled("1e3", unit="Wh"), "energy_wh", 1000),
        (sampled("7.36", measurand="Power.Active.Import", unit="kW"), "power_w", 7360),
        (sampled("7360", measurand="Power.Active.Import"), "power_w", 7360),
        (sampled("31.96", measurand="Current.Import", unit="A"), "current_ma", 31960),
        (sampled("229.8", measurand="Voltage", unit="V"), "voltage_mv", 229800),
        (sampled("54", measurand="SoC", unit="Percent", location="EV"), "soc_percent", 54),
    ]
    for value, column, amount in cases:
        sample = await read(house, raw, transaction, value)
        assert getattr(sample, column) == amount, value
        others = {"energy_wh", "power_w", "current_ma", "voltage_mv", "soc_percent"} - {column}
        assert all(getattr(sample, other) is None for other in others), value


async def test_what_is_no_figure_is_left_out(house: House, raw: Raw) -> None:
    """Q34: never read as a default; the message is answered, the rest of it counts."""
    transaction = await start(raw, meter=0)
    nonsense = [
        *map(sampled, ("", "NaN", "Infinity", "-5", "abc", "1.2.3", "9" * 400, None, {}, [])),
        sampled("5", unit="varh"),
        sampled("5", unit="MWh"),
        sampled("5", measurand="Energy.Active.Export.Register"),
        sampled("5", measurand="Energy.Alien"),
        sampled("5", format="SignedData"),
        sampled("101", measurand="SoC"),
    ]
    for value in nonsense:
        await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=metered(value))
        assert await house.rows(MeterSample) == [], value
    assert (await read(house, raw, transaction, *nonsense, sampled("12"))).energy_wh == 12


async def test_the_beginning_never_overwrites_now(house: House, raw: Raw) -> None:
    """Q36: Transaction.Begin after Sample.Periodic; the best context of the newest time counts."""
    transaction = await start(raw, meter=0)
    periodic, begin = sampled("500", context="Sample.Periodic"), sampled("1", context="Transaction.Begin")
    assert (await read(house, raw, transaction, periodic, begin)).energy_wh == 500
    values = metered(begin) + metered(periodic, at=stamp(-1))
    assert (await read(house, raw, transaction, meterValue=values)).energy_wh == 500
    values = metered(sampled("600", context="Trigger"), sampled("590", context="Interruption.Begin"))
    assert (await read(house, raw, transaction, meterValue=values)).energy_wh == 600
    values = metered(sampled("700"), at=stamp(-2)) + metered(sampled("710", context="Transaction.End"), at=stamp(-1))
    assert (await read(house, raw, transaction, meterValue=values)).energy_wh == 710
    count = len(await house.rows(MeterSample))
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=metered(begin))
    assert len(await house.rows(MeterSample)) == count


async def test_phases_make_one_figure(house: House, raw: Raw) -> None:
    """Q37: phase-less first; one phase is the total; three add up; connector 0 is no session's, nor is an inlet beside
    an outlet."""
    transaction = await start(raw, meter=0)
    three = [sampled(str(100 * n), phase=f"L{n}") for n in (1, 2, 3)]
    assert (await read(house, raw, transaction, *three)).energy_wh == 600
    assert (await read(house, raw, transaction, three[0])).energy_wh == 100
    assert (await read(house, raw, transaction, *three, sampled("650"))).energy_wh == 650
    inlet = sampled("9000", location="Inlet")
    assert (await read(house, raw, transaction, inlet, sampled("660", location="Outlet"))).energy_wh == 660
    assert (await read(house, raw, transaction, sampled("670", location="Body"), sampled("680"))).energy_wh == 680
    assert (await read(house, raw, transaction, sampled("690", location="Somewhere"))).energy_wh == 690
    volts = [sampled(v, measurand="Voltage", phase=p) for v, p in (("229", "L1-N"), ("231", "L2-N"), ("400", "L1-L2"))]
    assert (await read(house, raw, transaction, *volts)).voltage_mv == 230_000
    amperes = [sampled(str(a), measurand="Current.Import", phase=f"L{a - 9}") for a in (10, 11, 12)]
    assert (
        await read(house, raw, transaction, *amperes, sampled("1", measurand="Current.Import", phase="N"))
    ).current_ma == 12_000
    count = len(await house.rows(MeterSample))
    for told in ({"connectorId": 0}, {"connectorId": 0, "transactionId": 0}):
        await raw.call("MeterValues", meterValue=metered(sampled("700")), **told)
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=metered(inlet))
    assert len(await house.rows(MeterSample)) == count


async def test_a_charger_may_say_how_full_the_car_is_before_any_energy(house: House, raw: Raw) -> None:
    """Q22."""
    transaction = await start(raw, meter=0)
    sample = await read(house, raw, transaction, sampled("20", measurand="SoC"))
    assert (sample.soc_percent, sample.energy_wh) == (20, None)


async def test_times_in_every_spelling(house: House, raw: Raw) -> None:
    """Q39: all of ISO 8601; a time without a zone is UTC; received_at stands beside it."""
    transaction = await start(raw, meter=0)
    moment = datetime.now(UTC).replace(microsecond=0)
    india = moment.astimezone(datetime.fromisoformat("2024-01-01T00:00+05:30").tzinfo)
    for text in (
        moment.isoformat(),
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        moment.strftime("%Y-%m-%dt%H:%M:%S.000000000z"),
        moment.strftime("%Y-%m-%dT%H:%M:%S"),
        moment.strftime("%Y%m%dT%H%M%SZ"),
        moment.strftime("%Y-%m-%d %H:%M:%S+0000"),
        india.isoformat(),
    ):
        sample = await read(house, raw, transaction, meterValue=metered(sampled("1"), at=text))
        assert sample.at == moment, text
        assert abs(sample.received_at - moment) < timedelta(minutes=1)


async def test_a_clock_that_cannot_be_right_is_replaced_by_ours(house: House, raw: Raw) -> None:
    """Q39: 1970, far future, local time as Z, no time at all: the time of reception counts."""
    transaction = await start(raw, meter=0, timestamp="1970-01-01T00:00:00Z")
    for text in ("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", stamp(5.5 * 3600), stamp(-3600), "soon", "", None, 7):
        values = [{"timestamp": text, "sampledValue": [sampled("1")]}]
        sample = await read(house, raw, transaction, meterValue=values)
        assert sample.at == sample.received_at, text


async def test_an_old_sample_of_a_right_clock_keeps_its_time(house: House, raw: Raw) -> None:
    """Q27: sent late, as any other."""
    transaction = await start(raw, meter=0)
    sample = await read(house, raw, transaction, meterValue=metered(sampled("1"), at=stamp(-3600)))
    assert timedelta(minutes=59) < sample.received_at - sample.at < timedelta(minutes=61)


async def test_we_tell_the_time_in_utc(raw: Raw) -> None:
    """Q39: Z, milliseconds at most."""
    told = (await raw.call("Heartbeat"))["currentTime"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", told)
