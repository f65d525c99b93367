"""The demo chargers and their people: one free, one in use, one broken, whatever happens to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from simulator import demo
from simulator.chargers import VirtualCharger
from simulator.clock import HandClock
from tests.unit.simulator.central_system import CentralSystem

Fleet = dict[str, VirtualCharger]


@asynccontextmanager
async def living(csms: CentralSystem, clock: HandClock) -> AsyncIterator[Fleet]:
    fleet = demo.fleet(csms.url, lambda who, what: None, clock)
    life = asyncio.create_task(demo.live(fleet))
    try:
        for charger in fleet.values():
            await charger.until(lambda c: c.online)
        await fleet["DEMO-2"].answered("StartTransaction")
        yield fleet
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


async def test_one_is_free_one_in_use_and_one_broken(csms, clock):
    async with living(csms, clock) as fleet:
        assert [charger.connector(1).status for charger in fleet.values()] == ["Available", "Charging", "Faulted"]
        start = await fleet["DEMO-2"].sent("StartTransaction", idTag=demo.REGULAR_TAG)
        actions = [exchange.action for exchange in fleet["DEMO-2"].record.sent]
        assert actions.index("Authorize") < actions.index("StartTransaction")
        await clock.advance(demo.SAMPLE_SECONDS)
        told = (await fleet["DEMO-2"].sent("MeterValues")).payload["meterValue"][0]["sampledValue"]
        assert "SoC" in {value["measurand"] for value in told}
        assert start.answer is not None
        fault = await fleet["DEMO-3"].sent("StatusNotification", connectorId=1)
        assert fault.payload["errorCode"] == "GroundFailure"


async def test_demo_1_plugs_itself_in_charges_and_is_free_again_after_the_stop(csms, clock):
    async with living(csms, clock) as fleet:
        charger = fleet["DEMO-1"]
        csms.turn_to("DEMO-1")
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag="K7Q2M9X4B1ZD6A")
        await charger.answered("StatusNotification", status="Preparing")
        await clock.advance(demo.PLUG_SECONDS)
        begun = await charger.answered("StartTransaction", idTag="K7Q2M9X4B1ZD6A")
        await clock.advance(10)
        await charger.answered("MeterValues", count=5)
        await csms.ask("RemoteStopTransaction", transactionId=begun.answer["transactionId"])
        stop = await charger.answered("StopTransaction")
        assert stop.payload["meterStop"] - begun.payload["meterStart"] >= 100, "energy moves within seconds"
        await clock.advance(demo.BREAK_SECONDS)
        await charger.answered("StatusNotification", status="Available", connectorId=1, count=2)


async def test_demo_1_does_not_plug_in_for_a_start_that_was_taken_back(csms, clock):
    async with living(csms, clock) as fleet:
        charger = fleet["DEMO-1"]
        csms.turn_to("DEMO-1")
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag="K7Q2M9X4B1ZD6A")
        await clock.advance(1)
        charger.fault()
        charger.repair()
        await clock.advance(60)
        assert not charger.connector(1).plugged


@pytest.mark.parametrize("ending", ["stopped remotely", "stopped by hand", "full", "power cut"])
async def test_demo_2_is_in_use_again_soon_whatever_ended_its_charge(csms, clock, ending):
    async with living(csms, clock) as fleet:
        charger = fleet["DEMO-2"]
        match ending:
            case "stopped remotely":
                csms.turn_to("DEMO-2")
                transaction = charger.connector(1).transaction.id
                await csms.ask("RemoteStopTransaction", transactionId=transaction)
            case "stopped by hand":
                charger.press_stop()
            case "full":
                charger.connector(1).meter.new_car(soc_percent=99)
                await clock.advance(1200)
            case "power cut":
                charger.power_cut()
                await charger.until(lambda c: not c.link.open)
        await clock.advance(2 * demo.BREAK_SECONDS)
        await charger.answered("StartTransaction", count=2)
        await charger.until(lambda c: c.connector(1).status == "Charging")


async def test_clearing_the_desk_ends_its_charges(csms, clock):
    async with living(csms, clock) as fleet:
        pass
    assert csms.payloads("StopTransaction")[0]["reason"] == "PowerLoss"
    assert not fleet["DEMO-2"].outbox.waiting
