"""A listening CSMS with a database and a bus, and what tests look up in them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from sqlmodel import Session, select

from csms.central import Pace
from csms.limits import Limits
from csms.server import listening
from domain.bus import LocalBus
from domain.db import opened, read
from domain.events import Event
from domain.models import Charger, ChargingSession, Connector, MeterSample, OcppMessage
from domain.settings import Settings, settings
from tests.csms.charger import SECONDS, Raw, connected

T = TypeVar("T")

HURRY = Pace(settle=0.0, quiet=60.0, beat=0.05, ping=0.0)
"""Nothing a test waits for is worth more than this; set-up and quiet chargers have tests of their own."""


@dataclass
class House:
    """The running CSMS, as a test sees it."""

    port: int
    bus: LocalBus
    events: list[Any]

    def charger(self, path: str = "/ocpp/RAW-1", **options: Any) -> AbstractAsyncContextManager[Raw]:
        return connected(self.port, path, **options)

    async def heard(self, kind: type[T]) -> T:
        """Wait for the first event of this kind."""

        async def first() -> list[T]:
            return [event for event in self.events if isinstance(event, kind)]

        return (await until(first))[0]

    async def rows(self, table: type[T]) -> list[T]:
        return await read(_rows, table)

    async def eventually(self, table: type[T], wanted: Callable[[T], bool]) -> list[T]:
        """Wait for rows that are as wanted."""

        async def found() -> list[T]:
            return [row for row in await self.rows(table) if wanted(row)]

        return await until(found)

    async def session(self) -> ChargingSession:
        """The only one."""
        (session,) = await self.rows(ChargingSession)
        return session

    async def session_of(self, transaction_id: int) -> ChargingSession:
        """The one of this number."""
        return next(row for row in await self.rows(ChargingSession) if row.transaction_id == transaction_id)

    async def sample(self) -> MeterSample:
        """The only one."""
        (sample,) = await self.rows(MeterSample)
        return sample

    async def online(self) -> None:
        """Wait until the charger's socket is held."""
        await self.eventually(Charger, lambda row: row.online)

    async def eventually_journalled(self, wanted: Callable[[OcppMessage], bool]) -> list[OcppMessage]:
        """Wait for lines of the journal, which is written behind the answers."""
        return await self.eventually(OcppMessage, wanted)

    async def connector(self, number: int = 1, charger_id: str = "RAW-1") -> Connector:
        rows = await self.rows(Connector)
        return next(row for row in rows if (row.charger_id, row.number) == (charger_id, number))

    async def stored(self, charger_id: str = "RAW-1") -> Charger:
        return next(row for row in await self.rows(Charger) if row.id == charger_id)


async def until(wanted: Callable[[], Awaitable[list[T]]]) -> list[T]:
    """Ask again until there is something; other threads bring it about, so there is nothing to wait on."""
    async with asyncio.timeout(SECONDS):
        while not (found := await wanted()):
            await asyncio.sleep(0.01)
        return found


def _rows(db: Session, table: type[T]) -> list[T]:
    return list(db.exec(select(table).order_by(*table.__table__.primary_key.columns)))  # type: ignore[attr-defined]


@asynccontextmanager
async def running(
    database_url: str,
    *,
    pace: Pace = HURRY,
    chosen: Settings | None = None,
    port: int = 0,
    limits: Limits | None = None,
) -> AsyncIterator[House]:
    """A CSMS from start to graceful stop."""
    bus = LocalBus()
    events: list[Event] = []

    async def publish(*published: Event) -> None:
        events.extend(published)
        await bus.publish(*published)

    async with (
        opened(database_url, publish),
        listening(
            host="127.0.0.1", port=port, bus=bus, settings=chosen or settings(), pace=pace, limits=limits
        ) as bound,
    ):
        yield House(bound, bus, events)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of this test's own; var/ is in its directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVAPP_SECRET_KEY", "a secret of the tests, 32 characters or more")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with running(database_url) as house:
        yield house


@pytest.fixture
async def raw(house: House) -> AsyncIterator[Raw]:
    """A charger that has booted, and whose set-up is over before it began: it knows no configuration."""
    async with house.charger() as raw:
        await raw.boot()
        id_, _ = await raw.asked("GetConfiguration")
        await raw.send([3, id_, {"configurationKey": []}])
        await raw.available()
        yield raw
