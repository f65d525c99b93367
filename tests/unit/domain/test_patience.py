"""A database that restarts or fails over is waited for, and nothing is written twice because of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from domain import arrivals, charging, connectors, patience, running
from domain.db import Database, answers, opened, read, transact
from domain.patience import CommitUnknown, counts_once
from tests.databases import migrate
from tests.servers import Postgres, postgres
from tests.unit.domain.test_db import note, refs


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        migrate(server.url)
        yield server


@pytest.fixture
async def database(server: Postgres) -> AsyncIterator[Database]:
    async with opened(server.url) as database:
        yield database


async def test_a_restart_is_waited_for(server: Postgres, database: Database) -> None:
    await transact(note, "before")
    await asyncio.to_thread(server.crash)
    waiting = [asyncio.create_task(transact(note, f"meanwhile-{n}")) for n in range(10)]
    reading = asyncio.create_task(read(refs))
    assert not await answers()
    await asyncio.to_thread(server.start)
    await asyncio.gather(*waiting)
    assert "before" in await reading
    assert [ref for ref in await read(refs) if "meanwhile" in ref] == [f"meanwhile-{n}" for n in range(10)]
    assert await answers()


async def test_a_transaction_that_is_cut_is_run_again(server: Postgres, database: Database) -> None:
    runs = []

    def cut_once(db: Session) -> None:
        note(db, "cut")
        runs.append(1)
        if len(runs) == 1:
            server.end_sessions()
        refs(db)

    await transact(cut_once)
    assert len(runs) == 2
    assert (await read(refs)).count("cut") == 1


async def test_whether_a_commit_that_is_cut_was_kept_is_not_guessed(server: Postgres, database: Database) -> None:
    runs = []

    def cut_in_commit(db: Session) -> None:
        runs.append(1)
        note(db, "unknown")
        event.listen(db, "before_commit", lambda _: server.end_sessions())

    with pytest.raises(CommitUnknown):
        await transact(cut_in_commit)
    assert len(runs) == 1


async def test_what_counts_once_is_run_again_all_the_same(server: Postgres, database: Database) -> None:
    runs = []

    @counts_once
    def cut_in_commit(db: Session) -> None:
        runs.append(1)
        note(db, "said twice")
        if len(runs) == 1:
            event.listen(db, "before_commit", lambda _: server.end_sessions())

    await transact(cut_in_commit)
    assert len(runs) == 2
    assert "said twice" in await read(refs)


def test_what_chargers_say_counts_once() -> None:
    """Starts, stops, samples and states: a charger that was answered by an error may not say them again."""
    said = (charging.started, charging.stopped, connectors.report, running.Meter().record, arrivals.booted)
    assert all(getattr(work, "counts_once", False) for work in said)


async def test_one_that_stays_away_is_told_of_at_once(
    server: Postgres, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waited first waited long enough for all."""
    monkeypatch.setattr(patience, "AWAY_S", 2.0)
    await asyncio.to_thread(server.crash)
    try:
        with pytest.raises(OperationalError):
            await transact(note, "never")
        async with asyncio.timeout(patience.AWAY_S):
            for _ in range(3):
                with pytest.raises(OperationalError):
                    await transact(note, "never")
    finally:
        await asyncio.to_thread(server.start)
    await transact(note, "after")
    assert "after" in await read(refs)
