"""One call, one transaction: kept or not at all, run again after a lost race, announced only once it is kept."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlmodel import Session, select

from domain import db as databases
from domain.db import TRIES, Database, emit, opened, read, storable, transact
from domain.events import ChargerChanged, Event
from domain.models import Charger, ChargingSession, Finding
from tests.money.house import Heard


@pytest.fixture
async def heard(database: Database) -> AsyncIterator[Heard]:
    yield Heard(database)


def note(db: Session, ref: str, event: Event | None = None) -> str:
    db.add(Finding(kind="test", ref=ref))
    db.flush()
    if event:
        emit(db, event)
    return ref


def refs(db: Session) -> list[str]:
    return sorted(db.exec(select(Finding.ref)))


async def test_what_is_written_is_kept_and_announced(heard: Heard) -> None:
    assert await transact(note, "a", ChargerChanged("A")) == "a"
    assert await transact(note, ref="b", event=ChargerChanged("B")) == "b"
    assert await read(refs) == ["a", "b"]
    assert heard.events == [ChargerChanged("A"), ChargerChanged("B")]


async def test_what_fails_is_neither_kept_nor_announced(heard: Heard) -> None:
    def fail(db: Session) -> None:
        note(db, "a", ChargerChanged("A"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await transact(fail)
    assert await read(refs) == []
    assert heard.events == []


async def test_an_event_is_heard_when_others_can_read_what_it_is_about(database: Database) -> None:
    seen: list[list[str]] = []

    async def publish(*_: Event) -> None:
        seen.append(await read(refs))

    database.publish = publish
    await transact(note, "a", ChargerChanged("A"))
    assert seen == [["a"]]


async def test_a_query_keeps_nothing(database: Database) -> None:
    await read(note, "a")
    assert await read(refs) == []


async def test_a_lost_race_is_run_again(database: Database, heard: Heard) -> None:
    """payments.md 2.4: the second run finds what the winner wrote; its first run announced nothing."""
    runs = 0

    def race(db: Session) -> str:
        nonlocal runs
        runs += 1
        if runs == 1:
            note(db, "same", ChargerChanged("A"))
            note(db, "same")
        return note(db, "other", ChargerChanged("B"))

    assert await transact(race) == "other"
    assert (runs, await read(refs)) == (2, ["other"])
    assert heard.events == [ChargerChanged("B")]


async def test_a_race_that_is_never_won_ends(database: Database) -> None:
    runs = 0

    def lose(db: Session) -> None:
        nonlocal runs
        runs += 1
        note(db, "same")
        note(db, "same")

    with pytest.raises(IntegrityError):
        await transact(lose)
    assert runs == TRIES


async def test_what_no_repetition_mends_is_not_repeated(database: Database) -> None:
    runs = 0

    def break_a_rule(db: Session) -> None:
        nonlocal runs
        runs += 1
        db.connection().execute(text("INSERT INTO holds VALUES (1, 'wallet:1', -1, 'OPEN', '2026-01-01', NULL)"))

    with pytest.raises(DBAPIError):
        await transact(break_a_rule)
    assert runs == 1


async def test_a_caller_who_leaves_does_not_undo_what_he_began(database: Database, heard: Heard) -> None:
    begun, go_on, announced = threading.Event(), threading.Event(), asyncio.Event()

    def slow(db: Session) -> None:
        begun.set()
        go_on.wait(20)
        note(db, "a", ChargerChanged("A"))

    async def publish(*events: Event) -> None:
        heard.events.extend(events)
        announced.set()

    database.publish = publish
    caller = asyncio.create_task(transact(slow))
    await asyncio.to_thread(begun.wait, 20)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await asyncio.wait_for(announced.wait(), 20)
    assert await read(refs) == ["a"]
    assert heard.events == [ChargerChanged("A")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_transactions_go_before_batches_of_samples(database: Database) -> None:
    """On SQLite one thread writes: a stop must not wait behind a thousand samples."""
    order: list[str] = []
    first, go_on = threading.Event(), threading.Event()

    def hold(_: Session) -> None:
        first.set()
        go_on.wait(20)

    def write(_: Session, what: str) -> None:
        order.append(what)

    waiting = [asyncio.create_task(database.transact(hold))]
    await asyncio.to_thread(first.wait, 20)
    waiting += [asyncio.create_task(database.append(write, f"batch {n}")) for n in range(2)]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(database.transact(write, f"stop {n}")) for n in range(2)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*waiting)
    assert order == ["stop 0", "stop 1", "batch 0", "batch 1"]


async def test_many_writers_lose_nothing(database: Database) -> None:
    def count(db: Session) -> None:
        charger = db.exec(select(Charger).with_for_update()).one()
        charger.name = str(int(charger.name) + 1)
        db.add(charger)

    await transact(lambda db: db.add(Charger(id="A", find_key="A", name="0")))
    with closing(Database(database.url)) as another:
        await asyncio.gather(*((database if n % 2 else another).transact(count) for n in range(40)))
    assert (await read(lambda db: db.get_one(Charger, "A"))).name == "40"


async def test_what_was_begun_is_finished_before_it_closes(database_url: str) -> None:
    database = Database(database_url)
    written = [asyncio.create_task(database.transact(note, str(n))) for n in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    await asyncio.gather(*written)
    with closing(Database(database_url)) as again:
        assert len(again.now(refs)[0]) == 20
    with pytest.raises(RuntimeError):
        await database.transact(note, "late")


async def test_there_is_one_database_while_it_is_open(database: Database) -> None:
    assert databases.database() is database
    async with opened(database.url) as inner:
        assert databases.database() is inner
    assert databases.database() is database


def test_outside_there_is_none() -> None:
    with pytest.raises(RuntimeError):
        databases.database()


def test_a_program_without_a_loop_gets_the_events(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        assert database.now(note, "a", ChargerChanged("A")) == ("a", [ChargerChanged("A")])
        assert database.now(refs) == (["a"], [])


def test_times_are_aware_and_come_back_in_utc(db: Session) -> None:
    with pytest.raises((StatementError, ValueError), match="aware"):
        db.exec(select(Finding).where(Finding.created_at > datetime(2026, 1, 1))).all()  # noqa: DTZ001 - the point
    at = datetime.fromisoformat("2026-11-22T23:30:00+05:30")
    db.add(Finding(kind="test", ref="a", created_at=at))
    db.flush()
    db.expire_all()
    back = db.exec(select(Finding)).one().created_at
    assert back == at
    assert back.isoformat() == "2026-11-22T18:00:00+00:00"


def test_references_are_enforced(db: Session) -> None:
    db.add(ChargingSession(ref="x", charger_id="nobody", connector_number=1, tag="t", paise_per_kwh=1))
    with pytest.raises(IntegrityError):
        db.flush()


def test_a_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "evapp.db"
    with closing(Database(f"sqlite:///{path}", new=True)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_sqlite_loses_no_commit_and_waits_for_other_processes(
    tmp_path: Path, pragmas_of_the_product: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """payments.md D7."""
    monkeypatch.setattr(databases, "PRAGMAS", pragmas_of_the_product)
    url = f"sqlite:///{tmp_path / 'evapp.db'}"
    with closing(Database(url, new=True)) as database, database.engine.connect() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked] == ["wal", 2, 1, 30_000]


def test_a_locked_sqlite_is_tried_again() -> None:
    locked, broken = sqlite3.OperationalError("database is locked"), sqlite3.OperationalError("disk I/O error")
    for raised in (locked, OperationalError("BEGIN IMMEDIATE", {}, locked)):
        assert databases._worth_repeating(raised)
    for raised in (broken, OperationalError("INSERT", {}, broken)):
        assert not databases._worth_repeating(raised)


async def test_a_query_and_a_transaction_know_who_asks(database: Database) -> None:
    asker: ContextVar[str] = ContextVar("asker", default="nobody")
    asker.set("asha")
    assert await database.read(lambda db: asker.get()) == "asha"
    assert await database.transact(lambda db: asker.get()) == "asha"


def test_a_database_file_is_its_owners_alone_whoever_made_it(tmp_path: Path) -> None:
    """Copied there by a restore, or made by a tool, it may be anybody's to read."""
    path = tmp_path / "evapp.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    with closing(Database(f"sqlite:///{path}")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain", "plain"), ("nul \x00 and \ud83d", "nul  and ?"), ("काम", "काम"), ("\x00" * 9 + "late", "late")],
)
def test_text_is_kept_without_what_a_database_refuses(text: str, kept: str) -> None:
    assert storable(text) == kept
    assert storable(text, 2) == kept[:2]
