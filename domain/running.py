"""Running charges as their last samples left them, so that the next one costs no query and one guarded update."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_
from sqlmodel import Session, col, select

from domain import allowance, metering, settlement
from domain.db import emit
from domain.models import ChargingSession, Connector, Hold, HoldState, SessionState
from domain.patience import counts_once
from domain.samples import STALE, Sample, text, write

_ROW = ChargingSession.__table__  # type: ignore[attr-defined]
_KNOWN = (
    *("id", "charger_id", "connector_number", "user_id", "transaction_id", "paise_per_kwh", "gst_basis_points"),
    *("limit_paise", "limit_wh", "limit_minutes", "started_at", "started_received_at", "meter_start_wh", "meter_wh"),
    *("power_w", "metered_at", "sampled_at", "suspended", "energy_wh"),
)
_LOADED = (*_KNOWN, "held_paise", "nameplate_w")

_SQLITE = """UPDATE charging_sessions
SET energy_wh = ?, meter_wh = ?, power_w = ?, metered_at = ?, sampled_at = ?, due_at = ?
WHERE id = ? AND state = 'CHARGING' AND suspended = ?
AND energy_wh = ? AND meter_wh = ? AND power_w = ? AND metered_at = ? AND sampled_at = ?"""
_POSTGRESQL = """UPDATE charging_sessions s
SET energy_wh = v.a, meter_wh = v.b, power_w = v.c, metered_at = v.d, sampled_at = v.e, due_at = v.f
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
%s::int[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
AS v (a, b, c, d, e, f, id, suspended, oa, ob, oc, od, oe)
WHERE s.id = v.id AND s.state = 'CHARGING' AND s.suspended = v.suspended
AND s.energy_wh = v.oa AND s.meter_wh = v.ob AND s.power_w = v.oc AND s.metered_at = v.od AND s.sampled_at = v.oe"""


class Running:
    """A charge under way, with the names of its row and none of its machinery, its hold and its connector's power."""

    __slots__ = (*_LOADED, "bounds", "bounds_w", "written")
    terms = None
    """A tariff of several parts goes the long way."""
    id: int
    held_paise: int
    nameplate_w: int
    written: tuple[str, str]
    """metered_at and sampled_at as SQLite has them: what a sample is written from is what the last one wrote."""

    bounds: allowance.Bounds
    bounds_w: int | None
    """The power at which `bounds` hold."""

    def __init__(self, values: Iterable[Any]) -> None:
        for name, value in zip(_LOADED, values, strict=True):
            setattr(self, name, value)
        self.bounds_w = None

    @property
    def row(self) -> ChargingSession:
        """Itself, for the rules that read and move a session's figures."""
        return self  # type: ignore[return-value]


class Moved:
    """What one batch does to one charge: the figures it was loaded with, and the newest sample of it."""

    __slots__ = ("before", "charge", "due_at", "newest")

    def __init__(self, charge: Running) -> None:
        self.charge = charge
        self.before = _figures(charge)
        self.due_at: datetime | None = None
        self.newest: Sample | None = None


class Meter:
    """Records samples as `metering.record` does.

    A sample that only moves its charge on (live, in order, plausible, within limits and money, at a plain price) is
    worked out from memory; everything else goes the long way. The update names the figures it was worked out from, so
    that whatever another transaction did meanwhile sends the batch the long way, too. A hold that has grown and a
    connector's power are read again once somebody announces a change (`forget`); until then a charge only ends by the
    long way, which reads them.
    """

    def __init__(self) -> None:
        self._at: dict[str, dict[int, Running]] = {}

    def forget(self, charger_id: str) -> None:
        """Something at this charger changed."""
        self._at.pop(charger_id, None)

    @counts_once
    def record(self, db: Session, samples: Sequence[Sample]) -> list[int]:
        """Store a batch; gives the ids of sessions that must be stopped now."""
        self._load(db, samples)
        moved: dict[int, Moved] = {}
        rows: list[tuple[int, Sample]] = []
        odd: list[Sample] = []
        strange: set[str] = set()
        for sample in samples:
            charge = None if sample.charger_id in strange else self._of(sample)
            of = None if charge is None else moved.get(charge.id) or Moved(charge)
            due_at: Any = _ODD if of is None else _advanced(of.charge, sample)
            if of is None or due_at is _ODD:
                odd.append(sample)
                strange.add(sample.charger_id)
                continue
            of.due_at, of.newest = due_at, sample
            moved[of.charge.id] = of
            rows.append((of.charge.id, sample))
        for charger_id in strange:
            self.forget(charger_id)
        if moved and not _update(db, list(moved.values())):
            db.rollback()
            for sample in samples:
                self.forget(sample.charger_id)
            return metering.record(db, samples)
        if rows:
            write(db, rows)
            emit(db, *[metering.announcement(of.charge.row, of.newest) for of in moved.values() if of.newest])
        return metering.record(db, odd) if odd else []

    def _of(self, sample: Sample) -> Running | None:
        there = self._at.get(sample.charger_id)
        return there.get(sample.transaction_id) if there and sample.transaction_id is not None else None

    def _load(self, db: Session, samples: Sequence[Sample]) -> None:
        unknown = {s.transaction_id for s in samples if s.transaction_id is not None and self._of(s) is None}
        if not unknown:
            return
        hold = and_(col(Hold.session_id) == _ROW.c.id, col(Hold.state) == HoldState.OPEN)
        connector = and_(
            col(Connector.charger_id) == _ROW.c.charger_id, col(Connector.number) == _ROW.c.connector_number
        )
        columns = *(_ROW.c[name] for name in _KNOWN), col(Hold.amount_paise), col(Connector.max_power_w)
        found = db.execute(
            select(*columns)
            .select_from(_ROW.outerjoin(Hold, hold).outerjoin(Connector, connector))
            .where(_ROW.c.transaction_id.in_(unknown), _ROW.c.state == SessionState.CHARGING, _ROW.c.terms.is_(None))
        )
        for row in found:
            charge = Running((*row[:-2], row[-2] or 0, row[-1] or 0))
            if (
                charge.row.sampled_at is not None
                and charge.row.metered_at is not None
                and charge.row.meter_wh is not None
            ):
                charge.written = text(charge.row.metered_at), text(charge.row.sampled_at)
                self._at.setdefault(charge.row.charger_id, {})[charge.row.transaction_id or 0] = charge


_ODD = object()


def _advanced(charge: Running, sample: Sample) -> Any:
    """Move a charge on; gives when to look at it again, or _ODD, after which `charge` is worth nothing."""
    row, at, received_at = charge.row, sample.at, sample.received_at
    assert row.metered_at is not None
    assert row.sampled_at is not None
    assert row.meter_wh is not None
    if received_at - at > STALE or at < row.sampled_at or received_at < row.metered_at:
        return _ODD
    if sample.energy_wh is not None:
        rise = sample.energy_wh - row.meter_wh
        if rise < 0 or (rise > settlement.MARGIN_WH and rise > metering.most_wh(row, sample, charge.nameplate_w)):
            return _ODD
        row.energy_wh += rise
        row.meter_wh = sample.energy_wh
    if sample.power_w is not None:
        row.power_w = sample.power_w
    row.metered_at, row.sampled_at = received_at, at
    if charge.bounds_w != row.power_w:
        charge.bounds = allowance.bounds(row, charge.held_paise, charge.nameplate_w)
        charge.bounds_w = row.power_w
    if charge.bounds.passed(row.energy_wh, received_at):
        return _ODD
    return charge.bounds.look_again_at(row.energy_wh, received_at)


def _figures(charge: Running) -> tuple[int, int, int, datetime, datetime]:
    row = charge.row
    return row.energy_wh, row.meter_wh, row.power_w, row.metered_at, row.sampled_at  # type: ignore[return-value]


def _update(db: Session, moved: Sequence[Moved]) -> bool:
    """Write the new figures; whether every charge still stood as it was remembered."""
    connection = db.connection()
    if connection.dialect.name == "sqlite":
        rows = [_sqlite_row(of) for of in moved]
        return connection.exec_driver_sql(_SQLITE, rows).rowcount == len(rows)
    moved = sorted(moved, key=lambda of: of.charge.id)
    rows = [(*_figures(of.charge), of.due_at, of.charge.id, of.charge.row.suspended, *of.before) for of in moved]
    # Locked in the order of their ids, as everywhere, so that no two transactions wait for each other.
    db.execute(select(_ROW.c.id).where(_ROW.c.id.in_([row[6] for row in rows])).order_by(_ROW.c.id).with_for_update())
    return connection.exec_driver_sql(_POSTGRESQL, tuple(map(list, zip(*rows, strict=True)))).rowcount == len(rows)


def _sqlite_row(of: Moved) -> tuple[Any, ...]:
    row, newest = of.charge.row, of.newest
    assert newest is not None
    at, received_at = newest.texts
    before, of.charge.written = of.charge.written, (received_at, at)
    due = None if of.due_at is None else text(of.due_at)
    figures = row.energy_wh, row.meter_wh, row.power_w, received_at, at, due
    return *figures, row.id, row.suspended, *of.before[:3], *before
