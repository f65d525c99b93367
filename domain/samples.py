"""Meter samples as rows: what one says, and how many are written at once, in the cheapest way each database has."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

STALE = timedelta(minutes=5)
"""A sample so old is billed and stored, but neither shown as live nor a reason to stop (ocpp.md Q27)."""

REMEMBERED = 10_000
"""Seconds whose text is kept."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_seconds: dict[int, str] = {}
_COLUMNS = "session_id, at, received_at, energy_wh, power_w, current_ma, voltage_mv, soc_percent"
_INSERT = f"INSERT INTO meter_samples ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_COPY = f"COPY meter_samples ({_COLUMNS}) FROM STDIN"


@dataclass(slots=True)
class Sample:
    """One MeterValues message: register in Wh, power in W, current in mA, voltage in mV, charge of the car in %.

    Nobody changes one. It is not frozen because that makes it three times as slow to build (performance.md 3).
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
    _texts: tuple[str, str] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def texts(self) -> tuple[str, str]:
        """`at` and `received_at` as SQLite has them."""
        if self._texts is None:
            self._texts = text(self.at), text(self.received_at)
        return self._texts

    @property
    def live(self) -> bool:
        """Whether it tells about now."""
        return self.received_at - self.at <= STALE


def write(db: Session, samples: Sequence[tuple[int, Sample]]) -> None:
    """Store samples, each with the id of its session: one wide row each, by COPY on PostgreSQL (performance.md 3)."""
    connection = db.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_INSERT, [_row(session_id, sample, *sample.texts) for session_id, sample in samples])
        return
    with connection.connection.cursor() as cursor, cursor.copy(_COPY) as copy:  # type: ignore[attr-defined]
        for session_id, sample in samples:
            copy.write_row(_row(session_id, sample, sample.at, sample.received_at))


def _row(session_id: int, sample: Sample, at: Any, received_at: Any) -> tuple[Any, ...]:
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


def text(moment: datetime) -> str:
    """A UTC time as SQLAlchemy writes it to SQLite; four times as fast as isoformat, which was a fifth of all work."""
    since = moment - _EPOCH
    second = since.days * 86_400 + since.seconds
    written = _seconds.get(second)
    if written is None:
        if len(_seconds) > REMEMBERED:
            _seconds.clear()
        written = _seconds[second] = moment.isoformat(" ", "seconds")[:19]
    return f"{written}.{since.microseconds:06d}"
