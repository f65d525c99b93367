"""The way into the databases alone: its speed, its growth, and how long pages take when a lot is in one (T5, T9)."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from bench import ours, peers, targets
from bench.processes import cpu_of_family
from csms.__main__ import settle_memory
from csms.meter_log import MeterLog
from domain import history
from domain.bus import LocalBus
from domain.db import Database, opened
from domain.models import _OPEN_SQL, ChargingSession, Connector
from domain.samples import Sample, write
from tests.databases import begin_run
from tests.servers import SAFE, Postgres, postgres

IN_FLIGHT = 100
VALUES = 5
"""Columns of a sample: energy, power, current, voltage, state of charge."""
MILLION = 1_000_000


def storage(rounds: int, seconds: float, sessions: int = MILLION) -> None:
    """All of it on SQLite, and on a PostgreSQL of its own what the database makes different."""
    _sqlite(rounds, seconds, sessions)
    begin_run()
    try:
        with postgres(SAFE) as server:
            _postgresql(server, rounds, seconds)
    except (pytest.skip.Exception, pytest.fail.Exception) as absent:
        print(f"  PostgreSQL is left out. {absent.msg}")


def _sqlite(rounds: int, seconds: float, sessions: int) -> None:
    with tempfile.TemporaryDirectory(prefix="evapp-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'evapp.db'}"
        ours.migrated(url)
        chargers = ours.charge_everywhere(url, IN_FLIGHT)
        _writer(url, chargers, rounds, seconds)
        _growth(url, Path(folder) / "evapp.db")
        _pages(url, sessions)


def _postgresql(server: Postgres, rounds: int, seconds: float) -> None:
    """Rates are of our own core: the server has another."""
    ours.migrated(server.url)
    chargers = ours.charge_everywhere(server.url, IN_FLIGHT)
    rates, waits, theirs = [], [], []
    for _ in range(rounds):
        busy = cpu_of_family(server.pid)
        cpu, waited = asyncio.run(_ours(server.url, chargers, seconds))
        theirs.append((cpu_of_family(server.pid) - busy) / len(waited) * 1e6)
        rates.append(len(waited) * VALUES / cpu)
        waits.append(quantiles(waited, n=100)[98] * 1000)
    grown = _grown(server.url, _kept_on_postgresql)
    print(
        f"  PostgreSQL: {median(rates):,.0f} values a second of one core beside {median(theirs):.0f} us of the server's"
        f" for a sample, p99 {median(waits):.1f} ms; a million values take {grown:.1f} MiB",
        flush=True,
    )
    targets.note("T5 values a second of one core, PostgreSQL", median(rates))
    targets.note("T9 a million values, PostgreSQL", grown)


def _kept_on_postgresql(database: Database) -> int:
    with Session(database.engine) as db:
        return int(db.execute(text("SELECT pg_total_relation_size('meter_samples')")).scalar_one())


def _writer(url: str, chargers: list[tuple[str, int]], rounds: int, seconds: float) -> None:
    print(f"\nStorage: {IN_FLIGHT} samples in flight, priced and committed (FULL), {rounds} rounds of {seconds:g} s")
    ratios, rates, waits = [], [], []
    for _ in range(rounds):
        cpu, waited = asyncio.run(_ours(url, chargers, seconds))
        theirs = _sqlmodel(min(seconds, 1.0))
        ratios.append(theirs / (cpu / len(waited)))
        rates.append(len(waited) * VALUES / cpu)
        waits.append(quantiles(waited, n=100)[98] * 1000)
    print(
        f"  {median(rates):,.0f} values a second of one core, {median(ratios):.1f}x SQLModel, p99 {median(waits):.1f}"
        " ms",
        flush=True,
    )
    targets.note("T5 writer / SQLModel per message", median(ratios))
    targets.note("T5 values a second of one core", median(rates))
    targets.note("T5 p99 with 100 in flight", median(waits))


class Lane:
    """A charger of the direct path: its next sample follows as soon as the last one is committed."""

    def __init__(self, log: MeterLog, name: str, transaction: int, seconds: float) -> None:
        self._log, self._name, self._transaction = log, name, transaction
        self._ends = time.perf_counter() + seconds
        self.waits: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next()

    def _next(self) -> None:
        self._at, at = time.perf_counter(), datetime.now(UTC)
        self._log.hand(Sample(self._name, 1, self._transaction, at, at, 1, 7_362, 31_960, 230_400, 54), self._kept)

    def _kept(self, _given: None, error: Exception | None) -> None:
        if error is not None:
            self.over.set_exception(error)
            return
        kept_at = time.perf_counter()
        self.waits.append(kept_at - self._at)
        if kept_at < self._ends:
            self._next()
        else:
            self.over.set_result(None)


async def _ours(url: str, chargers: list[tuple[str, int]], seconds: float) -> tuple[float, list[float]]:
    """CPU seconds of this process, and how long each sample took."""
    bus = LocalBus()
    async with opened(url, bus.publish):
        log = MeterLog(bus, asyncio.ensure_future)
        for _ in range(3):  # the first ones of a charge go the long way
            await asyncio.gather(*[Lane(log, *charger, 0).over for charger in chargers])
        settle_memory()
        cpu = time.process_time()
        lanes = [Lane(log, *charger, seconds) for charger in chargers]
        await asyncio.gather(*[lane.over for lane in lanes])
        cpu = time.process_time() - cpu
        await log.finished()
    return cpu, [wait for lane in lanes for wait in lane.waits]


def _sqlmodel(seconds: float) -> float:
    """CPU seconds of a message of so many values with a SQLModel session and a commit of its own."""
    engine = peers.engine()
    ends, cpu, messages = time.perf_counter() + seconds, time.process_time(), 0
    while time.perf_counter() < ends:
        with Session(engine) as db:
            for _ in range(VALUES):
                db.add(
                    peers.Value(charger_id="A", at="2026-01-01T00:00:00Z", measurand="Voltage", value="230", unit="V")
                )
            db.commit()
        messages += 1
    used = time.process_time() - cpu
    engine.dispose()
    return used / messages


def _growth(url: str, path: Path) -> None:
    grown = _grown(url, lambda _: _kept_in_file(path))
    print(f"  a million values take {grown:.1f} MiB")
    targets.note("T9 a million values", grown)


def _grown(url: str, kept: Callable[[Database], int]) -> float:
    """MiB by which a million values make `kept` bytes more."""
    database = Database(url)
    try:
        before, began = kept(database), datetime.now(UTC)
        for part in range(20):
            database.now(_fill, began, part, MILLION // VALUES // 20)
        return (kept(database) - before) / 2**20
    finally:
        database.close()


def _kept_in_file(path: Path) -> int:
    _checkpoint(path)
    return path.stat().st_size


def _checkpoint(path: Path) -> None:
    """Bring the log into the file, whose size then tells all; outside a transaction, where it would be refused."""
    with closing(sqlite3.connect(path)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise RuntimeError("The log could not be brought into the file: its size would tell nothing.")


def _fill(db: Session, began: datetime, part: int, count: int) -> None:
    moments = ((n, began + timedelta(seconds=15 * (part * count + n) / IN_FLIGHT)) for n in range(count))
    sessions = db.exec(select(ChargingSession).order_by(col(ChargingSession.id))).all()
    write(db, [(sessions[n % IN_FLIGHT], Sample("", 1, 1, at, at, n, 7_362, 31_960, 230_400, 54)) for n, at in moments])


def _pages(url: str, sessions: int) -> None:
    database = Database(url)
    try:
        user_id = database.now(_history, sessions)[0]
        latest = _timed(database, _latest)
        first = _timed(database, history.page, user_id)
        last = _timed(database, history.page, user_id, before=database.now(_late, user_id)[0])
    finally:
        database.close()
    print(
        f"  latest values of 50 connectors {latest:.2f} ms; of {sessions:,} sessions"
        f" page 1 {first:.2f} ms, last {last:.2f} ms"
    )
    targets.note("T9 latest values of 50 connectors", latest)
    targets.note("T9 sessions, last page / first", last / first)


def _timed(database: Database, work: Callable[..., Any], *args: Any, **kwargs: Any) -> float:
    """Median milliseconds of CPU time of a query on a warm connection."""
    times = []
    with Session(database.engine) as db:
        for _ in range(50):
            began = time.thread_time()
            work(db, *args, **kwargs)
            times.append((time.thread_time() - began) * 1000)
            db.expunge_all()
    return median(times[5:])


def _latest(db: Session) -> list[Any]:
    """What a page of fifty connectors shows: state, and the figures of the charge on each."""
    charge = (
        (col(ChargingSession.charger_id) == Connector.charger_id)
        & (col(ChargingSession.connector_number) == Connector.number)
        & text(f"charging_sessions.{_OPEN_SQL}")
    )
    columns = Connector.charger_id, Connector.status, ChargingSession.energy_wh, ChargingSession.power_w
    return list(db.execute(select(*columns).join(ChargingSession, charge, isouter=True).limit(50)))


def _history(db: Session, count: int) -> int:
    """So many charges of the past, a twentieth of them of one driver; gives him."""
    template = db.exec(select(ChargingSession)).first()
    assert template is not None
    user_id = template.user_id
    kept = [column.name for column in ChargingSession.__table__.columns]  # type: ignore[attr-defined]
    own = {
        "id": "1000 + n",
        "charger_id": f"'BENCH-' || (n % {IN_FLIGHT})",
        "ref": "printf('B%015d', n)",
        "transaction_id": "NULL",
        "tag": "printf('T%013d', n)",
        "state": "'SETTLED'",
        "user_id": f"CASE WHEN n % 20 = 0 THEN {user_id} ELSE NULL END",
        "requested_at": "datetime('2026-01-01', '+' || n || ' seconds') || '.000000'",
        "due_at": "NULL",
    }
    columns = ", ".join(kept)
    values = ", ".join(own.get(name, f"s.{name}") for name in kept)
    numbers = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})"  # noqa: S608
    chosen = f"SELECT {values} FROM c, charging_sessions s WHERE s.id = {template.id}"  # noqa: S608
    db.execute(text(f"{numbers} INSERT INTO charging_sessions ({columns}) {chosen}"))
    db.execute(text("ANALYZE"))
    assert user_id is not None
    return user_id


def _late(db: Session, user_id: int) -> ChargingSession:
    """A charge of the last page."""
    oldest = select(ChargingSession).where(ChargingSession.user_id == user_id).order_by(col(ChargingSession.id))
    return db.exec(oldest.offset(Random(1).randrange(20, 40)).limit(1)).one()
