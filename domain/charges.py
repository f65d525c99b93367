"""Charges as operators look at them: those under way, those that wait for somebody, and any of them by its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, literal_column, union_all
from sqlmodel import Session, and_, col, or_, select

from domain import accounts, identity, settlement, stops, tokens, typed_ids
from domain.db import storable
from domain.models import IS_NOT_OVER, IS_OPEN, Charger, ChargingSession, Receipt, SessionState, User, now

PAGE = 30
RUNNING, STUCK, EVERY, NOT_OVER = "running", "stuck", "", "not over"
FILTERS = (RUNNING, STUCK, EVERY)
"""Those of the operators' pages."""

_STUCK = or_(
    col(ChargingSession.state) == SessionState.INTERRUPTED,
    and_(col(ChargingSession.state) == SessionState.STOPPING, col(ChargingSession.stop_tries) > stops.LISTENS_WITHIN),
)
_FEW = literal_column("+charging_sessions.id", Integer)
"""The number where few charges can be meant: by the bare one a database walks all past charges to find the newest."""
_WITHIN: dict[str, tuple[Any, ...]] = {
    RUNNING: (IS_OPEN,),
    STUCK: (IS_NOT_OVER, _STUCK),
    EVERY: (),
    NOT_OVER: (IS_NOT_OVER,),
}


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge, who pays for it, and what it costs by now in paise."""

    session: ChargingSession
    username: str
    """Empty: a card nobody knows."""
    cost_paise: int

    @property
    def stuck(self) -> bool:
        """Whether somebody must go there, or wait for its stop."""
        return self.session.state == SessionState.INTERRUPTED or stops.ignored(self.session)


def page(
    db: Session,
    *,
    which: str = RUNNING,
    typed: str = "",
    charger_id: str = "",
    user_id: int | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Charge]:
    """The newest first, those before the charge of this number, asked for `since` then.

    `typed` is a ref, the number of a receipt or note, of a card, a charger's id in any spelling or what `accounts.find`
    takes.
    """
    number = col(ChargingSession.id) if which == EVERY else _FEW
    query = select(ChargingSession).where(*_WITHIN[which]).order_by(number.desc()).limit(limit)
    if charger_id:
        query = query.where(ChargingSession.charger_id == charger_id)
    if user_id is not None:
        query = query.where(ChargingSession.user_id == user_id)
    if typed := storable(typed):
        query = query.where(col(ChargingSession.id).in_(_meant(typed)))
    if since is not None:
        query = query.where(ChargingSession.requested_at >= since)
    if before is not None:
        query = query.where(number < before)
    return _charges(db, db.exec(query).all())


def of_ref(db: Session, ref: str) -> Charge | None:
    """The charge with this ref."""
    session = db.exec(select(ChargingSession).where(ChargingSession.ref == storable(ref))).first()
    return _charges(db, [session])[0] if session is not None else None


def named(db: Session, typed: str) -> Charge | None:
    """The charge with this ref, this receipt or this note, in capitals or not, or with this number."""
    name, number = storable(typed.upper()), identity.typed_number(typed)
    known = or_(ChargingSession.ref == name, _has_paper(name))
    session = db.exec(select(ChargingSession).where(known)).first() if name else None
    if session is None and number is not None:
        session = db.get(ChargingSession, number)
    return _charges(db, [session])[0] if session is not None else None


def _meant(typed: str) -> CompoundSelect[Any]:
    """The numbers of the charges that may be meant: each way by its index, for any of several at once reads all."""
    session, named, key = ChargingSession, typed.upper(), typed_ids.find_key(typed)
    drivers = select(User.id).where(accounts.meant(typed))
    there = select(Charger.id).where(or_(col(Charger.id) == typed, col(Charger.find_key) == key))
    ways = (
        session.ref == named,
        session.card == tokens.spelling(typed),
        col(session.charger_id).in_(there),
        col(session.user_id).in_(drivers),
    )
    papers = select(Receipt.session_id).where(Receipt.number == named)
    return union_all(papers, *(select(session.id).where(way) for way in ways))


def _has_paper(number: str) -> ColumnElement[bool]:
    """What this receipt, credit note or debit note is about."""
    return col(ChargingSession.id).in_(select(Receipt.session_id).where(Receipt.number == number.upper()))


def _charges(db: Session, found: Sequence[ChargingSession]) -> list[Charge]:
    drivers = {session.user_id for session in found} - {None}
    known = select(User.id, User.username).where(col(User.id).in_(drivers))
    names: dict[int | None, str] = dict(db.exec(known).all()) if drivers else {}
    return [
        Charge(session, names.get(session.user_id, ""), settlement.cost_by_now(session, now())) for session in found
    ]
