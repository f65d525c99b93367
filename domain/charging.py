"""A charge from the wish to the last message: what the adapters call, and the deadlines in between."""

from datetime import datetime

from sqlmodel import Session, col, select

from domain import allowance, idling, quirks, sessions, settlement, stops
from domain.models import Charger, ChargingSession, SessionState
from domain.starts import authorize, started
from domain.stops import request_stop, stopped
from domain.wishes import Limit, Refused, explain, request_start

__all__ = [
    "Limit",
    "Refused",
    "authorize",
    "deadline",
    "due",
    "explain",
    "request_start",
    "request_stop",
    "started",
    "stopped",
]


def due(db: Session, at: datetime, limit: int = 100) -> list[int]:
    """Sessions whose deadline has passed, oldest first."""
    passed = select(ChargingSession.id).where(col(ChargingSession.due_at) <= at)
    return list(db.exec(passed.order_by(col(ChargingSession.due_at)).limit(limit)))


def deadline(db: Session, session_id: int, at: datetime) -> str:
    """Do what the passed deadline of this session demands (architecture.md, deadlines); says what is left to do.

    Gives "stop" when RemoteStop must be sent, "escalate" when that has been tried often enough, else "". What is left
    to do is due again soon, so that a crash forgets it as little as two processes do it twice.
    """
    session = sessions.taken(db, session_id)
    if session is None or session.due_at is None or session.due_at > at:
        return ""
    match session.state:
        case SessionState.REQUESTED:
            stops.cancel(db, session, "silent")
        case SessionState.AWAITING_PLUG:
            stops.cancel(db, session, "unplugged")
        case SessionState.CHARGING:
            return _end_of_allowance(db, session, at)
        case SessionState.STOPPING:
            left = "stop" if session.stop_tries < stops.TRIES else "escalate"
            vendor = db.get_one(Charger, session.charger_id).vendor
            answers = 1 if left == "stop" else len(quirks.escalation(vendor))
            session.due_at = at + (1 + answers) * stops.ANSWER
            return left
        case SessionState.INTERRUPTED:
            session.stop_reason = session.stop_reason or "Other"
            settlement.settle(db, session, None, estimated=True)
            sessions.changed(db, session)
        case SessionState.SETTLED:
            idling.due(db, session, at)
    return ""


def _end_of_allowance(db: Session, session: ChargingSession, at: datetime) -> str:
    cause = allowance.reached(db, session, at)
    if cause:
        stops.stop_wanted(db, session, cause)
        return "stop"
    session.due_at = allowance.look_again_at(db, session, at)
    return ""
