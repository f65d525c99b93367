"""A charge from boot to bill over a real socket: the frames, the rows and the events."""

import pytest

from domain import charging
from domain.events import ChargerChanged, SessionChanged, SessionMetered
from domain.models import Charger, ChargingSession, MeterSample, SessionState
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House, running


async def start(raw: Raw, meter: int = 1000, tag: str = "CARD1", **rest: object) -> int:
    """StartTransaction; gives the transaction id."""
    told = {"connectorId": 1, "idTag": tag, "meterStart": meter, "timestamp": stamp(), **rest}
    return int((await raw.call("StartTransaction", **told))["transactionId"])


async def stop(raw: Raw, transaction: int, meter: int, **rest: object) -> dict[str, object]:
    told = {"transactionId": transaction, "meterStop": meter, "timestamp": stamp(), **rest}
    return await raw.call("StopTransaction", **told)


async def test_a_charge_from_boot_to_bill(house: House) -> None:
    async with house.charger() as raw:
        answer = await raw.call(
            "BootNotification",
            chargePointVendor="Acme",
            chargePointModel="One",
            chargePointSerialNumber="S1",
            firmwareVersion="1.2",
        )
        assert (answer["status"], answer["interval"]) == ("Accepted", 300)
        assert answer["currentTime"].endswith("Z")
        await raw.asked("GetConfiguration")
        charger = await house.stored()
        assert (charger.vendor, charger.model, charger.serial, charger.firmware) == ("Acme", "One", "S1", "1.2")
        assert charger.online
        assert charger.booted_at is not None

        await raw.available()
        assert (await house.connector()).status == "Available"
        assert await house.heard(ChargerChanged)

        assert await raw.call("Authorize", idTag="CARD1") == {"idTagInfo": {"status": "Accepted"}}
        transaction = await start(raw)
        session = await house.session()
        assert (session.state, session.transaction_id, session.meter_start_wh) == (
            SessionState.CHARGING,
            transaction,
            1000,
        )
        assert (await house.heard(SessionChanged)).session_id == session.id

        values = metered(sampled("1100"), sampled("7.2", measurand="Power.Active.Import", unit="kW"))
        assert await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values) == {}
        sample = await house.sample()
        assert (sample.session_id, sample.energy_wh, sample.power_w) == (session.id, 1100, 7200)
        figures = await house.heard(SessionMetered)
        assert (figures.energy_wh, figures.power_w) == (100, 7200)

        assert await stop(raw, transaction, 1400, reason="EVDisconnected") == {"idTagInfo": {"status": "Accepted"}}
        session = await house.session()
        assert (session.state, session.energy_wh, session.stop_reason) == (SessionState.SETTLED, 400, "EVDisconnected")
        assert session.cost_paise > 0
    await house.eventually(Charger, lambda row: not row.online)


async def test_samples_without_transaction_id_belong_to_the_connector(house: House, raw: Raw) -> None:
    """Q22: transactionId 0 or absent is attributed to the connector's open session."""
    transaction = await start(raw)
    assert transaction > 0
    for number, extra in enumerate(({}, {"transactionId": 0}, {"transactionId": -1}, {"transactionId": 2**40})):
        await raw.call("MeterValues", connectorId=1, meterValue=metered(sampled(str(1100 + number))), **extra)
    assert [row.energy_wh for row in await house.rows(MeterSample)] == [1100, 1101, 1102, 1103]


@pytest.mark.row("C33")
async def test_a_repeated_start_is_the_same_charge(house: House, raw: Raw) -> None:
    """Q19: under a new message id, and after the stop too."""
    at = stamp(-3)
    transaction = await start(raw, timestamp=at)
    assert await start(raw, timestamp=at) == transaction
    await stop(raw, transaction, 1200)
    assert await start(raw, timestamp=at) == transaction
    assert (await house.session()).state == SessionState.SETTLED


async def test_a_start_that_waited_in_the_queue_is_the_same_charge(house: House, raw: Raw) -> None:
    """Q19, Q27: an hour old and sent again; its own time counts, so the bill has its hour."""
    at = stamp(-3600)
    transaction = await start(raw, timestamp=at)
    assert await start(raw, timestamp=at) == transaction
    await stop(raw, transaction, 4000, timestamp=stamp(-600))
    assert (await house.session()).energy_wh == 3000


async def test_a_start_from_1970_is_repeated_only_for_a_while(house: House, raw: Raw) -> None:
    """Q19: with an implausible clock a repetition within the retry window is the same charge."""
    transaction = await start(raw, timestamp="1970-01-01T00:00:07Z")
    assert await start(raw, timestamp="1970-01-01T00:00:09Z") == transaction
    session = await house.session()
    assert session.started_at == session.started_received_at


@pytest.mark.row("C2", "C3", "C6")
async def test_a_repeated_stop_changes_nothing(house: House, raw: Raw) -> None:
    """Q20."""
    transaction = await start(raw)
    first = await stop(raw, transaction, 1500)
    before = await house.session()
    assert await stop(raw, transaction, 1500) == first
    assert await stop(raw, transaction, 99_000) == first
    assert await house.session() == before


@pytest.mark.row("C11", "C13")
async def test_a_stop_for_an_unknown_transaction_is_accepted(house: House, raw: Raw) -> None:
    """Q21: -1, 0, another system's id; a matching open charge is found by its tag, else it is nobody's."""
    for number in (-1, 0, 987_654, 2**40):
        assert await stop(raw, number, 5000, idTag="OTHER") == {"idTagInfo": {"status": "Accepted"}}
    assert await house.rows(ChargingSession) == []
    await start(raw, tag="CARD7")
    await stop(raw, -1, 1300, idTag="CARD7")
    assert (await house.session()).energy_wh == 300


async def test_a_stop_needs_neither_tag_nor_reason(house: House, raw: Raw) -> None:
    """Q24: both are optional; a reason that is absent means Local, and so does an empty one (Q12)."""
    for reason in ({}, {"reason": ""}):
        transaction = await start(raw)
        await stop(raw, transaction, 1100, **reason)
    assert [row.stop_reason for row in await house.rows(ChargingSession)] == ["Local", "Local"]


async def test_a_stop_without_meter_is_billed_by_its_own_samples(house: House, raw: Raw) -> None:
    transaction = await start(raw)
    data = metered(sampled("1000", context="Transaction.Begin"), at=stamp(-60))
    data += metered(sampled("1.25", unit="kWh", context="Transaction.End"))
    await raw.call("StopTransaction", transactionId=transaction, timestamp=stamp(), transactionData=data)
    assert (await house.session()).energy_wh == 250


async def test_a_register_that_begins_at_zero_is_the_sessions_own(house: House, raw: Raw) -> None:
    """Q35: live energy from the relative register, the bill from meterStop - meterStart."""
    transaction = await start(raw, meter=4_076_000)
    for register, energy in (("250", 250), ("400", 400)):
        await raw.call("MeterValues", connectorId=1, meterValue=metered(sampled(register)))
        assert (await house.session()).energy_wh == energy
    await stop(raw, transaction, 4_076_450)
    assert (await house.session()).energy_wh == 450


@pytest.mark.row("C38")
async def test_a_stop_that_could_not_be_stored_may_be_sent_again(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C38: an InternalError makes the charger keep the message; the very same frame is then done, not remembered."""
    transaction = await start(raw)
    frame = [2, "s", "StopTransaction", {"transactionId": transaction, "meterStop": 1300, "timestamp": stamp()}]

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(charging, "stopped", broken)
        assert (await raw.ask(frame))[:3] == [4, "s", "InternalError"]
    assert (await raw.ask(frame))[0] == 3
    assert (await house.session()).energy_wh == 300


@pytest.mark.row("C14")
async def test_two_connectors_charge_at_once(house: House, raw: Raw) -> None:
    one, two = await start(raw, tag="A"), await start(raw, tag="B", connectorId=2)
    for connector, register in ((1, 1100), (2, 1300)):
        await raw.call("MeterValues", connectorId=connector, meterValue=metered(sampled(str(register))))
    await stop(raw, one, 1200)
    await stop(raw, two, 1400)
    assert [row.energy_wh for row in await house.rows(ChargingSession)] == [200, 400]


async def test_a_restart_in_the_middle_of_a_charge(database_url: str) -> None:
    """Q11: the charger comes back without a boot and goes on; transaction ids are never used again.

    The set-up that our end cut off is made up for after the charge: some chargers reboot when written to.
    """
    async with running(database_url) as before, before.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
        transaction = await start(raw)
    async with running(database_url) as after, after.charger() as raw:
        values = metered(sampled("1300"))
        await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
        id_, payload = await raw.asked("TriggerMessage")
        assert payload == {"requestedMessage": "StatusNotification"}
        await raw.send([3, id_, {"status": "Accepted"}])
        assert (await after.sample()).energy_wh == 1300
        assert (await after.session()).state == SessionState.CHARGING
        await stop(raw, transaction, 1400)
        assert (await after.session()).energy_wh == 400
        await raw.asked("GetConfiguration")
        assert await start(raw) > transaction
