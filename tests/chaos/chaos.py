"""Charges on many processes, while one thing after another dies; in the end each of them is billed exactly once."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

from sqlmodel import Session, col, func, select

from domain import chargers
from domain.db import Database
from domain.models import ChargingSession, SessionState
from tests.chaos import drivers, house, truth
from tests.chaos.drivers import Driver
from tests.chaos.story import story
from tests.chaos.streets import streets

AT_ONCE = 4
"""Pages open at the same time."""
BY_PAGE = 5
"""Every fifth driver starts on the charger's page, the others by their card."""
SHARE = 10
"""Of all charges, so many percent end and begin anew while a blow falls."""
AGAIN_S = 2.0
"""Between two tries to start."""
SETTLE_S = 300.0
"""So long may it take until all charge, or none does; a machine with nothing else to do needs a minute."""
ALL = ("web-1", "web-2", "csms-1", "csms-2", "redis", "postgres")


class Chaos:
    """One run. The seed decides the order of the blows, their moments, and which charges end meanwhile."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        charges: int,
        blows: Sequence[str] = ALL,
        sample_seconds: float = 5.0,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._folder, self._seed = folder, seed
        self._dice = random.Random(seed)
        self._blows = self._dice.sample(list(blows), len(blows))
        self._names = [f"CHAOS-{n:03d}" for n in range(1, charges + 1)]
        self._sample_seconds = sample_seconds
        self._say = say
        self._pages = asyncio.Semaphore(AT_ONCE)
        self._said: dict[str, str] = {}
        """What the last page of each driver said, for whoever looks why a charge does not end."""

    async def run(self) -> str:
        """Gives a line on what was survived.

        Raises:
            AssertionError: money or energy is not where it belongs; with a sentence for each.
        """
        async with AsyncExitStack() as stack:
            self._house = await stack.enter_async_context(house.running(self._folder))
            self._database = stack.enter_context(closing(Database(self._house.postgres.url)))
            self._drivers = [self._database.now(_moved_in, name)[0] for name in self._names]
            self._streets = await stack.enter_async_context(
                streets(
                    self._house.ocpp,
                    self._names,
                    self._folder,
                    processes=2 if len(self._names) > 20 else 1,
                    sample_seconds=self._sample_seconds,
                    speed=20.0,
                    seed=self._seed,
                )
            )
            await self._streets.until(lambda one: one["online"], self._names, "online")
            await self._streets.do("plug", self._names)
            await self._begin(self._drivers)
            self._say(f"{len(self._names)} charges began")
            await story(self._house, self._database)
            self._say("a driver's story passed from process to process")
            for name in self._blows:
                await self._strike(name)
            return await self._end()

    async def _strike(self, name: str) -> None:
        """A blow, while some charges end and begin anew: by their drivers, and by the button."""
        began = time.monotonic()
        chosen = self._dice.sample(self._drivers, max(2, len(self._drivers) * SHARE // 100))
        pressed = chosen[: len(chosen) // 2]
        stopping = asyncio.gather(
            self._streets.do("press stop", [driver.charger for driver in pressed]), self._stop(chosen[len(pressed) :])
        )
        await asyncio.sleep(self._dice.random())  # any moment will do
        await self._house.blows[name]()
        await stopping
        await self._house.ready()
        await self._streets.until(lambda one: one["online"], self._names, "online again")
        await self._stopped([driver.charger for driver in chosen])
        await self._begin(chosen)
        self._say(f"{name}: all {len(self._names)} charge again after {time.monotonic() - began:.0f} s")

    async def _begin(self, of: Sequence[Driver]) -> None:
        """Start until it charges: what was refused, because a process died, may be tried again."""
        waiting, pages = list(of), set(of[::BY_PAGE])
        async with asyncio.timeout(SETTLE_S):
            while waiting:
                await self._streets.do("swipe", [driver.charger for driver in waiting if driver not in pages])
                await asyncio.gather(*(self._page(drivers.start, driver) for driver in waiting if driver in pages))
                await asyncio.sleep(AGAIN_S)
                told = await self._streets.tell([driver.charger for driver in waiting])
                waiting = [driver for driver in waiting if not told[driver.charger]["charging"]]

    async def _stop(self, of: Sequence[Driver]) -> None:
        await asyncio.gather(*(self._page(drivers.stop, driver) for driver in of))

    async def _page(self, do: Callable[[str, Driver], Awaitable[str]], driver: Driver) -> None:
        async with self._pages:
            self._said[driver.charger] = await do(self._house.url, driver)

    async def _stopped(self, names: Sequence[str]) -> None:
        """Until these have ended and said so; then the next car comes."""
        try:
            await self._streets.until(lambda one: not one["charging"] and not one["waiting"], names, "stopped")
        except TimeoutError as late:
            said = {name: self._said.get(name) for name in names}
            raise TimeoutError(f"{late}\n{said}\n{await self._database.read(_last, names)}") from None
        await self._streets.do("unplug", names)
        await self._streets.do("plug", names)

    async def _end(self) -> str:
        half = len(self._drivers) // 2
        await asyncio.gather(
            self._streets.do("press stop", self._names[:half]),
            self._stop(self._drivers[half:]),
        )
        told = await self._streets.until(
            lambda one: not one["charging"] and not one["waiting"], self._names, "stopped for good"
        )
        async with asyncio.timeout(SETTLE_S):
            while await self._database.read(_open):
                await asyncio.sleep(0.3)
        found = await self._database.read(truth.wrong, told, self._drivers)
        assert found == [], "\n".join(found)
        bills = await self._database.read(_billed)
        return f"{len(self._blows)} blows, {bills} charges billed once"


def _moved_in(db: Session, name: str) -> Driver:
    chargers.add(db, name, place="Chaos Street", connectors=1)
    return drivers.sign_up(db, name)


def _last(db: Session, names: Sequence[str]) -> str:
    """What the books say of the last charges there, for whoever looks why one does not end."""
    query = select(ChargingSession).where(
        col(ChargingSession.charger_id).in_(names), ChargingSession.state != SessionState.SETTLED
    )
    return "\n".join(map(repr, db.exec(query)))


def _open(db: Session) -> int:
    ended = (SessionState.SETTLED, SessionState.CANCELLED)
    query = select(func.count()).select_from(ChargingSession).where(col(ChargingSession.state).not_in(ended))
    return db.exec(query).one()


def _billed(db: Session) -> int:
    query = select(func.count()).select_from(ChargingSession).where(ChargingSession.state == SessionState.SETTLED)
    return db.exec(query).one()
