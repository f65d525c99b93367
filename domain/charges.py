"""Charges as operators look at them: those under way, those that wait for somebody, and any of them by its name."""

from dataclasses import dataclass

from sqlmodel import Session, and_, col, or_, select

from domain import accounts, settlement
from domain.models import OPEN, ChargingSession, SessionState, User, now

PAGE = 30
RUNNING, STUCK, EVERY = "running", "stuck", ""
FILTERS = (RUNNING, STUCK, EVERY)
GIVEN_UP = 1
"""After so many requests to stop a charger does not listen (ocpp.md Q30)."""

_STUCK = or_(
    col(ChargingSession.state) == SessionState.INTERRUPTED,
    and_(col(ChargingSession.state) == SessionState.STOPPING, col(ChargingSession.stop_tries) > GIVEN_UP),
)
_WITHIN = {RUNNING: (col(ChargingSession.state).in_(OPEN),), STUCK: (_STUCK,), EVERY: ()}


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
        session = self.session
        stopping = session.state == SessionState.STOPPING and session.stop_tries > GIVEN_UP
        return stopping or session.state == SessionState.INTERRUPTED


def page(
    db: Session,
    *,
    which: str = RUNNING,
    typed: str = "",
    charger_id: str = "",
    user_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Charge]:
    """The newest first, those before the charge of this number.

    `typed` is a ref, a receipt's number, a charger's id or what `accounts.find` takes.
    """
    query = select(ChargingSession).where(*_WITHIN[which]).order_by(col(ChargingSession.id).desc()).limit(limit)
    if charger_id:
        query = query.where(ChargingSession.charger_id == charger_id)
    if user_id is not None:
        query = query.where(ChargingSession.user_id == user_id)
    if typed:
        people = [user.id for user in accounts.find(db, typed)]
        named = ChargingSession.ref == typed.upper(), ChargingSession.receipt_number == typed.upper()
        query = query.where(or_(*named, ChargingSession.charger_id == typed, col(ChargingSession.user_id).in_(people)))
    if before is not None:
        query = query.where(col(ChargingSession.id) < before)
    return [_charge(db, session) for session in db.exec(query).all()]


def of_ref(db: Session, ref: str) -> Charge | None:
    """The charge with this ref."""
    session = db.exec(select(ChargingSession).where(ChargingSession.ref == ref)).first()
    return _charge(db, session) if session is not None else None


def _charge(db: Session, session: ChargingSession) -> Charge:
    user = db.get(User, session.user_id) if session.user_id is not None else None
    over = session.settled_at is not None
    cost = session.cost_paise if over else settlement.cost_of(session, now())
    return Charge(session, user.username if user is not None else "", cost)
