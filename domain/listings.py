"""Rows that an operator leafs through: by their key, a part at a time, so that no part is slow and no row is missed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, tuple_, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from domain import accounts, chargers, samples, trail
from domain.db import storable
from domain.models import (
    IS_NOT_OVER,
    IS_OPEN,
    NOT_OVER,
    Charger,
    ChargingSession,
    Connector,
    Finding,
    MeterSample,
    OcppMessage,
    Receipt,
    RechargeOrder,
    Refund,
    Reservation,
    SecurityEvent,
    Tariff,
    Token,
    TrailEntry,
    Transfer,
    User,
)

T = TypeVar("T", bound=SQLModel)
MOST = 100
"""Rows of one part."""
Filter = Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One kind of rows: the column that names a row, their order, and what may be asked of them."""

    table: type[T]
    key: Any
    newest_first: bool = True
    by_time: Any = None
    """The column that orders them before the key does, so that those of a day or a month are found without walking past
    all others; empty: the key alone."""
    filters: Mapping[str, Filter] = field(default_factory=dict)


def part(db: Session, listing: Listing[T], *, after: object = None, limit: int = MOST, **wanted: object) -> list[T]:
    """Up to `limit` rows behind the one whose key is `after`, of those that are as wanted; None asks nothing."""
    key, by_time = col(listing.key), listing.by_time
    order = [key] if by_time is None else [col(by_time), key]
    query = select(listing.table).limit(min(limit, MOST + 1))
    query = query.order_by(*(column.desc() if listing.newest_first else column for column in order))
    if after is not None:
        here = [after] if by_time is None else [_time_of(listing, after), after]
        place, behind = tuple_(*order), tuple_(*here)
        query = query.where(place < behind if listing.newest_first else place > behind)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(listing.filters[name](value))
    return list(db.exec(query))


def _time_of(listing: Listing[T], after: object) -> Any:
    """The time of the row with this key; rows that are leafed through by time are there for good."""
    here = aliased(listing.table)
    named = getattr(here, listing.key.key) == after
    return select(getattr(here, listing.by_time.key)).where(named).scalar_subquery()


def connectors(db: Session, charger_id: str) -> list[tuple[Connector, str | None]]:
    """A charger's plugs, each with the ref of the session that has it.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    chargers.info(db, charger_id)
    return connectors_of(db, [charger_id])[charger_id]


def connectors_of(db: Session, charger_ids: Collection[str]) -> dict[str, list[tuple[Connector, str | None]]]:
    """The same of several chargers at once, of each by its id."""
    taken = select(ChargingSession.charger_id, ChargingSession.connector_number, ChargingSession.ref)
    open_ones = db.exec(taken.where(col(ChargingSession.charger_id).in_(charger_ids), IS_OPEN))
    refs = {(charger_id, number): ref for charger_id, number, ref in open_ones}
    found: dict[str, list[tuple[Connector, str | None]]] = {charger_id: [] for charger_id in charger_ids}
    rows = select(Connector).where(col(Connector.charger_id).in_(charger_ids)).order_by(col(Connector.number))
    for row in db.exec(rows):
        found[row.charger_id].append((row, refs.get((row.charger_id, row.number))))
    return found


def _by(*columns: Any) -> dict[str, Filter]:
    """What equals a column, under the column's own name."""
    return {column.key: _is(column) for column in columns}


def _is(column: Any) -> Filter:
    return lambda value: col(column) == value


def _of_session(session_id: int) -> ColumnElement[bool]:
    return col(MeterSample.id).in_(select(samples.of(session_id).c.id))


def _of_ref(ref: str) -> ColumnElement[bool]:
    return col(Receipt.session_id).in_(select(ChargingSession.id).where(ChargingSession.ref == ref))


def _in_state(state: str) -> ColumnElement[bool]:
    """Those that are not over by the index that has them alone: else a database reads all past ones."""
    session = ChargingSession
    few = select(session.id).where(IS_NOT_OVER, session.state == state)
    return col(session.id).in_(few) if state in NOT_OVER else col(session.state) == state


def _since(column: Any) -> Filter:
    return lambda value: col(column) >= value


def _before(column: Any) -> Filter:
    return lambda value: col(column) < value


def _names(text: str, table: Any, *columns: Any) -> ColumnElement[bool]:
    """What is called so in one of these columns, or is of a driver who may be meant: each by its own index, for any of
    them at once reads the whole table."""
    drivers = select(User.id).where(accounts.meant(text))
    ways = (col(table.user_id).in_(drivers), *(col(column) == storable(text.strip()) for column in columns))
    return col(table.id).in_(union_all(*(select(table.id).where(way) for way in ways)))


def _recharge(text: str) -> ColumnElement[bool]:
    """A payment as anybody may name it: our order, PhonePe's, PhonePe's transaction, the bank, or its driver."""
    order = RechargeOrder
    numbers = order.merchant_order_id, order.gateway_order_id, order.gateway_transaction_id, order.utr
    return _names(text, order, *numbers)


def _refund(text: str) -> ColumnElement[bool]:
    """A refund by its own name, PhonePe's, that of its recharge, or its driver."""
    numbers = Refund.merchant_refund_id, Refund.gateway_refund_id, Refund.merchant_order_id
    return _names(text, Refund, *numbers)


def _there(column: Any) -> Filter:
    """Whether a column that may be empty is not."""
    return lambda value: col(column).is_not(None) if value else col(column).is_(None)


CHARGERS = Listing(
    Charger,
    Charger.id,
    newest_first=False,
    filters=_by(Charger.online, Charger.place)
    | {"retired": _there(Charger.retired_at), "group": _is(Charger.group_name)},
)
SESSIONS = Listing(
    ChargingSession,
    ChargingSession.id,
    by_time=ChargingSession.requested_at,
    filters=_by(ChargingSession.charger_id, ChargingSession.user_id)
    | {
        "state": _in_state,
        "requested_since": _since(ChargingSession.requested_at),
        "requested_before": _before(ChargingSession.requested_at),
    },
)
SAMPLES = Listing(MeterSample, MeterSample.id, newest_first=False, filters={"session_id": _of_session})
TOKENS = Listing(Token, Token.tag, newest_first=False, filters=_by(Token.user_id))
TARIFFS = Listing(Tariff, Tariff.id, filters=_by(Tariff.charger_id) | {"group": _is(Tariff.group_name)})
USERS = Listing(User, User.id, newest_first=False, filters={"find": accounts.meant, "blocked": _there(User.blocked_at)})
RECHARGES = Listing(
    RechargeOrder, RechargeOrder.id, filters=_by(RechargeOrder.user_id, RechargeOrder.state) | {"find": _recharge}
)
REFUNDS = Listing(
    Refund,
    Refund.id,
    filters=_by(Refund.user_id, Refund.state) | {"order": _is(Refund.merchant_order_id), "find": _refund},
)
TRANSFERS = Listing(
    Transfer,
    Transfer.id,
    by_time=Transfer.created_at,
    filters=_by(Transfer.kind)
    | {"booked_since": _since(Transfer.created_at), "booked_before": _before(Transfer.created_at)},
)
PAPERS = Listing(
    Receipt,
    Receipt.number,
    filters={
        "series": _is(Receipt.kind),
        "session": _of_ref,
        "issued_since": _since(Receipt.created_at),
        "issued_before": _before(Receipt.created_at),
    },
)
FINDINGS = Listing(
    Finding, Finding.id, newest_first=False, filters=_by(Finding.kind) | {"resolved": _there(Finding.resolved_at)}
)
RESERVATIONS = Listing(Reservation, Reservation.id, filters=_by(Reservation.charger_id, Reservation.state))
MESSAGES = Listing(
    OcppMessage,
    OcppMessage.id,
    filters=_by(OcppMessage.charger_id, OcppMessage.action, OcppMessage.direction)
    | {"since": _since(OcppMessage.created_at), "before": _before(OcppMessage.created_at)},
)
SECURITY = Listing(
    SecurityEvent,
    SecurityEvent.id,
    filters=_by(SecurityEvent.charger_id, SecurityEvent.kind)
    | {"since": _since(SecurityEvent.received_at), "before": _before(SecurityEvent.received_at)},
)
TRAIL = Listing(
    TrailEntry, TrailEntry.id, filters=_by(TrailEntry.actor_kind, TrailEntry.actor_id) | {"subject": trail.about}
)
