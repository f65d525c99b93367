"""Makes meter samples durable in batches before chargers hear that they were taken, and stops what must end."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from csms.batches import Batches, Done
from domain import dispatch
from domain.bus import Bus
from domain.db import database
from domain.events import ChargerChanged, NewsLost, SessionChanged
from domain.running import Meter
from domain.samples import Sample

Spawn = Callable[[Coroutine[Any, Any, Any]], Any]


class MeterLog:
    """All sockets' samples on their way into the database."""

    def __init__(self, bus: Bus, spawn: Spawn) -> None:
        self._bus = bus
        self._spawn = spawn
        self._meter = Meter()
        self._samples: Batches[Sample, None] = Batches(self._write, "samples")

    async def keep(self, sample: Sample) -> None:
        """Return once the sample is committed.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it could not be; the charger will send it again.
        """
        await self._samples.add(sample)

    def hand(self, sample: Sample, done: Done[None]) -> None:
        """The same for the direct path: `done` is called once it is committed, or could not be."""
        self._samples.hand(sample, done)

    async def _write(self, samples: Sequence[Sample]) -> None:
        for session_id in await database().append(self._meter.record, samples):
            self._spawn(dispatch.stop(self._bus, session_id))

    async def watch(self) -> None:
        """Hear whose charges, limits, holds or connectors changed."""
        async for event in self._bus.subscribe(SessionChanged, ChargerChanged, NewsLost):
            if isinstance(event, NewsLost):
                self._meter.forget_all()
            elif isinstance(event, SessionChanged | ChargerChanged):
                self._meter.forget(event.charger_id)

    async def finished(self) -> None:
        """Wait until everything gathered is written."""
        await self._samples.finished()
