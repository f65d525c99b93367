"""The three demo chargers and the people around them: one free, one always in use, one broken."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

from simulator.chargers import VirtualCharger
from simulator.clock import Clock
from simulator.connectors import Connector
from simulator.side_by_side import side_by_side

SPEED = 10
"""Energy moves within seconds, and prices stay believable."""
SAMPLE_SECONDS = 2
PLUG_SECONDS = 3
"""From an accepted start to the plug."""
BREAK_SECONDS = 5
"""From the end of a charge to the next thing anybody does."""
FAREWELL_SECONDS = 2
"""For telling how running charges ended when the desk is cleared."""
REGULAR_TAG = "DEMO-RFID-2"

Say = Callable[[str, str], None]
"""Hears who and what."""


def fleet(url: str, say: Say, clock: Clock | None = None) -> dict[str, VirtualCharger]:
    """The demo chargers by identity, not yet powered."""
    return {
        identity: VirtualCharger(
            identity,
            url,
            supply=supply,
            max_power_w=max_power_w,
            speed=speed,
            sample_seconds=SAMPLE_SECONDS,
            reconnect_seconds=(1, 2),
            clock=clock,
            say=partial(say, identity),
        )
        for identity, supply, max_power_w, speed in (
            ("DEMO-1", "AC", 7_400, SPEED),
            ("DEMO-2", "DC", 60_000, 1),
            ("DEMO-3", "AC", 7_400, SPEED),
        )
    }


async def live(chargers: dict[str, VirtualCharger]) -> None:
    """Power the fleet and let people come and go, until cancelled; then running charges end and are told."""
    chargers["DEMO-3"].fault(1, "GroundFailure")
    async with AsyncExitStack() as power:
        for charger in chargers.values():
            await power.enter_async_context(charger)
        try:
            await side_by_side(*(visit(chargers[identity]) for identity, visit in VISITS.items()))
        finally:
            await switch_off(chargers)


async def plug_in_on_request(charger: VirtualCharger) -> None:
    """A driver who plugs in shortly after the app asked for it, and drives away after the charge."""
    connector = charger.connector(1)
    while True:
        await charger.until(lambda c: connector.finished or _waits_for_plug(connector), within=None)
        if connector.finished:
            await charger.clock.sleep(BREAK_SECONDS)
            if connector.finished:
                connector.unplug()
        else:
            await charger.clock.sleep(PLUG_SECONDS)
            if _waits_for_plug(connector):
                connector.plug()


def _waits_for_plug(connector: Connector) -> bool:
    return connector.card is not None and not connector.plugged


async def charge_for_ever(charger: VirtualCharger) -> None:
    """A regular with a card of their own, back again as soon as a charge has ended or the car is full."""
    connector = charger.connector(1)
    while True:
        await charger.until(lambda c: c.online and connector.startable, within=None)
        if not connector.plugged:
            connector.plug()
        if await charger.swipe(1, REGULAR_TAG) == "Accepted":
            await charger.until(lambda c: connector.transaction is None or connector.meter.full, within=None)
        await charger.clock.sleep(BREAK_SECONDS)
        if connector.plugged:
            connector.unplug()


async def stay_away(charger: VirtualCharger) -> None:
    """Nobody comes to a broken charger, but its own troubles are heard of."""
    await charger.until(lambda c: False, within=None)


async def switch_off(chargers: dict[str, VirtualCharger]) -> None:
    """End running charges and tell it, so that no charge stays open only because the desk was cleared."""
    for charger in chargers.values():
        for connector in charger.connectors:
            connector.lose_power()
    with suppress(TimeoutError):
        await asyncio.gather(
            *(
                charger.until(lambda c: not c.outbox.waiting, within=FAREWELL_SECONDS)
                for charger in chargers.values()
                if charger.online
            )
        )


VISITS: dict[str, Callable[[VirtualCharger], Coroutine[Any, Any, None]]] = {
    "DEMO-1": plug_in_on_request,
    "DEMO-2": charge_for_ever,
    "DEMO-3": stay_away,
}
