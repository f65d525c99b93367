"""Charges at a connector, as a central system hears of them."""

from datetime import datetime
from itertools import pairwise

import pytest

from simulator.chargers import VirtualCharger
from simulator.connectors import Impossible
from tests.unit.simulator.central_system import CentralSystem
from tests.unit.simulator.states import TAG, charging, powered


def registers(csms: CentralSystem) -> list[int]:
    return [
        int(value["value"])
        for told in csms.payloads("MeterValues")
        for value in told["meterValue"][0]["sampledValue"]
        if value["measurand"] == "Energy.Active.Import.Register"
    ]


async def test_a_charge_from_remote_start_to_remote_stop_adds_up(csms, clock):
    async with powered(csms, clock, sample_seconds=10) as charger:
        charger.plug()
        assert (await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG))["status"] == "Accepted"
        start = await charger.answered("StartTransaction", idTag=TAG, connectorId=1)
        for _ in range(30):
            await clock.advance(10)
        await charger.answered("MeterValues", count=30)
        assert (await csms.ask("RemoteStopTransaction", transactionId=41))["status"] == "Accepted"
        stop = await charger.answered("StopTransaction", transactionId=41, reason="Remote")
        charger.unplug()
        await charger.answered("StatusNotification", status="Available", connectorId=1, count=2)

    powers = [
        int(value["value"])
        for told in csms.payloads("MeterValues")
        for value in told["meterValue"][0]["sampledValue"]
        if value["measurand"] == "Power.Active.Import"
    ]
    used_wh = stop.payload["meterStop"] - start.payload["meterStart"]
    assert used_wh == pytest.approx(sum(powers) * 10 / 3600, abs=1)
    assert used_wh > 500
    assert powers[0] < powers[1] < powers[2] <= 7400
    steps = [start.payload["meterStart"], *registers(csms), stop.payload["meterStop"]]
    assert all(earlier <= later for earlier, later in pairwise(steps))
    assert {told["transactionId"] for told in csms.payloads("MeterValues")} == {41}
    assert csms.statuses() == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    ordered = csms.actions("MeterValues")
    assert ordered.index("StartTransaction") < ordered.index("StopTransaction")


async def test_speed_multiplies_energy_and_nothing_else(csms, clock):
    async with charging(csms, clock, sample_seconds=10, speed=20) as charger:
        charger.press_stop()
        await charger.answered("StopTransaction", reason="Local")
    (start,), (stop,) = csms.payloads("StartTransaction"), csms.payloads("StopTransaction")
    slow = 7400 * (0.3 + 0.7) * 10 / 3600
    assert stop["meterStop"] - start["meterStart"] == pytest.approx(20 * slow, rel=0.03)
    took = datetime.fromisoformat(stop["timestamp"]) - datetime.fromisoformat(start["timestamp"])
    assert took.total_seconds() == 20


async def test_a_remote_start_waits_for_the_plug(csms, clock):
    async with powered(csms, clock) as charger:
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await charger.answered("StatusNotification", status="Preparing")
        await clock.advance(59)
        charger.plug()
        await charger.answered("StartTransaction", idTag=TAG)
        await charger.answered("StatusNotification", status="Charging")


async def test_a_remote_start_without_a_plug_lapses_after_connection_time_out(csms, clock):
    async with powered(csms, clock, keys={"ConnectionTimeOut": "90"}) as charger:
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await clock.advance(89)
        assert charger.connector(1).status == "Preparing"
        await clock.advance(1)
        await charger.answered("StatusNotification", status="Available", connectorId=1, count=2)
        charger.plug()
        await charger.answered("StatusNotification", status="Preparing", count=2)
        assert "StartTransaction" not in csms.actions()


async def test_a_lapsed_start_does_not_end_the_next_one(csms, clock):
    async with powered(csms, clock) as charger:
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await clock.advance(30)
        charger.fault()
        charger.repair()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag="SECOND")
        await clock.advance(45)
        charger.plug()
        await charger.answered("StartTransaction", idTag="SECOND")


@pytest.mark.parametrize(
    "happens", ["fault", "charge", "card", "out of service", "finishing", "no such connector"], ids=str
)
async def test_a_remote_start_is_refused_where_it_cannot_lead_to_a_charge(csms, clock, happens):
    async with powered(csms, clock) as charger:
        number = 1
        match happens:
            case "fault":
                charger.fault()
            case "charge" | "finishing":
                charger.plug()
                await csms.ask("RemoteStartTransaction", connectorId=1, idTag="FIRST")
                await charger.answered("StartTransaction")
                if happens == "finishing":
                    charger.press_stop()
            case "card":
                await csms.ask("RemoteStartTransaction", connectorId=1, idTag="FIRST")
            case "out of service":
                await csms.ask("ChangeAvailability", connectorId=1, type="Inoperative")
            case _:
                number = 7
        answer = await csms.ask("RemoteStartTransaction", connectorId=number, idTag=TAG)
        assert answer["status"] == "Rejected"


async def test_a_card_is_authorized_before_it_starts_and_ends_its_own_charge(csms, clock):
    async with powered(csms, clock) as charger:
        charger.plug()
        assert await charger.swipe(1, "DEMO-RFID-2") == "Accepted"
        await charger.answered("StartTransaction", idTag="DEMO-RFID-2")
        assert await charger.swipe(1, "demo-rfid-2") == "Accepted"
        await charger.answered("StopTransaction", reason="Local", idTag="demo-rfid-2")
    started = csms.actions("StatusNotification")
    assert started == ["BootNotification", "Authorize", "StartTransaction", "StopTransaction"]


async def test_a_card_that_is_refused_starts_nothing(csms, clock):
    csms.replies["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    async with powered(csms, clock) as charger:
        charger.plug()
        assert await charger.swipe(1, "STRANGER") == "Invalid"
        assert charger.connector(1).status == "Preparing"
        assert "StartTransaction" not in csms.actions()


async def test_a_remote_start_is_authorized_first_where_the_charger_is_set_to(csms, clock):
    async with powered(csms, clock, keys={"AuthorizeRemoteTxRequests": "true"}) as charger:
        charger.plug()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await charger.answered("StartTransaction")
    assert csms.actions("StatusNotification") == ["BootNotification", "Authorize", "StartTransaction"]


@pytest.mark.parametrize(
    ("stops", "reason"), [("true", "DeAuthorized"), ("false", None)], ids=["stops", "suspends instead"]
)
async def test_a_start_the_central_system_does_not_accept(csms, clock, stops, reason):
    csms.replies["StartTransaction"] = {"transactionId": 9, "idTagInfo": {"status": "Blocked"}}
    async with powered(csms, clock, keys={"StopTransactionOnInvalidId": stops}) as charger:
        charger.plug()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        if reason:
            await charger.answered("StopTransaction", reason=reason, transactionId=9)
        else:
            await charger.answered("StatusNotification", status="SuspendedEVSE")
            assert charger.connector(1).meter.power_w == 0


async def test_the_car_pauses_and_goes_on(csms, clock):
    async with charging(csms, clock, sample_seconds=10) as charger:
        charger.suspend_ev()
        await charger.answered("StatusNotification", status="SuspendedEV")
        before = charger.connector(1).meter.read(clock.now())
        await clock.advance(600)
        assert charger.connector(1).meter.read(clock.now()) == before
        charger.resume_ev()
        await charger.answered("StatusNotification", status="Charging", count=2)
        await clock.advance(10)
        assert charger.connector(1).meter.read(clock.now()) > before


async def test_a_full_car_takes_no_more_but_the_charge_stays_open(csms, clock):
    async with charging(csms, clock, sample_seconds=60, speed=100) as charger:
        await clock.advance(3600)
        await charger.answered("StatusNotification", status="SuspendedEV")
        assert charger.connector(1).transaction is not None
        assert charger.connector(1).meter.soc_percent == 100


async def test_pulling_the_plug_ends_the_charge(csms, clock):
    async with charging(csms, clock) as charger:
        charger.unplug()
        await charger.answered("StopTransaction", reason="EVDisconnected")
        await charger.answered("StatusNotification", status="Available", connectorId=1, count=2)


async def test_pulling_the_plug_only_suspends_where_the_charger_is_set_to(csms, clock):
    async with charging(csms, clock, keys={"StopTransactionOnEVSideDisconnect": "false"}) as charger:
        charger.unplug()
        await charger.answered("StatusNotification", status="SuspendedEV")
        charger.plug()
        await charger.answered("StatusNotification", status="Charging", count=2)
        assert "StopTransaction" not in csms.actions()


async def test_a_fault_is_told_and_ends_the_charge(csms, clock):
    async with charging(csms, clock) as charger:
        charger.fault(1, "GroundFailure")
        await charger.answered("StatusNotification", status="Faulted", errorCode="GroundFailure")
        await charger.answered("StopTransaction", reason="Other", transactionId=41)
        charger.repair()
        await charger.answered("StatusNotification", status="Finishing", errorCode="NoError")
    assert csms.actions().index("StopTransaction") > next(
        n for n, (_, told) in enumerate(csms.calls) if told.get("status") == "Faulted"
    )


async def test_a_fault_may_leave_the_charge_open_as_some_chargers_do(csms, clock):
    async with charging(csms, clock) as charger:
        charger.fault(1, "OverVoltage", ends_charge=False)
        await charger.answered("StatusNotification", status="Faulted", errorCode="OverVoltage")
        before = charger.connector(1).meter.read(clock.now())
        await clock.advance(60)
        assert charger.connector(1).meter.read(clock.now()) == before
        assert "StopTransaction" not in csms.actions()
        charger.repair()
        await charger.answered("StatusNotification", status="Charging", count=2)


async def test_a_charger_that_is_faulty_from_the_start_says_so_after_booting(csms, clock):
    charger = VirtualCharger("BLR-018", csms.url, clock=clock)
    charger.fault(1, "GroundFailure")
    async with charger:
        await charger.answered("StatusNotification", connectorId=1)
    assert csms.statuses() == ["Faulted"]


async def test_hands_cannot_do_what_hardware_cannot(csms, clock):
    async with powered(csms, clock) as charger:
        for impossible in (charger.unplug, charger.press_stop, charger.suspend_ev):
            with pytest.raises(Impossible, match="BLR-017 connector 1"):
                impossible()
        charger.plug()
        with pytest.raises(Impossible, match="already"):
            charger.plug()


async def test_a_dc_charger_tells_the_state_of_charge_and_stop_data_when_asked(csms, clock):
    keys = {"StopTxnSampledData": "Energy.Active.Import.Register"}
    async with charging(csms, clock, supply="DC", max_power_w=60_000, keys=keys) as charger:
        sampled = csms.payloads("MeterValues")[0]["meterValue"][0]["sampledValue"]
        assert [value["measurand"] for value in sampled][-1] == "SoC"
        charger.press_stop()
        stop = await charger.answered("StopTransaction")
        contexts = [data["sampledValue"][0]["context"] for data in stop.payload["transactionData"]]
        assert contexts == ["Transaction.Begin", "Transaction.End"]


async def test_two_connectors_charge_beside_each_other(csms, clock):
    async with powered(csms, clock, connectors=2, sample_seconds=10) as charger:
        for number in (1, 2):
            charger.plug(number)
            await csms.ask("RemoteStartTransaction", connectorId=number, idTag=f"TAG-{number}")
            await charger.answered("StartTransaction", connectorId=number)
        await clock.advance(20)
        await charger.answered("MeterValues", count=4)
        await csms.ask("RemoteStopTransaction", transactionId=42)
        await charger.answered("StopTransaction", transactionId=42)
        assert [connector.status for connector in charger.connectors] == ["Charging", "Finishing"]
    assert {(told["connectorId"], told["transactionId"]) for told in csms.payloads("MeterValues")} == {(1, 41), (2, 42)}


async def test_a_remote_start_that_names_no_connector_takes_a_free_one(csms, clock):
    async with powered(csms, clock, connectors=2) as charger:
        charger.fault(1)
        assert (await csms.ask("RemoteStartTransaction", idTag=TAG))["status"] == "Accepted"
        charger.plug(2)
        await charger.answered("StartTransaction", connectorId=2)
