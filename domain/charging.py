"""A charge from the wish to the last message: what the doors call, and the deadlines in between."""

from datetime import datetime

from sqlmodel import Session, col, select

from domain import allowance, idling, sessions, settlement, wallet
from domain.models import ChargingSession, SessionState
from domain.settings import settings
from domain.starts import (
    ENDINGS,
    PLUG,
    REFUSALS,
    RETRY_WINDOW,
    Limit,
    Refused,
    Started,
    answered,
    authorize,
    explain,
    request_start,
    started,
)
from domain.stops import (
    AGAIN,
    ANSWER,
    ESCALATED,
    TRIES,
    VERIFY,
    cancel,
    request_stop,
    stop_asked,
    stop_escalated,
    stop_wanted,
    stopped,
)

__all__ = [
    "AGAIN",
    "ANSWER",
    "ENDINGS",
    "ESCALATED",
    "PLUG",
    "REFUSALS",
    "RETRY_WINDOW",
    "TRIES",
    "VERIFY",
    "Limit",
    "Refused",
    "Started",
    "answered",
    "authorize",
    "deadline",
    "due",
    "explain",
    "fund_open_hold",
    "request_start",
    "request_stop",
    "started",
    "stop_asked",
    "stop_escalated",
    "stop_wanted",
    "stopped",
]


def fund_open_hold(db: Session, user_id: int) -> None:
    """Money came in during a charge: its hold grows up to the cap (payments.md C24).

    The session's row is left alone: it would be locked after the accounts.
    """
    session = sessions.open_of(db, user_id)
    if session is not None and session.id is not None:
        wallet.resize_hold(db, session.id, settings().session_cap_paise)
        sessions.announce(db, session)


def due(db: Session, at: datetime, limit: int = 100) -> list[int]:
    """Sessions whose deadline has passed, oldest first."""
    ids = db.exec(
        select(ChargingSession.id)
        .where(col(ChargingSession.due_at) <= at)
        .order_by(col(ChargingSession.due_at))
        .limit(limit)
    )
    return [i for i in ids if i is not None]


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
            cancel(db, session, "silent")
        case SessionState.AWAITING_PLUG:
            cancel(db, session, "unplugged")
        case SessionState.CHARGING:
            return _end_of_allowance(db, session, at)
        case SessionState.STOPPING:
            session.due_at = at + 2 * ANSWER
            db.add(session)
            return "stop" if session.stop_tries < TRIES else "escalate"
        case SessionState.INTERRUPTED:
            session.stop_reason = session.stop_reason or "Other"
            settlement.settle(db, session, None, estimated=True)
            sessions.changed(db, session)
        case SessionState.SETTLED:
            idling.ended(db, session, at)
    return ""


def _end_of_allowance(db: Session, session: ChargingSession, at: datetime) -> str:
    cause = allowance.reached(db, session, at)
    if cause:
        stop_wanted(db, session, cause)
        return "stop"
    session.due_at = allowance.look_again_at(db, session, at)
    db.add(session)
    return ""
