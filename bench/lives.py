"""What a virtual charger lives through on the simulated day: cars, faults, lost lines, repeated messages.

Run in processes of their own by `bench.day`, which tells them the plan and reads what every charge was.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from simulator.chargers import VirtualCharger
from simulator.connectors import Impossible
from simulator.link import Lost

COMPRESSED = 60
POWER_W = 7_400
SKEWS = (timedelta(hours=-7), timedelta(days=1), timedelta(days=-20_000))
"""Wrong clocks: another zone, tomorrow, 1972."""
LEFT_TO_DELIVER_S = 60


class CompressedClock:
    """Real time, perhaps wrong, in which waiting is short."""

    def __init__(self, skew: timedelta, compressed: int) -> None:
        self._skew, self._compressed = skew, compressed

    def now(self) -> datetime:
        return datetime.now(UTC) + self._skew

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._compressed)


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast the day goes."""

    seconds: float
    compressed: int = COMPRESSED
    calm: float = 1.0
    """How much rarer anything happens at a charger, and its driver charges."""


async def work(port: int, names: list[str], seed: int, pacing: Pacing) -> dict[str, Any]:
    """Let these chargers live; gives every transaction as its charger knows it, and what happened to them."""
    happened: Counter[str] = Counter()
    lives = (_life(name, port, Random(f"{seed}/{name}"), pacing, happened) for name in names)
    known = [charge for life in await asyncio.gather(*lives) for charge in life]
    return {"charges": known, "happened": happened}


async def _life(name: str, port: int, chance: Random, pacing: Pacing, happened: Counter[str]) -> list[list[int]]:
    skew = chance.choice(SKEWS) if chance.random() < 0.1 else timedelta(0)
    await asyncio.sleep(chance.uniform(0, min(5.0 * pacing.calm, pacing.seconds / 4)))
    async with VirtualCharger(
        name,
        f"ws://127.0.0.1:{port}/ocpp",
        max_power_w=POWER_W,
        speed=pacing.compressed,
        clock=CompressedClock(skew, pacing.compressed),
        reconnect_seconds=(pacing.compressed / 6, 2.0 * pacing.compressed),
        boot_seconds=float(pacing.compressed),
        seed=f"{seed_of(chance)}",
    ) as charger:
        ends = time.monotonic() + pacing.seconds
        while time.monotonic() < ends:
            await asyncio.sleep(pacing.calm * chance.uniform(0.2, 1.5))
            what = chance.choices(list(HAPPENINGS), [weight for weight, _ in HAPPENINGS.values()])[0]
            with suppress(Impossible, Lost):
                await HAPPENINGS[what][1](charger, chance)
                happened[what] += 1
        await _evening(charger)
        return _charges(charger)


def seed_of(chance: Random) -> int:
    return chance.randrange(2**32)


async def _next_car(charger: VirtualCharger, _chance: Random) -> None:
    """A car that has charged goes, and another one comes."""
    if charger.connector(1).finished:
        charger.unplug()
    charger.plug()


async def _unplug(charger: VirtualCharger, _chance: Random) -> None:
    charger.unplug()


async def _press_stop(charger: VirtualCharger, _chance: Random) -> None:
    charger.press_stop()


async def _drop(charger: VirtualCharger, _chance: Random) -> None:
    charger.drop()


async def _offline(charger: VirtualCharger, chance: Random) -> None:
    charger.go_offline()
    await asyncio.sleep(chance.uniform(0.2, 2.0))
    charger.go_online()


async def _power_cut(charger: VirtualCharger, _chance: Random) -> None:
    charger.power_cut()


async def _fault(charger: VirtualCharger, chance: Random) -> None:
    charger.fault(ends_charge=chance.random() < 0.5)
    await asyncio.sleep(chance.uniform(0.2, 1.0))
    charger.repair()


async def _pause(charger: VirtualCharger, chance: Random) -> None:
    charger.suspend_ev()
    await asyncio.sleep(chance.uniform(0.2, 1.0))
    charger.resume_ev()


async def _repeat(charger: VirtualCharger, chance: Random) -> None:
    """Send an old message of the day once more, under a new id."""
    said = [e for e in charger.record.sent if e.action.endswith("Transaction") or e.action == "MeterValues"]
    if said:
        old = chance.choice(said[-10:])
        await charger.send_raw(json.dumps([2, f"again-{seed_of(chance)}", old.action, old.payload]))


HAPPENINGS: dict[str, tuple[int, Any]] = {
    "plugged in": (30, _next_car),
    "unplugged": (6, _unplug),
    "stop pressed": (5, _press_stop),
    "line dropped": (6, _drop),
    "line lost": (4, _offline),
    "power cut": (2, _power_cut),
    "fault": (3, _fault),
    "car paused": (4, _pause),
    "message repeated": (10, _repeat),
}


async def _evening(charger: VirtualCharger) -> None:
    """Everybody goes home: what was not delivered is."""
    charger.go_online()
    for ending in (charger.repair, charger.resume_ev, charger.press_stop, charger.unplug):
        with suppress(Impossible):
            ending()
    with suppress(TimeoutError):
        await charger.until(
            lambda it: it.online and not it.outbox.waiting and not it.connector(1).transaction, within=LEFT_TO_DELIVER_S
        )


def _charges(charger: VirtualCharger) -> list[list[int]]:
    """Transaction, register at the start and at the end, of all charges whose end was answered."""
    starts = {
        e.answer["transactionId"]: e.payload["meterStart"]
        for e in charger.record.sent
        if e.action == "StartTransaction" and e.answer
    }
    stops = [e.payload for e in charger.record.sent if e.action == "StopTransaction" and e.answer is not None]
    return [
        [stop["transactionId"], starts[stop["transactionId"]], stop["meterStop"]]
        for stop in stops
        if stop["transactionId"] in starts
    ]


if __name__ == "__main__":
    port, names, seed, pacing = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(work(port, names, seed, Pacing(**pacing)))), flush=True)
