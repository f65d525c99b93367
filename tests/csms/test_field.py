"""What chargers in the field were seen to send that no rule lists: each by its make, in frames of its form."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from csms.broken_json import CUT
from domain import sweeper
from domain.events import RemoteStart
from domain.models import Charger, ChargerHealth, MeterSample, OcppMessage, SessionState, now
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import start, stop
from tests.csms.test_quirks import wanted
from tests.csms.test_quirks_of_charges import says
from tests.csms.test_setup import GOOD

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here, but for what is stored of a text that is none: that has its own test."""


async def told(raw: Raw, transaction: int, *values: dict[str, object]) -> None:
    values_ = metered(*values)
    assert await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values_) == {}


async def test_beny_begins_a_list_with_a_comma(house: House, raw: Raw) -> None:
    """Its MeterValues were refused, so that nobody saw the charge's energy before its end."""
    transaction = await start(raw, meter=139_900, timestamp=stamp(-600))
    head = f'[2,"9lmha8x2","MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":'
    values = '[,{"value":"139955","measurand":"Energy.Active.Import.Register","format":"Raw","unit":"Wh"}]'
    assert await raw.ask(f'{head}"{stamp()}","sampledValue":{values}}}]}}]') == [3, "9lmha8x2", {}]
    assert ((await house.sample()).energy_wh, (await house.session()).energy_wh) == (139_955, 55)


async def test_aefa_leaves_the_number_of_the_charge_out(house: House, raw: Raw) -> None:
    """`"transactionId":,` and a time without a zone: it is the connector's charge."""
    await start(raw, meter=0, timestamp=stamp(-600))
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.377")
    value = '{"value":"1750","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}'
    values = f'[{{"timestamp":"{at}","sampledValue":[{value}]}}]'
    frame = f'[2,"7","MeterValues",{{"connectorId":1,"transactionId":,"meterValue":{values}}}]'
    assert await raw.ask(frame) == [3, "7", {}]
    assert (await house.session()).energy_wh == 1750


@pytest.mark.parametrize("cut", ['{"status":"Accepted"', '{"status":"Accepted"}'])
async def test_grizzl_e_forgets_the_last_brackets_of_an_answer(house: House, raw: Raw, cut: str) -> None:
    """Whoever asked has his answer at once, and does not wait until it is too late."""
    asking = asyncio.create_task(house.bus.call("RAW-1", RemoteStart(1, "TAG"), timeout=5.0))
    id_, _ = await raw.asked("RemoteStartTransaction")
    await raw.send(f'[3,"{id_}",{cut}')
    assert (await asking).accepted
    (line,) = await house.eventually_journalled(lambda row: row.message_id == id_ and row.direction == "in")
    assert line.repairs == CUT


async def test_a_call_that_is_cut_off_is_not_guessed_at(house: House, raw: Raw) -> None:
    """What is missing of a stop may be its register; refused, it is sent again."""
    transaction = await start(raw, meter=100)
    kind, id_, code, *_ = await raw.ask(f'[2,"s","StopTransaction",{{"transactionId":{transaction}')
    assert (kind, id_, code) == (4, "s", "FormationViolation")
    await stop(raw, transaction, 150)
    assert (await house.session()).energy_wh == 50


@pytest.mark.parametrize("text", ["", "pong"])
async def test_delta_sends_an_empty_frame_after_each_pong(house: House, raw: Raw, text: str) -> None:
    """That keeps a connection alive, and is no error of its protocol; others write the word."""
    for _ in range(3):
        await raw.send(text)
        await raw.silent()
    await house.eventually(OcppMessage, lambda row: row.frame == text)
    await raw.send("hello")
    (health,) = await house.eventually(ChargerHealth, lambda row: row.protocol_errors > 0)
    assert health.protocol_errors == 1


async def test_foxess_measures_at_its_inlet_alone(house: House, raw: Raw) -> None:
    """Q37: it has one meter, and calls all of it Inlet; the driver sees what he gets and is not cut off as unheard."""
    session = await wanted()
    transaction = await start(raw, meter=553_000, tag=session.tag, timestamp=stamp(-60))
    values = ("553810", "Energy.Active.Import.Register"), ("2150", "Power.Active.Import"), ("237.06", "Voltage")
    await told(raw, transaction, *(sampled(v, measurand=m, location="Inlet") for v, m in values))
    sample, session = await house.sample(), await house.session()
    assert (sample.energy_wh, sample.power_w, sample.voltage_mv) == (553_810, 2150, 237_060)
    assert (session.energy_wh, session.review) == (810, "")
    await stop(raw, transaction, 553_900)
    assert ((await house.session()).energy_wh, (await house.session()).cost_paise) == (900, 1620)


async def test_an_inlet_beside_an_outlet_is_the_houses(house: House, raw: Raw) -> None:
    """Q37: once a register of the car's was told, one at the inlet is another meter's, in whatever message it comes."""
    transaction = await start(raw, meter=1_000, timestamp=stamp(-600))
    await told(raw, transaction, sampled("1100", location="Outlet"))
    await told(raw, transaction, sampled("900000", location="Inlet"))
    values = metered(sampled("1200", location="Outlet"), at=stamp(-2)) + metered(sampled("900100", location="Inlet"))
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    assert [row.energy_wh for row in await house.rows(MeterSample)] == [1100, 1200]
    assert (await house.session()).review == ""


async def test_zappi_tells_its_register_of_phase_n(house: House, raw: Raw) -> None:
    """There is no energy of a neutral: it is the total."""
    transaction = await start(raw, meter=8_000, timestamp=stamp(-600))
    await told(raw, transaction, sampled("8077", measurand="Energy.Active.Import.Register", phase="N", unit="Wh"))
    assert ((await house.sample()).energy_wh, (await house.session()).energy_wh) == (8_077, 77)


async def test_injet_tells_its_only_current_of_phase_n(house: House, raw: Raw) -> None:
    """Beside the three phases the neutral counts no more, as with the voltage that go-e tells of it."""
    transaction = await start(raw, meter=254_700, timestamp=stamp(-600))
    current = sampled("15.6", measurand="Current.Import", phase="N", unit="A")
    volts = [sampled(v, measurand="Voltage", phase=p) for p, v in (("L1", "230"), ("L2", "232"), ("N", "0"))]
    await told(raw, transaction, sampled("254780"), current, *volts)
    sample = await house.sample()
    assert (sample.energy_wh, sample.current_ma, sample.voltage_mv) == (254_780, 15_600, 231_000)


async def test_zaptec_counts_from_two_to_the_32(house: House, raw: Raw) -> None:
    """Each measurand in an entry of its own, and a register past a gigawatt-hour from the start of the charge on."""
    transaction = await start(raw, meter=4_296_944_685, timestamp=stamp(-600))
    values = metered(sampled("0.0", measurand="Power.Active.Import", context="Trigger"))
    values += metered(sampled("4296945085", context="Trigger", measurand="Energy.Active.Import.Register", unit="Wh"))
    await raw.call("MeterValues", connectorId=1, meterValue=values)
    assert (await house.session()).energy_wh == 400
    await stop(raw, transaction, 4_296_945_485)
    session = await house.session()
    assert (session.energy_wh, session.review) == (800, "")


async def test_en_plus_names_a_charge_long_after_it(house: House, raw: Raw) -> None:
    """Q23, Q31: its stop was lost, the car has left, and each of its readings names the charge all the same: the driver
    and the connector are free again, and nobody is asked for what is over."""
    wish = await wanted()
    transaction = await start(raw, meter=1_000, tag=wish.tag, timestamp=stamp(-60))
    await says(raw, "Charging")
    await told(raw, transaction, sampled("1100.0"), sampled("3500.0", measurand="Power.Active.Import"))
    await says(raw, "Available")
    idle = sampled("1100.0"), sampled("0.0", measurand="Power.Active.Import")
    await told(raw, transaction, *idle)
    await sweeper.sweep_lost(now() + timedelta(minutes=2), now() - timedelta(hours=1))
    assert (await house.session()).state == SessionState.INTERRUPTED
    for _ in range(2):
        await told(raw, transaction, *idle)
    session = await house.session()
    assert (session.state, session.energy_wh) == (SessionState.INTERRUPTED, 100)
    await raw.silent()


@pytest.mark.parametrize("identity", ["+49*861*0125*0013", "%2B49*861*0125*0013"])
async def test_an_evse_id_of_din_begins_with_a_plus(house: House, identity: str) -> None:
    """Q4: DIN SPEC 91286 writes the country as its dialling code; some chargers have such an ID from the factory."""
    async with house.charger(f"/ocpp/{identity}") as raw:
        await raw.boot()
    assert (await house.stored("+49*861*0125*0013")).vendor == "Raw"


async def test_a_configuration_in_digits_numbers_and_switches(house: House) -> None:
    """go-e tells switches as 0 and 1, Scame as JSON's own, others so that a key is read-only: nothing is written."""
    as_told: dict[str, object] = {
        "AuthorizeRemoteTxRequests": "0",
        "StopTransactionOnInvalidId": "1",
        "LocalAuthorizeOffline": False,
        "MeterValueSampleInterval": 15,
        "StopTxnAlignedData": None,
    }
    keys = [{"key": key, "readonly": False, "value": as_told.get(key, value)} for key, value in GOOD.items()]
    async with house.charger() as raw:
        await raw.boot()
        id_, _ = await raw.asked("GetConfiguration")
        fixed = [{"key": "ConnectionTimeOut", "readonly": 1, "value": "600"}]
        await raw.send([3, id_, {"configurationKey": [k for k in keys if k["key"] != "ConnectionTimeOut"] + fixed}])
        await house.eventually(Charger, lambda row: row.booted_at is not None and not row.set_up_due)
        await raw.silent()
