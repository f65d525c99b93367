"""The end of a charge: called off before it began, wanted, asked for again and again, and told by the charger."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain import findings, idling, scale, sessions, settlement, tokens, wallet
from domain.models import RUNNING, ChargingSession, SessionState, now
from domain.patience import counts_once

ANSWER = timedelta(seconds=35)
"""A charger has 30 s to answer a start or stop; whoever asked has recorded it by then."""
VERIFY = timedelta(seconds=30)
AGAIN = timedelta(seconds=15)
TRIES = 6
ESCALATED = timedelta(minutes=5)
"""Between two rounds of asking, once a charger has ignored the first (ocpp.md Q30)."""
TRANSACTIONS = range(1, 2**31)
"""The numbers that a charger can have been given."""
RECENT = 20
"""Charges of a charger, newest first, among which the one of a stop without our number is sought."""


def cancel(db: Session, session: ChargingSession, cause: str) -> None:
    """The charge never begins; `cause` is one of ENDINGS."""
    assert session.id is not None
    session.state, session.stop_cause, session.due_at, session.stopped_at = SessionState.CANCELLED, cause, None, now()
    wallet.release(db, session.id)
    sessions.changed(db, session)


def request_stop(db: Session, session_id: int, cause: str) -> ChargingSession:
    """Somebody wants the end: driver, funds, limit or operator. A charge that never began is cancelled at once.

    Only StopTransaction ends the billing (payments.md C25); a second wish changes nothing.
    """
    session = sessions.locked(db, session_id)
    if session.state in (SessionState.REQUESTED, SessionState.AWAITING_PLUG):
        cancel(db, session, cause)
    elif session.state == SessionState.CHARGING:
        stop_wanted(db, session, cause)
    return session


def stop_wanted(db: Session, session: ChargingSession, cause: str) -> None:
    """CHARGING becomes STOPPING; whoever drives the charger sends RemoteStop, the sweeper repeats it."""
    session.state, session.stop_cause, session.stop_tries = SessionState.STOPPING, cause, 0
    session.due_at = now() + ANSWER
    sessions.changed(db, session)


def stop_asked(db: Session, session_id: int, accepted: bool) -> None:
    """RemoteStop was sent once more; until StopTransaction comes it is verified and repeated (ocpp.md Q30)."""
    session = sessions.locked(db, session_id)
    if session.state == SessionState.STOPPING:
        session.stop_tries += 1
        session.due_at = now() + (VERIFY if accepted and session.stop_tries == 1 else AGAIN)
        sessions.changed(db, session)


def stop_escalated(db: Session, session_id: int) -> None:
    """The charger does not stop: the operator is told, and it is asked again every few minutes.

    Only the meter is billed, so it may go on metering.
    """
    session = sessions.locked(db, session_id)
    if session.state == SessionState.STOPPING:
        session.stop_tries, session.due_at = TRIES - 1, now() + ESCALATED
        findings.note(db, "stop-unanswered", session.ref, f"{session.charger_id} does not stop this charge.")
        sessions.changed(db, session)


def ask_again(db: Session, charger_id: str, at: datetime) -> None:
    """The charger is back: what it was to stop meanwhile, it is asked to stop anew (ocpp.md Q30)."""
    stopping = select(ChargingSession).where(
        ChargingSession.charger_id == charger_id, ChargingSession.state == SessionState.STOPPING
    )
    for session in db.exec(stopping.order_by(col(ChargingSession.id)).with_for_update()):
        session.stop_tries, session.due_at = 0, at + AGAIN
        db.add(session)


@counts_once
def stopped(
    db: Session,
    *,
    charger_id: str,
    transaction_id: int,
    meter_stop_wh: int | None,
    at: datetime,
    received_at: datetime,
    reason: str,
    tag: str,
) -> None:
    """StopTransaction: settle once, correct an estimate once, keep an orphan for the operator (ocpp.md Q20-Q24)."""
    session = _meant(db, charger_id, transaction_id, meter_stop_wh, tag)
    if session is None:
        detail = f"StopTransaction {transaction_id} at {meter_stop_wh} Wh, {at.isoformat()}, reason {reason or 'none'}."
        findings.note(db, "orphan-stop", f"{charger_id}:{transaction_id}:{meter_stop_wh}", detail)
        return
    if session.settled_at is not None and not session.estimated:
        if meter_stop_wh not in (None, session.meter_stop_wh):
            findings.note(db, "conflict", session.ref, f"A second stop says {meter_stop_wh} Wh; the first one stands.")
        return
    before_its_start = session.started_at is not None and at < session.started_at
    session.stopped_at = received_at if before_its_start else at
    session.stop_reason = (reason or "Local")[:20]
    scale.of_stop(db, session, meter_stop_wh)
    again = session.settled_at is not None
    settlement.settle(db, session, meter_stop_wh)
    if not again:
        idling.after_stop(db, session, received_at)
    sessions.changed(db, session)


def _meant(
    db: Session, charger_id: str, transaction_id: int, meter_stop_wh: int | None, tag: str
) -> ChargingSession | None:
    """The session by our number; without it, the one charge that fits by tag and meter (ocpp.md Q21, Q22)."""
    began = select(ChargingSession.id).where(
        ChargingSession.charger_id == charger_id, col(ChargingSession.transaction_id).is_not(None)
    )
    found = None
    if transaction_id in TRANSACTIONS:
        found = db.exec(began.where(ChargingSession.transaction_id == transaction_id)).first()
    if found is None and (tag or transaction_id not in TRANSACTIONS):
        found = _fitting(db, charger_id, meter_stop_wh, tag)
    return None if found is None else sessions.locked(db, found)


def _fitting(db: Session, charger_id: str, meter_stop_wh: int | None, tag: str) -> int | None:
    recent = db.exec(
        select(ChargingSession)
        .where(ChargingSession.charger_id == charger_id, col(ChargingSession.transaction_id).is_not(None))
        .order_by(col(ChargingSession.id).desc())
        .limit(RECENT)
    ).all()
    candidates = [s for own in sorted(tokens.group(db, tag)) for s in sessions.of_tag(recent, own)] if tag else recent
    most = 2**62 if meter_stop_wh is None else meter_stop_wh
    open_ = [s.id for s in candidates if _is_unsettled(s) and (s.meter_wh or 0) <= most]
    if len(open_) == 1:
        return open_[0]
    repeated = [s.id for s in candidates if not _is_unsettled(s) and s.meter_stop_wh == meter_stop_wh]
    return repeated[0] if repeated and not open_ else None


def _is_unsettled(session: ChargingSession) -> bool:
    return session.state in (*RUNNING, SessionState.INTERRUPTED) or session.estimated
