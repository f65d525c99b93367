"""Running charges as their last samples left them, so that the next one costs no query and one guarded update."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import and_
from sqlmodel import col, select

from domain import allowance, metering, settlement
from domain.bulk import Bulk, Row, text
from domain.events import SessionMetered
from domain.models import ChargingSession, Connector, Hold, HoldState, SessionState
from domain.patience import counts_once
from domain.samples import STALE, Sample, insert, numbers, row, times

_ROW = ChargingSession.__table__  # type: ignore[attr-defined]
_KNOWN = (
    *("id", "charger_id", "connector_number", "user_id", "transaction_id", "paise_per_kwh", "gst_basis_points"),
    *("limit_paise", "limit_wh", "limit_minutes", "started_at", "started_received_at", "meter_start_wh", "meter_wh"),
    *("power_w", "metered_at", "sampled_at", "last_sample_id", "suspended", "energy_wh", "due_at"),
)
_LOADED = (*_KNOWN, "held_paise", "nameplate_w")

_STEADY = """UPDATE charging_sessions
SET energy_wh = ?, meter_wh = ?, power_w = ?, metered_at = ?, sampled_at = ?, last_sample_id = ?
WHERE id = ? AND last_sample_id = ? AND state = 'CHARGING' AND suspended = ? AND due_at IS ?
AND unheard_wh = 0"""
_DUE = _STEADY.replace("\nWHERE", ", due_at = ?\nWHERE")
"""The same for a charge that must be looked at sooner: an index hangs on that, which the others leave alone."""
_POSTGRESQL = """UPDATE charging_sessions s
SET energy_wh = v.a, meter_wh = v.b, power_w = v.c, metered_at = v.d, sampled_at = v.e, last_sample_id = v.f,
due_at = v.g
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
%s::timestamptz[], %s::int[], %s::bigint[], %s::text[], %s::timestamptz[])
AS v (a, b, c, d, e, f, g, id, before, suspended, planned)
WHERE s.id = v.id AND s.last_sample_id = v.before AND s.state = 'CHARGING' AND s.suspended = v.suspended
AND s.due_at IS NOT DISTINCT FROM v.planned AND s.unheard_wh = 0"""
_LOCKED = "SELECT id FROM charging_sessions WHERE id = ANY(%s::int[]) ORDER BY id FOR UPDATE"
"""In the order of their ids, as everywhere, so that no two transactions wait for each other."""

ODD, STEADY, SOONER = range(3)
"""What a sample does to its charge: more than moving it on; that; that, and it must be looked at at another time."""


class Running:
    """A charge under way, with the names of its row and none of its machinery, its hold and its connector's power.

    Nothing flowed in it that no register told, or a sample goes the long way, which knows of it.
    """

    __slots__ = (*_LOADED, "bounds", "bounds_w", "planned")
    terms = None
    """A tariff of several parts goes the long way."""
    id: int
    charger_id: str
    suspended: str
    energy_wh: int
    power_w: int
    meter_wh: int
    metered_at: datetime
    sampled_at: datetime
    last_sample_id: int
    due_at: datetime | None
    held_paise: int
    nameplate_w: int
    bounds: allowance.Bounds
    bounds_w: int | None
    """The power at which `bounds` hold; without one they go by the charge's mean, which each sample changes."""
    planned: str | None
    """The look that its row has planned, as the database writes it."""

    def __init__(self, values: Iterable[Any]) -> None:
        for name, value in zip(_LOADED, values, strict=True):
            setattr(self, name, value)
        self.bounds_w = None

    @property
    def session(self) -> ChargingSession:
        """Itself, for the rules that read and move a session's figures."""
        return self  # type: ignore[return-value]

    def advance(self, sample: Sample) -> int:
        """Move on by a sample; after ODD this is worth nothing."""
        at, received_at, register = sample.at, sample.received_at, sample.energy_wh
        if register is None or received_at - at > STALE or at < self.sampled_at or received_at < self.metered_at:
            return ODD
        rise = register - self.meter_wh
        if rise < 0 or (
            rise > settlement.MARGIN_WH and rise > metering.most_wh(self.session, sample, self.nameplate_w)
        ):
            return ODD
        self.energy_wh += rise
        self.meter_wh = register
        if sample.power_w is not None:
            self.power_w = sample.power_w
        self.metered_at, self.sampled_at = received_at, at
        if not self.power_w and not self.energy_wh:
            return ODD
        if not self.power_w or self.bounds_w != self.power_w:
            self.bounds = allowance.bounds(self.session, self.held_paise, self.nameplate_w)
            self.bounds_w = self.power_w
        if self.bounds.passed(self.energy_wh, received_at):
            return ODD
        wanted = self.bounds.look_again_at(self.energy_wh, received_at)
        if allowance.stays(self.due_at, wanted, received_at):
            return STEADY
        self.due_at = wanted
        return SOONER


class Meter:
    """Records samples as `metering.record` does.

    A sample that only moves its charge on (live, in order, plausible, within limits and money, at a plain price) is
    worked out from memory; everything else goes the long way. The update names the sample it follows and the look that
    is planned, and nobody moves a charge that runs without storing the one, nor lets it end sooner without planning the
    other, so that whatever another transaction did meanwhile sends the batch the long way, too. A hold that has grown
    and a connector's power are read again once somebody announces a change (`forget`); until then a charge only ends by
    the long way, which reads them.
    """

    def __init__(self) -> None:
        self._at: dict[int, Running] = {}
        """By transaction."""
        self._transactions: defaultdict[str, set[int]] = defaultdict(set)
        """By charger."""

    def forget(self, charger_id: str) -> None:
        """Something at this charger changed."""
        for number in self._transactions.pop(charger_id, ()):
            self._at.pop(number, None)

    def forget_all(self) -> None:
        """Something may have changed at any charger (ADR 0013)."""
        self._transactions.clear()
        self._at.clear()

    @counts_once
    def record(self, bulk: Bulk, samples: Sequence[Sample]) -> list[int]:
        """Store a batch; gives the ids of sessions that must be stopped now."""
        self._load(bulk, samples)
        known, sqlite = self._at, bulk.sqlite
        rows: list[Row] = []
        moved: dict[int, list[Row]] = {STEADY: [], SOONER: []}
        events: list[SessionMetered] = []
        odd: list[Sample] = []
        seen: set[str] = set()
        for number, sample in zip(numbers(bulk.cursor, len(samples), sqlite), samples, strict=True):
            charge = known.get(sample.transaction_id or 0)
            name = sample.charger_id
            # A second one of the same charger follows the long way, too, which comes after the short one.
            if charge is None or charge.charger_id != name or name in seen or not (how := charge.advance(sample)):
                odd.append(sample)
                seen.add(name)
                continue
            seen.add(name)
            at, received_at = times(sample, sqlite)
            rows.append(row(number, charge.id, charge.last_sample_id, sample, at, received_at))
            moved[how].append(_update(charge, number, at, received_at, how, sqlite))
            charge.last_sample_id = number
            events.append(metering.announcement(charge.session, sample))
        for sample in odd:
            self.forget(sample.charger_id)
        if rows and not _written(bulk, moved):
            bulk.begin_anew()
            for sample in samples:
                self.forget(sample.charger_id)
            return metering.record(bulk.session, samples)
        if rows:
            insert(bulk.cursor, rows, sqlite)
            bulk.events.extend(events)
        return metering.record(bulk.session, odd) if odd else []

    def _load(self, bulk: Bulk, samples: Sequence[Sample]) -> None:
        known = self._at
        unknown = {n for sample in samples if (n := sample.transaction_id) is not None and n not in known}
        if not unknown:
            return
        hold = and_(col(Hold.session_id) == _ROW.c.id, col(Hold.state) == HoldState.OPEN)
        connector = and_(
            col(Connector.charger_id) == _ROW.c.charger_id, col(Connector.number) == _ROW.c.connector_number
        )
        columns = *(_ROW.c[name] for name in _KNOWN), col(Hold.amount_paise), col(Connector.max_power_w)
        metered = (_ROW.c[name].is_not(None) for name in ("sampled_at", "metered_at", "meter_wh", "last_sample_id"))
        found = bulk.session.execute(
            select(*columns)
            .select_from(_ROW.outerjoin(Hold, hold).outerjoin(Connector, connector))
            .where(_ROW.c.transaction_id.in_(unknown), _ROW.c.state == SessionState.CHARGING, _ROW.c.terms.is_(None))
            .where(*metered, _ROW.c.unheard_wh == 0)
        )
        for values in found:
            charge = Running((*values[:-2], values[-2] or 0, values[-1] or 0))
            number = charge.session.transaction_id or 0
            known[number] = charge
            charge.planned = _moment(charge.due_at, bulk.sqlite)
            self._transactions[charge.charger_id].add(number)


def _update(charge: Running, number: int, at: str, received_at: str, how: int, sqlite: bool) -> Row:
    figures = charge.energy_wh, charge.meter_wh, charge.power_w, received_at, at, number
    its = charge.id, charge.last_sample_id, charge.suspended, charge.planned
    if how == SOONER:
        charge.planned = _moment(charge.due_at, sqlite)
    return (*figures, *its) if how == STEADY and sqlite else (*figures, charge.planned, *its)


def _moment(at: datetime | None, sqlite: bool) -> str | None:
    return None if at is None else text(at, sqlite)


def _written(bulk: Bulk, moved: dict[int, list[Row]]) -> bool:
    """Write the new figures; whether every charge still stood as it was remembered."""
    if bulk.sqlite:
        return all(
            bulk.cursor.executemany(statement, rows).rowcount == len(rows)
            for statement, rows in ((_STEADY, moved[STEADY]), (_DUE, moved[SOONER]))
            if rows
        )
    rows = sorted(chain(*moved.values()), key=lambda row: row[7])
    columns = tuple(map(_array, zip(*rows, strict=True)))
    bulk.cursor.execute(_LOCKED, (columns[7],))
    bulk.cursor.execute(_POSTGRESQL, columns)
    return bool(bulk.cursor.rowcount == len(rows))


def _array(column: Sequence[int | str | None]) -> str:
    """Numbers, times and states as PostgreSQL reads an array: psycopg looks for what to escape in each, for as long as
    everything else takes."""
    elements = ",".join(["NULL" if value is None else f'"{value}"' for value in column])
    return f"{{{elements}}}"
