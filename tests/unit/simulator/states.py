"""A charger in the states that tests like to find one in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from simulator.chargers import VirtualCharger
from simulator.clock import HandClock
from tests.unit.simulator.central_system import CentralSystem

TAG = "K7Q2M9X4B1ZD6A"


@asynccontextmanager
async def powered(csms: CentralSystem, clock: HandClock, **options: Any) -> AsyncIterator[VirtualCharger]:
    """A charger that has booted and told its state."""
    async with VirtualCharger("BLR-017", csms.url, clock=clock, **options) as charger:
        await charger.until(lambda c: c.online and not c.outbox.waiting)
        yield charger


@asynccontextmanager
async def charging(csms: CentralSystem, clock: HandClock, **options: Any) -> AsyncIterator[VirtualCharger]:
    """A charger in the middle of a charge, two samples old."""
    async with powered(csms, clock, **options) as charger:
        charger.plug()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await charger.answered("StartTransaction")
        for _ in range(2):
            await clock.advance(charger.sample_seconds)
        await charger.answered("MeterValues", count=2)
        yield charger
