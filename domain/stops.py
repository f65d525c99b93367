"""The end of a charge: called off before it began, wanted, asked for again and again, and told by the charger."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain import findings, idling, push, scale, sessions, settlement, succession, tokens, wallet
from domain.models import IS_OPEN, LIVE, RUNNING, WANTED, Charger, ChargingSession, SessionState, now
from domain.money import plain_rupees
from domain.patience import counts_once

BY_DRIVER = "driver"
"""The cause of an end that he chose himself: he need not be told."""
ANSWER = timedelta(seconds=35)
"""A charger has 30 s to answer a start or stop; whoever asked has recorded it by then."""
VERIFY = timedelta(seconds=30)
AGAIN = timedelta(seconds=15)
TRIES = 6
LISTENS_WITHIN = 1
"""Requests to stop; a charger that was sent more of them does not listen (ocpp.md Q30)."""
ESCALATED = timedelta(minutes=5)
"""Between two rounds of asking, once a charger has ignored the first (ocpp.md Q30)."""
TRANSACTIONS = range(1, 2**31)
"""The numbers that a charger can have been given."""
ORPHANS = 50
"""Stops of one charger that belong to no charge and wait for somebody: those beyond are counted in one finding."""
RECENT = 20
"""Charges of a charger, newest first, among which the one of a stop without our number is sought."""
_OURS = re.compile(rf"(?=.*[G-Z])[A-Z0-9]{{{sessions.TAG}}}")
"""A tag of ours (sessions.unguessable): a card's own number has hexadecimal digits only."""


def cancel(db: Session, session: ChargingSession, cause: str) -> None:
    """The charge never begins; `cause` is one of ENDINGS. What it held is free, and pays first what is owed."""
    assert session.user_id is not None
    session.state, session.stop_cause, session.due_at, session.stopped_at = SessionState.CANCELLED, cause, None, now()
    wallet.lock(db, wallet.of_driver(session.user_id))
    wallet.release(db, session.id)
    wallet.pay_owed(db, f"session:{session.id}:cancelled:arrears", session.user_id, ref=session.ref)
    if cause != BY_DRIVER:
        push.tell(db, session.user_id, push.ENDED, session.ref)
    sessions.changed(db, session)


def request_stop(db: Session, session_id: int, cause: str) -> ChargingSession:
    """Somebody wants the end: driver, funds, limit or operator. A charge that never began is cancelled at once.

    Only StopTransaction ends the billing (payments.md C25); a second wish changes nothing.
    """
    session = sessions.locked(db, session_id)
    if session.state in WANTED:
        cancel(db, session, cause)
    elif session.state == SessionState.CHARGING:
        stop_wanted(db, session, cause)
    return session


def stop_wanted(db: Session, session: ChargingSession, cause: str) -> None:
    """CHARGING becomes STOPPING; whoever drives the charger sends RemoteStop, the sweeper repeats it.

    From now on only what the charger still delivers costs anything.
    """
    session.state, session.stop_cause, session.stop_tries = SessionState.STOPPING, cause, 0
    session.due_at = now() + ANSWER
    settlement.stop_idling(session, now())
    sessions.changed(db, session)


def stop_asked(db: Session, session_id: int, accepted: bool) -> None:
    """RemoteStop was sent once more; until StopTransaction comes it is verified and repeated (ocpp.md Q30)."""
    session = sessions.locked(db, session_id)
    if session.state == SessionState.STOPPING:
        session.stop_tries += 1
        session.due_at = now() + (VERIFY if accepted and session.stop_tries == 1 else AGAIN)
        sessions.changed(db, session)


def stop_unsent(db: Session, session_id: int) -> None:
    """There was no way to the charger, which has ignored nothing: it is asked once there is one (ADR 0013)."""
    session = sessions.locked(db, session_id)
    if session.state == SessionState.STOPPING:
        session.due_at = now() + AGAIN


def ignored(session: ChargingSession) -> bool:
    """Whether a charger does not listen to the wish to stop."""
    return session.state == SessionState.STOPPING and session.stop_tries > LISTENS_WITHIN


def stop_escalated(db: Session, session_id: int) -> None:
    """The charger does not stop: the operator is told, and it is asked again every few minutes.

    Only the meter is billed, so it may go on metering.
    """
    session = sessions.locked(db, session_id)
    if session.state == SessionState.STOPPING:
        session.stop_tries, session.due_at = TRIES - 1, now() + ESCALATED
        findings.note(db, "stop-unanswered", session.ref, f"{session.charger_id} does not stop this charge.")
        sessions.changed(db, session)


def ask_again(db: Session, back: Mapping[str, datetime]) -> None:
    """Chargers are back at these times: what one was to stop meanwhile, it is asked to stop soon (ocpp.md Q30).

    As if for the first time only after an absence in which a whole round of asking had its time: one that comes and
    goes all the time would never be escalated.
    """
    stopping = select(ChargingSession).where(
        col(ChargingSession.charger_id).in_(back), IS_OPEN, ChargingSession.state == SessionState.STOPPING
    )
    for session in db.exec(stopping.order_by(col(ChargingSession.id)).with_for_update()).all():
        at, heard_at = back[session.charger_id], db.get_one(Charger, session.charger_id).heard_at
        soon = at + AGAIN
        if heard_at is None or at - heard_at >= TRIES * AGAIN:
            session.stop_tries, session.due_at = 0, soon
        elif session.stop_tries < TRIES - 1:
            session.due_at = min(session.due_at or soon, soon)


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
    session = _meant(db, charger_id, transaction_id, meter_stop_wh, None if at == received_at else at, tag)
    if session is None:
        detail = f"StopTransaction {transaction_id} at {meter_stop_wh} Wh, {at.isoformat()}, reason {reason or 'none'}."
        _orphan(db, charger_id, f"{charger_id}:{transaction_id}:{meter_stop_wh}", detail)
        return
    if session.settled_at is not None and not session.estimated:
        if meter_stop_wh not in (None, session.meter_stop_wh):
            findings.note(db, "conflict", session.ref, f"A second stop says {meter_stop_wh} Wh; the first one stands.")
        return
    session.number_used = transaction_id == session.transaction_id
    before_its_start = session.started_at is not None and at < session.started_at
    session.stopped_at = received_at if before_its_start else at
    session.stop_reason = (reason or "Local")[:20]
    scale.of_stop(db, session, meter_stop_wh)
    billed_paise = session.cost_paise if session.settled_at is not None else None
    settlement.settle(db, session, meter_stop_wh)
    if billed_paise is None:
        idling.after_stop(db, session, received_at)
    elif session.cost_paise < billed_paise:
        _given_back(db, session, billed_paise - session.cost_paise)
    sessions.changed(db, session)


def _given_back(db: Session, session: ChargingSession, paise: int) -> None:
    """A late stop gave money back; who has left cannot come for it, as with a late recharge (payments.md R34)."""
    if session.user_id is not None:
        findings.refund_due(db, session.user_id, session.ref, f"{plain_rupees(paise)} came back to")


def _orphan(db: Session, charger_id: str, ref: str, detail: str) -> None:
    if findings.known(db, "orphan-stop", ref) or findings.waiting(db, "orphan-stop", f"{charger_id}:") < ORPHANS:
        findings.note(db, "orphan-stop", ref, detail)
        return
    more = f"more stops of {charger_id} belong to no charge; the messages of the charger have each. The last: {detail}"
    findings.count(db, "orphan-stop", f"{charger_id}:more", more)


def _meant(
    db: Session, charger_id: str, transaction_id: int, meter_stop_wh: int | None, at: datetime | None, tag: str
) -> ChargingSession | None:
    """The session by our number; without it, the one charge that fits by tag, meter and, where the charger's clock is
    believed, time `at` (ocpp.md Q21, Q22)."""
    began = select(ChargingSession.id).where(
        ChargingSession.charger_id == charger_id, col(ChargingSession.transaction_id).is_not(None)
    )
    found = None
    if transaction_id in TRANSACTIONS:
        found = db.exec(began.where(ChargingSession.transaction_id == transaction_id)).first()
    if found is not None:
        named = sessions.get(db, found)
        if newer := succession.next_of(db, named, meter_stop_wh):
            found = newer.id
        elif _is_anothers(db, named, meter_stop_wh, at, tag):
            found = None
    if found is None and (tag or transaction_id not in TRANSACTIONS):
        found = _fitting(db, charger_id, meter_stop_wh, at, tag)
    return None if found is None else sessions.locked(db, found)


def _is_anothers(
    db: Session, session: ChargingSession, meter_stop_wh: int | None, at: datetime | None, tag: str
) -> bool:
    """Whether a stop with this session's number is another charge's (ocpp.md Q24; payments.md C12).

    The number decides, and any card may end a charge with it; chargers also tell the tag of the last driver, or of his
    other wish. A tag that we gave for one charge only decides against the number where

    - the books do not know it on this charger: a restored older backup has given the number again;
    - its charge runs at another connector and this can be its stop, or has ended there with this very stop; or
    - this cannot be the session's: its meter is past this register, or it has ended at another one.

    A card decides against the number only where the register is below the session's start and its charge at another
    connector can end there, or has ended with this very stop: the charger names its last number for both.
    """
    of_app = _OURS.fullmatch(sessions.spelling(tag)) is not None and tokens.find(db, tag) is None
    below = meter_stop_wh is not None and meter_stop_wh < (session.meter_start_wh or 0)
    if not tag or not (of_app or below) or sessions.of_tag([session], tag):
        return False
    known = select(ChargingSession).where(
        ChargingSession.charger_id == session.charger_id, col(ChargingSession.tag).in_(sessions.spellings(tag))
    )
    named = sessions.of_tag(db.exec(known), tag)
    beside = [s for s in named if s.connector_number != session.connector_number]
    running = [s for s in beside if s.state in RUNNING and _ends(s, meter_stop_wh, at)]
    if running or any(_is_told_again(s, meter_stop_wh, at) for s in beside):
        return True
    can_end = _ends(session, meter_stop_wh, None) or _is_told_again(session, meter_stop_wh, None)
    return of_app and not (named and can_end)


def _fitting(db: Session, charger_id: str, meter_stop_wh: int | None, at: datetime | None, tag: str) -> int | None:
    """A repetition is told by its register and time before any open charge is thought of: it changes nothing (Q20)."""
    recent = db.exec(
        select(ChargingSession)
        .where(ChargingSession.charger_id == charger_id, col(ChargingSession.transaction_id).is_not(None))
        .order_by(col(ChargingSession.id).desc())
        .limit(RECENT)
    ).all()
    candidates = [s for own in sorted(tokens.group(db, tag)) for s in sessions.of_tag(recent, own)] if tag else recent
    if repeated := [s.id for s in candidates if _is_told_again(s, meter_stop_wh, at)]:
        return repeated[0]
    open_ = [s.id for s in candidates if _ends(s, meter_stop_wh, at)]
    if len(open_) == 1:
        return open_[0]
    settled = [s.id for s in candidates if not _is_unsettled(s) and s.meter_stop_wh == meter_stop_wh]
    return settled[0] if settled and not open_ else None


def _ends(session: ChargingSession, meter_stop_wh: int | None, at: datetime | None) -> bool:
    """Whether a stop at this register, and at this time where it is believed, can be the one that the charge lacks."""
    begun = at is None or session.started_at is None or session.started_at <= at
    return _is_unsettled(session) and begun and (meter_stop_wh is None or (session.meter_wh or 0) <= meter_stop_wh)


def _is_told_again(session: ChargingSession, meter_stop_wh: int | None, at: datetime | None) -> bool:
    """Whether it is the stop that has settled the charge: by its register and time; without a time, by a register."""
    same = not _is_unsettled(session) and session.meter_stop_wh == meter_stop_wh
    return same and (session.stopped_at == at if at is not None else meter_stop_wh is not None)


def _is_unsettled(session: ChargingSession) -> bool:
    return session.state in LIVE or session.estimated
