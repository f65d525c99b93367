"""A database that restarts or fails over is waited for, and nothing is written twice because of it."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import event, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from domain import arrivals, charging, connectors, patience, running
from domain.db import Database, answers, opened, read, transact
from domain.patience import CommitUnknown, Patience, counts_once
from tests.databases import migrate
from tests.e2e.running import free_port
from tests.servers import QUICK, Postgres, postgres
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


def refused() -> None:
    raise psycopg.OperationalError("connection refused")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is found away has been away for too long."""
    monkeypatch.setattr(patience, "AWAY_S", 0.0)
    monkeypatch.setattr(patience, "MOMENT_S", 0.01)


@pytest.mark.usefixtures("impatient")
def test_while_it_is_away_one_asks_and_the_others_are_told() -> None:
    """A server that takes connections and says nothing costs whoever asks it seconds: 40 waited for one another."""
    asking, answers, asked = threading.Event(), threading.Event(), []

    def ask() -> None:
        asked.append(1)
        asking.set()
        answers.wait(20)
        refused()

    patient = Patience(ask)
    with pytest.raises(psycopg.OperationalError):
        patient.run(refused)
    one = threading.Thread(target=told, args=(patient,))
    one.start()
    assert asking.wait(20)
    for _ in range(40):
        told(patient)
    assert len(asked) == 1
    answers.set()
    one.join()
    told(patient)
    assert len(asked) == 2, "the next one asks again"


def told(patient: Patience) -> None:
    """That it is away, without a try of one's own."""
    tried = []
    with pytest.raises((OperationalError, psycopg.OperationalError)):
        patient.run(tried.append, 1)
    assert not tried


@pytest.mark.usefixtures("impatient")
def test_all_go_on_once_one_finds_it_back() -> None:
    asked: list[int] = []
    patient = Patience(lambda: asked.append(1))
    with pytest.raises(psycopg.OperationalError):
        patient.run(refused)
    assert [patient.run(lambda n=n: n) for n in range(3)] == [0, 1, 2]
    assert len(asked) == 1


@pytest.mark.parametrize("works", [True, False])
def test_another_thread_may_find_it_back_at_any_moment(monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    """What was committed is announced all the same."""
    patient = Patience(lambda: None)

    def clock() -> float:
        patient._since = None  # as another thread does
        return time.monotonic()

    def once() -> str:
        runs.append(1)
        if not works and len(runs) == 1:
            refused()
        return "done"

    runs: list[int] = []
    patient._since = time.monotonic()
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=clock, sleep=lambda _: None))
    assert patient.run(once) == "done"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it alone")
def test_a_machine_that_vanishes_is_noticed_on_a_connection_in_use() -> None:
    """What was sent and nobody takes is given up; by the system's own reckoning that takes a quarter of an hour."""
    port = free_port()
    with postgres((*QUICK, "listen_addresses=127.0.0.1", f"port={port}")) as server:
        url = make_url(server.url).set(host="127.0.0.1", port=port, query={})
        with closing(Database(url.render_as_string())) as database, database.engine.connect() as connection:
            used = socket.socket(fileno=os.dup(connection.connection.dbapi_connection.fileno()))  # type: ignore[union-attr]
            with used:
                assert 0 < used.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 14_000
