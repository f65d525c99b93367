"""Meter samples as rows: what one says, and how many are written at once, in the cheapest way each database has."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlmodel import Session

from domain.bulk import Row, text

STALE = timedelta(minutes=5)
"""A sample so old is billed and stored, but neither shown as live nor a reason to stop (ocpp.md Q27)."""

_COLUMNS = "session_id, at, received_at, energy_wh, power_w, current_ma, voltage_mv, soc_percent"
_INSERT = f"INSERT INTO meter_samples ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_COPY = f"COPY meter_samples ({_COLUMNS}) FROM STDIN"


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


def write(db: Session, samples: Sequence[tuple[int, Sample]]) -> None:
    """Store samples, each with the id of its session: one wide row each (performance.md 3)."""
    connection = db.connection()
    sqlite = connection.dialect.name == "sqlite"
    rows = [row(session_id, sample, *times(sample, sqlite)) for session_id, sample in samples]
    insert(connection.connection.cursor(), rows, sqlite)


def insert(cursor: Any, rows: Sequence[Row], sqlite: bool) -> None:
    """The same for rows: on PostgreSQL by COPY."""
    if sqlite:
        cursor.executemany(_INSERT, rows)
        return
    with cursor.copy(_COPY) as copy:
        for one in rows:
            copy.write_row(one)


def times(sample: Sample, sqlite: bool) -> tuple[Any, Any]:
    """`at` and `received_at` as the database takes them."""
    return (text(sample.at), text(sample.received_at)) if sqlite else (sample.at, sample.received_at)


def row(session_id: int, sample: Sample, at: Any, received_at: Any) -> Row:
    """A sample as its row is written."""
    return (
        session_id,
        at,
        received_at,
        sample.energy_wh,
        sample.power_w,
        sample.current_ma,
        sample.voltage_mv,
        sample.soc_percent,
    )
