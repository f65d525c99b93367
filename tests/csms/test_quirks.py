"""Quirks of chargers in the field (ocpp.md Qn), each by its frames; those not here are named in the tests beside."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from domain import chargers, charging, dispatch, metering, quirks, wishes
from domain.charging import Refused
from domain.db import read, transact
from domain.models import ChargingSession, Finding, MeterSample, SessionState, now
from domain.settings import Settings
from tests.csms.charger import SECONDS, Raw, metered, sampled, stamp
from tests.csms.conftest import HURRY, House, running
from tests.csms.test_charge import start, stop
from tests.money.house import driver, give


async def knock_without_upgrade(port: int) -> bytes:
    """A handshake without `Connection: Upgrade`; gives the first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "GET /ocpp/RAW-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    writer.write(
        f"{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
    )
    async with asyncio.timeout(SECONDS):
        line = await reader.readline()
    writer.close()
    return line


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_handshake_without_connection_upgrade(database_url: str) -> None:
    """Q3: refused with a clear reason, and let in where the operator says so."""
    async with running(database_url) as house:
        assert b" 400 " in await knock_without_upgrade(house.port)
    async with running(database_url, chosen=Settings(ocpp_mend_upgrade=True)) as house:
        assert b" 101 " in await knock_without_upgrade(house.port)


async def wanted(paise: int = 50_000, hours_ago: int = 0) -> ChargingSession:
    """A driver's charge at RAW-1, wanted so long ago, that the charger has accepted."""
    user_id = await transact(driver)
    await transact(give, user_id, paise)
    session = await transact(charging.request_start, user_id, "RAW-1", 1)
    assert session.id is not None
    await transact(wishes.answered, session.id, "accepted")
    await transact(_wanted_before, session.id, timedelta(hours=hours_ago))
    return session


def _wanted_before(db: Session, session_id: int, time: timedelta) -> None:
    session = db.get_one(ChargingSession, session_id)
    session.requested_at -= time
    db.add(session)


async def test_our_tags_survive_what_chargers_add_to_them(house: House, raw: Raw) -> None:
    """Q25: 12 to 16 characters; in any case, padded to 20 or 22, it is the same charge, and the stop finds it."""
    session = await wanted()
    assert re.fullmatch("[A-Z0-9]{12,16}", session.tag)
    longer = session.tag.lower() + "00112233"
    assert await raw.call("Authorize", idTag=longer) == {"idTagInfo": {"status": "Accepted"}}
    await start(raw, tag=longer)
    begun = await house.session()
    assert (begun.id, begun.state) == (session.id, SessionState.CHARGING)
    await stop(raw, -1, 1200, idTag=longer)
    assert ((await house.session()).state, (await house.session()).energy_wh) == (SessionState.SETTLED, 200)


STEPS = {
    quirks.NO_POWER: "SetChargingProfile",
    quirks.UNLOCK: "UnlockConnector",
    quirks.OUT_OF_SERVICE: "ChangeAvailability",
}


@pytest.mark.parametrize("vendor", ["Acme", "ZJ Beny Electric", "OCULAR"])
async def test_a_charger_that_goes_on_is_escalated_as_its_make_demands(house: House, vendor: str) -> None:
    """Q30: Accepted, and still charging: after the retries the steps of its profile, a finding, billing by meter."""
    async with house.charger() as raw:
        await raw.call("BootNotification", chargePointVendor=vendor, chargePointModel="One")
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        await raw.available()
        session = await wanted()
        assert session.id is not None
        transaction = await start(raw, tag=session.tag)
        await transact(charging.request_stop, session.id, "driver")
        for _ in range(2):
            asking = asyncio.create_task(dispatch.stop(house.bus, session.id))
            id_, _ = await raw.asked("RemoteStopTransaction")
            await raw.send([3, id_, {"status": "Accepted"}])
            assert await asking == "accepted"
        asking = asyncio.create_task(dispatch.escalate(house.bus, session.id))
        for step in quirks.escalation(vendor):
            id_, payload = await raw.asked(STEPS[step])
            assert payload["connectorId"] == 1
            await raw.send([3, id_, {"status": "NotSupported" if step == quirks.UNLOCK else "Accepted"}])
        await asking
        assert [finding.kind for finding in await house.rows(Finding)] == ["stop-unanswered"]
        values = metered(sampled("1300"))
        await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
        assert (await house.session()).state == SessionState.STOPPING
        await stop(raw, transaction, 1400)
        assert (await house.session()).energy_wh == 400


async def test_finishing_needs_the_cable_out(house: House, raw: Raw) -> None:
    """Q33: the driver is told to unplug; once the connector is Available he may start."""
    user_id = await transact(driver)
    await transact(give, user_id, 50_000)
    await raw.call("StatusNotification", connectorId=1, errorCode="NoError", status="Finishing")
    with pytest.raises(Refused, match="Unplug it, then start again") as refusal:
        await transact(charging.request_start, user_id, "RAW-1", 1)
    assert refusal.value.code == "unplug"
    await raw.available()
    assert (await transact(charging.request_start, user_id, "RAW-1", 1)).state == SessionState.REQUESTED


async def test_kwh_labelled_wh(house: House, raw: Raw) -> None:
    """Q34: known by meterStop, which is in Wh always; from then on the charger's registers are read as kWh."""
    transaction = await start(raw, meter=1_250_000, timestamp=stamp(-3600))
    values = metered(sampled("1262.25", unit="Wh"))
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    await stop(raw, transaction, 1_262_300)
    assert (await house.session()).energy_wh == 12_300
    assert [(finding.kind, finding.ref) for finding in await house.rows(Finding)][-1] == ("energy-scale", "RAW-1")
    transaction = await start(raw, meter=1_262_300)
    for unit in ({"unit": "Wh"}, {}, {"unit": "kWh"}):
        values = metered(sampled("1262.4", **unit))
        await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    assert [row.energy_wh for row in await house.rows(MeterSample)][-3:] == [1_262_400] * 3
    assert (await house.session_of(transaction)).energy_wh == 100


@pytest.mark.row("C16", "C18")
async def test_a_meter_that_counts_backwards_bills_what_can_be_true(house: House, raw: Raw) -> None:
    """Q38: meterStop below meterStart or zero is never negative: the samples' rises are billed, and it is reviewed."""
    for meter_stop in (0, 400):
        transaction = await start(raw, meter=5000)
        for register in ("5100", "5200", "40", "140"):
            values = metered(sampled(register))
            await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
        await stop(raw, transaction, meter_stop)
        session = await house.session_of(transaction)
        assert session.state == SessionState.SETTLED
        assert 300 <= session.energy_wh <= 600, "two segments: 200, and 140 since the reset"
        assert session.review


@pytest.mark.row("C19")
async def test_more_than_the_connector_gives_is_capped(house: House, raw: Raw) -> None:
    """Q38: by its power and the time."""
    await transact(chargers.add, "RAW-1", max_power_w=7_000)
    transaction = await start(raw, meter=1_000, timestamp=stamp(-3600))
    await stop(raw, transaction, 900_000)
    session = await house.session()
    minute_wh = 7_700 // 60  # what the test itself may take
    assert 7_700 + 500 <= session.energy_wh <= 7_700 + 500 + minute_wh
    assert session.review


@pytest.mark.parametrize("nameplate_w", [7_000, 0])
async def test_without_any_meter_value_time_and_power_watch_the_money(house: House, raw: Raw, nameplate_w: int) -> None:
    """Q40: no MeterValues at all: the charge is stopped when its connector could have used up the hold."""
    if nameplate_w:
        await transact(chargers.add, "RAW-1", max_power_w=nameplate_w)
    session = await wanted(10_000)
    assert session.id is not None
    transaction = await start(raw, tag=session.tag)
    begun = await house.session()
    assert begun.due_at is not None, "the sweeper looks when the money can be at its end"
    flow_w = nameplate_w or 60_000
    left = begun.due_at - now()
    assert timedelta(hours=4_000 / flow_w) < left < timedelta(hours=5_600 / flow_w)
    assert await transact(charging.deadline, session.id, begun.due_at - timedelta(seconds=1)) == ""
    assert await transact(charging.deadline, session.id, begun.due_at + timedelta(seconds=1)) == "stop"
    assert (await house.session()).stop_cause == "funds"
    await stop(raw, transaction, 1400)
    assert (await house.session()).energy_wh == 400, "billed is the meter"


async def test_an_overdue_meter_is_asked_once(database_url: str) -> None:
    """Q41: nothing is polled; after three intervals of silence one TriggerMessage, and no second where it refuses."""
    async with running(database_url, pace=replace(HURRY, stale=1.0)) as house, house.charger() as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        transaction = await start(raw)
        for status in ("Accepted", "Rejected"):
            id_, payload = await raw.asked("TriggerMessage")
            assert payload == {"requestedMessage": "MeterValues", "connectorId": 1}
            await raw.send([3, id_, {"status": status}])
        loop = asyncio.get_running_loop()
        quiet_until = loop.time() + 2.5
        while loop.time() < quiet_until:
            await raw.silent()
        await stop(raw, transaction, 1100)


async def test_a_charge_that_meters_is_never_asked(database_url: str) -> None:
    """Q41: its last sample counts, not its start."""
    async with running(database_url, pace=replace(HURRY, stale=3.0)) as house, house.charger() as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        transaction = await start(raw)
        begun, loop = now(), asyncio.get_running_loop()
        until = loop.time() + 5.0
        while loop.time() < until:
            values = metered(sampled("1001"))
            await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
        assert await read(metering.overdue, begun + timedelta(seconds=3), 3) == []
        assert len(await read(metering.overdue, now() + timedelta(seconds=3), 3)) == 1


@pytest.mark.row("C7")
async def test_faulted_ends_no_charge(house: House, raw: Raw) -> None:
    """Q43: the transaction is open: frozen at its last sample, the driver is told; billed by the stop that comes."""
    session = await wanted()
    transaction = await start(raw, tag=session.tag)
    values = metered(sampled("1200"))
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    await raw.call("StatusNotification", connectorId=1, errorCode="GroundFailure", status="Faulted")
    faulted = await house.session()
    assert (faulted.state, faulted.suspended, faulted.energy_wh) == (SessionState.CHARGING, "Faulted", 200)
    await stop(raw, transaction, 1250, reason="EmergencyStop")
    ended = await house.session()
    assert (ended.state, ended.energy_wh, ended.stop_reason) == (SessionState.SETTLED, 250, "EmergencyStop")


HERE = Path(__file__).parent
BY_DESIGN = {42: "2.0.1 only"}
OVER_A_SOCKET = ("house", "raw", "database_url")
"""What a test asks for that speaks with a listening CSMS."""


def covered() -> dict[int, list[str]]:
    """Which tests over a real socket name which quirk."""
    found: dict[int, list[str]] = {}
    shape = r'async def (test_\w+)\(([^"]*?)"""(.*?)"""'
    for page in sorted(HERE.glob("test_*.py")):
        for name, asked, text in re.findall(shape, page.read_text(encoding="utf-8"), re.DOTALL):
            if any(f"{fixture}:" in asked for fixture in OVER_A_SOCKET):
                for number in map(int, re.findall(r"\bQ(\d+)\b", text)):
                    found.setdefault(number, []).append(f"{page.name}::{name}")
    return found


def test_every_quirk_has_a_test_over_a_socket_that_names_it() -> None:
    assert set(range(1, 45)) - set(covered()) == set(BY_DESIGN)
