"""The way into the database: one call, one transaction, off the event loop, its events published after the commit."""

import asyncio
import contextlib
import contextvars
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session, create_engine

from domain import metrics
from domain.bulk import EVENTS, Bulk
from domain.events import Event, RechargeChanged
from domain.patience import FOUND_DEAD, CommitUnknown, Patience, away

P = ParamSpec("P")
T = TypeVar("T")
Publish = Callable[..., Awaitable[None]]
_Item = tuple["Future[Any]", Callable[..., Any], Sequence[Any]]
Work = Callable[Concatenate[Session, P], T]
BulkWork = Callable[Concatenate[Bulk, P], T]
_Once = Callable[[Callable[..., Any], Sequence[Any], dict[str, Any]], tuple[Any, list[Event]]]

log = structlog.get_logger()

TRIES = 6
"""How often a transaction is run again after a lock, a deadlock or a lost race for a unique key."""
PG_RETRY = {"40001", "40P01", "55P03", "23505"}
"""Serialization failure, deadlock, lock time-out, unique violation (payments.md 2.4)."""
ANSWERS_S = 2.0
"""Whoever asks for health waits no longer."""
DRIVERS = (sqlite3.Error, psycopg.Error)
"""What bulk statements raise, which go past SQLAlchemy."""
READERS = 4
WRITERS = 4
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=16000",
    "foreign_keys=ON",
    "busy_timeout=30000",
    "recursive_triggers=ON",
)
"""A log of 64 MiB, because a page that every batch changes is then written into the file once instead of sixteen times
(bench/README.md); recursive triggers, because REPLACE would otherwise delete from append-only tables without asking
theirs."""


class DatabaseMissing(Exception):
    """The file of a SQLite database is not there; the argument is a sentence for the operator."""


def emit(db: Session, *events: Event) -> None:
    """Announce what this transaction did; heard by others only once it is committed."""
    db.info.setdefault(EVENTS, []).extend(events)


def storable(text: str, longest: int | None = None) -> str:
    """Text that every database takes, at most `longest` characters: without NUL, and without the halves of characters
    that JSON's escapes can spell."""
    if not text.isascii() or "\x00" in text:
        text = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return text[:longest]


class Database:
    """One database: SQLite with a single writer thread, or PostgreSQL with a bounded pool.

    Raises:
        DatabaseMissing: a file of SQLite's that is not there, unless it may be made (`new`), as migrations may.
    """

    def __init__(self, url: str, publish: Publish | None = None, *, new: bool = False) -> None:
        self.url = url
        self.publish = publish
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite(url, new) if self.sqlite else _postgresql(url)
        self._patience = Patience(partial(self._read_once, _ping, (), {}))
        self._unfinished: set[asyncio.Task[Any]] = set()
        self._kept: Connection | None = None
        """The writer thread's own, for batches, each of which would cost as much as taking one from the pool."""
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._writers: _WriterThread | ThreadPoolExecutor = (
            _WriterThread() if self.sqlite else ThreadPoolExecutor(WRITERS, thread_name_prefix="write")
        )

    async def transact(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(db, …)` in one write transaction and publish what it emitted; all of it or nothing.

        A caller that is cancelled meanwhile stops waiting; the transaction and its events are finished all the same.
        """
        return await self._finished(self._writers.submit(_here(self._write, self._write_once, work, args, kwargs)))

    async def append(self, work: BulkWork[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same in bulk for a batch of rows, which lets the transactions that wait go first."""
        submit = self._writers.submit_later if isinstance(self._writers, _WriterThread) else self._writers.submit
        return await self._finished(submit(_here(self._write, self._append_once, work, args, kwargs)))

    async def _finished(self, written: "Future[tuple[T, list[Event]]]") -> T:
        task: asyncio.Task[T] = asyncio.ensure_future(self._publish(written))
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    async def _publish(self, written: "Future[tuple[T, list[Event]]]") -> T:
        result, events = await asyncio.wrap_future(written)
        for recharge in (one for one in events if isinstance(one, RechargeChanged)):
            metrics.RECHARGES.add(recharge.state)
        if events and self.publish:
            await self.publish(*events)
        return result

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query; nothing it does is kept."""
        return await asyncio.wrap_future(self._readers.submit(_here(self._read, work, args, kwargs)))

    def now(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, list[Event]]:
        """The same as `transact` for a program without an event loop; gives the events to the caller."""
        return self._write(self._write_once, work, args, kwargs)

    def read_now(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same as `read` for such a program; on SQLite nobody who writes waits for it."""
        return self._read(work, args, kwargs)

    def waiting(self) -> int:
        """Transactions and batches that are not finished."""
        return len(self._unfinished)

    def close(self) -> None:
        self._readers.shutdown()
        self._writers.shutdown()
        if self._kept is not None:
            self._kept.close()
        self.engine.dispose()

    async def answers(self) -> bool:
        """Whether it answers, and soon."""
        try:
            async with asyncio.timeout(ANSWERS_S):
                await asyncio.wrap_future(self._readers.submit(self._read_once, _ping, (), {}))
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("database not ready", error=type(error).__name__)
            return False
        return True

    def _read(self, work: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]) -> T:
        result: T = self._patience.run(self._read_once, work, args, kwargs)
        return result

    def _read_once(self, work: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]) -> T:
        with Session(self.engine, expire_on_commit=False) as db:
            return work(db, *args, **kwargs)

    def _write(
        self, once: _Once, work: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[T, list[Event]]:
        return self._patience.run(self._write_by_turns, once, work, args, kwargs)

    def _write_by_turns(
        self, once: _Once, work: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[T, list[Event]]:
        for attempt in range(1, TRIES + 1):
            try:
                began = time.perf_counter()
                done = once(work, args, kwargs)
                kind = "batch" if once == self._append_once else "transaction"
                metrics.COMMIT_SECONDS.see(time.perf_counter() - began, kind)
                return done
            except (DBAPIError, *DRIVERS) as error:
                if attempt == TRIES or not _worth_repeating(error):
                    raise
                metrics.REPEATED.add()
                log.info("transaction repeated", work=getattr(work, "__name__", "batch"), attempt=attempt)
                time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    def _write_once(self, work: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[T, list[Event]]:
        with (
            self.engine.connect().execution_options(writes=True) as connection,
            Session(connection, expire_on_commit=False) as db,
        ):
            result = work(db, *args, **kwargs)
            db.flush()
            _commit(db.commit, work)
            return result, db.info.pop(EVENTS, [])

    def _append_once(
        self, work: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[T, list[Event]]:
        with self._own_connection() as connection:
            bulk = Bulk(connection)
            try:
                result = work(bulk, *args, **kwargs)
                bulk.flush()
                _commit(bulk.commit, work)
            except BaseException:
                bulk.rollback()
                raise
            return result, bulk.events

    @contextlib.contextmanager
    def _own_connection(self) -> Iterator[Connection]:
        if not self.sqlite:
            with self.engine.connect() as connection:
                yield connection
            return
        if self._kept is None:
            self._kept = self.engine.connect().execution_options(writes=True)
        yield self._kept


def _commit(commit: Callable[[], None], work: Callable[..., Any]) -> None:
    try:
        commit()
    except (DBAPIError, psycopg.Error) as error:
        if away(error) and not getattr(work, "counts_once", False):
            raise CommitUnknown("The connection to the database went during a commit.") from error
        raise


class _WriterThread:
    """The one thread that writes to SQLite: the transactions that wait, then one batch of samples, and so on."""

    def __init__(self) -> None:
        self._first: deque[_Item] = deque()
        self._later: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., T], /, *args: Any) -> "Future[T]":
        return self._put(self._first, work, args)

    def submit_later(self, work: Callable[..., T], /, *args: Any) -> "Future[T]":
        return self._put(self._later, work, args)

    def shutdown(self) -> None:
        """Finish what waits, then end."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    def _put(self, line: "deque[_Item]", work: Callable[..., T], args: Sequence[Any]) -> "Future[T]":
        future: Future[T] = Future()
        with self._changed:
            if not self._open:
                raise RuntimeError("the database is closed")
            line.append((future, work, args))
            self._changed.notify()
        return future

    def _run(self) -> None:
        while round_ := self._round():
            for future, work, args in round_:
                if future.set_running_or_notify_cancel():
                    try:
                        future.set_result(work(*args))
                    except BaseException as error:
                        future.set_exception(error)

    def _round(self) -> "list[_Item]":
        with self._changed:
            self._changed.wait_for(lambda: self._first or self._later or not self._open)
            items = [*self._first, *([self._later.popleft()] if self._later else [])]
            self._first.clear()
            return items


def _here(work: Callable[..., T], *args: Any) -> Callable[[], T]:
    """The work with the ids of whoever asks for it, so that what it logs in another thread has them."""
    return partial(contextvars.copy_context().run, work, *args)


def _sqlite(url: str, new: bool) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        if not new and not Path(path).is_file():
            raise DatabaseMissing(f"There is no database {path}. `alembic upgrade head` (make migrate) makes one.")
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(path).touch(mode=0o600)
        Path(path).chmod(0o600)  # another program may have made it: a restore, a copy
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS + WRITERS,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            return  # a rule joins a batch (domain/bulk.py)
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(
        url,
        pool_size=READERS + WRITERS,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=15s -c timezone=UTC",
            **FOUND_DEAD,
        },
    )


def _worth_repeating(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        return cause.sqlstate in PG_RETRY
    message = str(cause)
    return (isinstance(cause, sqlite3.OperationalError) and "locked" in message) or (
        isinstance(cause, sqlite3.IntegrityError) and "UNIQUE constraint" in message
    )


_database: Database | None = None


@contextlib.asynccontextmanager
async def opened(url: str, publish: Publish | None = None) -> AsyncIterator[Database]:
    """The database of this process, for as long as the context lasts."""
    global _database
    database = Database(url, publish)
    metrics.WRITER_QUEUE.read = lambda: {(): database.waiting()}
    previous, _database = _database, database
    try:
        yield database
    finally:
        _database = previous
        await asyncio.to_thread(database.close)


def database() -> Database:
    """The database that `opened` opened.

    Raises:
        RuntimeError: outside `opened`.
    """
    if _database is None:
        raise RuntimeError("no database is open")
    return _database


async def transact(work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`Database.transact` on this process's database."""
    return await database().transact(work, *args, **kwargs)


async def read(work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`Database.read` on this process's database."""
    return await database().read(work, *args, **kwargs)


async def answers() -> bool:
    """`Database.answers` of this process's database."""
    return await database().answers()


def _ping(db: Session) -> None:
    db.connection().execute(text("SELECT 1"))
