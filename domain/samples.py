"""Meter samples as rows: what one says, how many are written at once, and how those of a charge are found again.

Each names the one before it, and its session the last: an index of them cost as much as everything else that is written
for a sample (ADR 0015).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import CTE
from sqlmodel import Session, col, select

from domain.bulk import Row, text
from domain.models import ChargingSession, MeterSample

STALE = timedelta(minutes=5)
"""A sample so old is billed and stored, but neither shown as live nor a reason to stop (ocpp.md Q27)."""

_COLUMNS = "id, session_id, before_id, at, received_at, energy_wh, power_w, current_ma, voltage_mv, soc_percent"
_INSERT = f"INSERT INTO meter_samples ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_COPY = f"COPY meter_samples ({_COLUMNS}) FROM STDIN"
_LAST = "SELECT coalesce(max(id), 0) FROM meter_samples"
_NEXT = "SELECT nextval('meter_samples_id_seq') FROM generate_series(1, %s)"


class Sample(msgspec.Struct, gc=False):
    """One MeterValues message: register in Wh, power in W, current in mA, voltage in mV, charge of the car in %.

    Nobody changes one. A Struct is built in a third of the time that a dataclass takes.
    """

    charger_id: str
    connector_number: int
    transaction_id: int | None
    at: datetime
    received_at: datetime
    energy_wh: int | None
    power_w: int | None
    current_ma: int | None
    voltage_mv: int | None
    soc_percent: int | None

    @property
    def live(self) -> bool:
        """Whether it tells about now."""
        return self.received_at - self.at <= STALE


def of(session_id: int, back_to: str | None = None, value: int | None = None) -> CTE:
    """The samples of a session, to select from; from the last one back to the first that has the figure `back_to`, or
    has it at this value."""
    here = select(MeterSample).where(MeterSample.session_id == session_id)
    last = here.join(ChargingSession, col(ChargingSession.last_sample_id) == MeterSample.id)
    chain = last.cte("samples", recursive=True)
    before = here.join(chain, col(MeterSample.id) == chain.c.before_id)
    if back_to is None:
        return chain.union_all(before)
    figure = chain.c[back_to]
    return chain.union_all(before.where(figure.is_(None) if value is None else figure.is_distinct_from(value)))


def told_at(db: Session, session: ChargingSession) -> tuple[datetime | None, datetime | None]:
    """When its last good register was last told, by the charger's clock and by ours; nothing where no sample did."""
    if session.meter_wh is None:
        return None, None
    told = of(session.id, "energy_wh", session.meter_wh).c
    newest = db.exec(select(told.at, told.received_at).where(told.energy_wh == session.meter_wh)).first()
    return (None, None) if newest is None else (newest[0], newest[1])


def write(db: Session, samples: Sequence[tuple[ChargingSession, Sample]]) -> None:
    """Store samples, each behind the last one of its session: one wide row each (performance.md 3)."""
    connection = db.connection()
    sqlite, cursor = connection.dialect.name == "sqlite", connection.connection.cursor()
    rows = []
    for number, (session, sample) in zip(numbers(cursor, len(samples), sqlite), samples, strict=True):
        rows.append(row(number, session.id, session.last_sample_id, sample, *times(sample, sqlite)))
        session.last_sample_id = number
    insert(cursor, rows, sqlite)


def numbers(cursor: Any, count: int, sqlite: bool) -> Sequence[int]:
    """The ids of the next so many rows; on SQLite for the transaction that writes, of which there is one."""
    if sqlite:
        last = cursor.execute(_LAST).fetchone()[0]
        return range(last + 1, last + 1 + count)
    return [number for (number,) in cursor.execute(_NEXT, (count,)).fetchall()]


def insert(cursor: Any, rows: Sequence[Row], sqlite: bool) -> None:
    """Store rows: on PostgreSQL by COPY."""
    if sqlite:
        cursor.executemany(_INSERT, rows)
        return
    with cursor.copy(_COPY) as copy:
        for one in rows:
            copy.write_row(one)


def times(sample: Sample, sqlite: bool) -> tuple[str, str]:
    """`at` and `received_at` as the database takes them."""
    return text(sample.at, sqlite), text(sample.received_at, sqlite)


def row(number: int, session_id: int, before_id: int | None, sample: Sample, at: str, received_at: str) -> Row:
    """A sample as its row is written."""
    return (
        number,
        session_id,
        before_id,
        at,
        received_at,
        sample.energy_wh,
        sample.power_w,
        sample.current_ma,
        sample.voltage_mv,
        sample.soc_percent,
    )
