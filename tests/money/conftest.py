"""Every test of money ends with clean books, whatever it did in between."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from sqlmodel import Session

from domain import funnel, models, settings
from domain.db import Database, read, transact
from tests.money.charges import Desk
from tests.money.house import Clock, Gateway, broken, driver
from tests.money.town import Town


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the whole domain, which passes only when told to."""
    clock = Clock()
    for name, module in sys.modules.items():
        if name.startswith("domain.") and module is not models and getattr(module, "now", None) is models.now:
            monkeypatch.setattr(module, "now", clock)
    return clock


@pytest.fixture
def desk(database_url: str, clock: Clock) -> Iterator[Desk]:
    """Drivers and chargers; the books are audited when the test is over."""
    with closing(Database(database_url)) as database:
        desk = Desk(database, clock)
        yield desk
        desk.audited()


@pytest.fixture
async def open_desk(database: Database, clock: Clock) -> AsyncIterator[Desk]:
    """The desk on the opened database, for what waits for chargers."""
    desk = Desk(database, clock)
    yield desk
    desk.audited()


@pytest.fixture(autouse=True)
def fresh_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(funnel, "breaker", funnel.Breaker())


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """PhonePe's sandbox and our client; what rings is heard to its end."""
    town = Town()
    async with town.http:
        yield town
        await town.quiet()


@pytest.fixture
async def asha(database: Database) -> AsyncIterator[int]:
    """A driver; the books are audited when the test is over."""
    yield await transact(driver)
    assert await read(broken) == []


@pytest.fixture
def books(db: Session) -> Iterator[Session]:
    """The `db` of one transaction, audited when the test is over."""
    yield db
    db.flush()
    assert broken(db) == []


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown cards may not charge, as in production."""
    monkeypatch.setattr(settings.settings(), "ocpp_walk_ups", False)
