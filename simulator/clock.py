"""The time a charger lives in: the machine's own, or one that a test moves by hand."""

import asyncio
import heapq
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol, TypeVar

T = TypeVar("T")

SETTLING_ROUNDS = 60
"""Turns of the event loop that a loopback question and its answer fit into with room to spare."""


class Clock(Protocol):
    """What tells the time and lets it pass."""

    def now(self) -> datetime:
        """The present, aware and in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Come back when so many seconds of this clock have passed."""


class WallClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class HandClock:
    """A time that stands still until it is advanced."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), alarm))
        await alarm

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking every sleeper at its own moment and letting it act before the next one wakes."""
        target = self._now + timedelta(seconds=seconds)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            at, _, alarm = heapq.heappop(self._sleepers)
            if alarm.done():
                continue
            self._now = max(self._now, at)
            alarm.set_result(None)
            await settle()
        self._now = target
        await settle()


async def settle() -> None:
    """Give everything that is ready, loopback sockets among it, its turn."""
    for _ in range(SETTLING_ROUNDS):
        await asyncio.sleep(0)


async def within(clock: Clock, seconds: float, work: Awaitable[T]) -> T:
    """Give the result of some work that has so many seconds of this clock.

    Raises:
        TimeoutError: it was not done by then; it is cancelled.
    """
    doing = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({doing, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise TimeoutError(f"not done in {seconds:g} s")
        return doing.result()
    finally:
        doing.cancel()
        alarm.cancel()
