"""A cable that stays in the car without charging: since when, and what it costs where a tariff asks (ADR 0007)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain import chargers, push, sessions, settlement
from domain.models import Charger, ChargingSession, SessionState
from domain.prices import MOST_IDLE_MINUTES

IN_CHARGE, AFTER_IT = "SuspendedEV", "Finishing"
"""The car takes nothing although it could (OCPP 1.6, 4.9); the charge has ended and the cable is still in."""
SOON = timedelta(minutes=2)
"""So long after a stop `Finishing` may be told of it."""


def told(session: ChargingSession, status: str, at: datetime) -> None:
    """The connector of a running charge says this at `at`, by our clock; one whose end is wanted idles no more."""
    if not asked(session):
        return
    if status == IN_CHARGE and session.state == SessionState.CHARGING:
        session.idle_since = session.idle_since or at
    else:
        settlement.stop_idling(session, at)


def warn(db: Session, session: ChargingSession) -> None:
    """A time of idling begins or is over: whoever has evapp closed is told while the cable costs nothing yet."""
    push.take_back(db, session.user_id, push.IDLE, session.ref)
    if session.idle_since is not None:
        push.tell(db, session.user_id, push.IDLE, session.ref)


def told_after(db: Session, charger_id: str, connector_number: int, status: str, at: datetime) -> None:
    """A connector without a running charge says this: its last charge begins to idle, or has ended doing so."""
    if status != AFTER_IT:
        for session in _idling(db, [charger_id]):
            if session.connector_number == connector_number:
                ended(db, session, at)
        return
    last = db.exec(
        select(ChargingSession)
        .where(ChargingSession.charger_id == charger_id, ChargingSession.connector_number == connector_number)
        .order_by(col(ChargingSession.id).desc())
        .limit(1)
        .with_for_update()
    ).first()
    if last is not None and last.idle_since is None:
        _begin(db, last, at)


def after_stop(db: Session, session: ChargingSession, at: datetime) -> None:
    """A charge was settled at `at`; its connector may have said before that the cable is still in."""
    connector = sessions.connector(db, session)
    if connector is not None and connector.status == AFTER_IT:
        _begin(db, session, at)


def ended(db: Session, session: ChargingSession, at: datetime) -> None:
    """It idles no more: what it costs until `at` is debited, once; a running charge pays at its stop."""
    settlement.stop_idling(session, at)
    if session.state == SessionState.SETTLED:
        session.due_at = None
        settlement.charge(db, session, "idle")
        sessions.changed(db, session)


def due(db: Session, session: ChargingSession, at: datetime) -> None:
    """The free minutes after a stop are over, which its driver's page says then; later the most is reached."""
    left = timedelta(minutes=MOST_IDLE_MINUTES) - timedelta(seconds=settlement.usage_of(session).idle_s)
    begins_at = free_until(session)
    if begins_at is None or at >= begins_at + left:
        unwatched(db, session, at)
        return
    session.due_at = begins_at + left
    sessions.changed(db, session)


def unwatched(db: Session, session: ChargingSession, at: datetime) -> None:
    """The most is reached at `at`, or nobody can say any more whether it idles: nothing is paid for after the charger
    was last heard, be it that its process or all of ours died."""
    charger = db.get_one(Charger, session.charger_id)
    ended(db, session, at if chargers.in_contact(charger, at) else min(at, charger.heard_at or at))


def contact_lost(db: Session, charger_ids: Iterable[str], at: datetime) -> None:
    """Nobody can say any more whether the cables of these chargers are in their cars."""
    for session in _idling(db, charger_ids):
        unwatched(db, session, at)


def free_until(session: ChargingSession) -> datetime | None:
    """When idling begins to cost; None while nothing idles."""
    if session.idle_since is None:
        return None
    return session.idle_since + timedelta(minutes=settlement.price_of(session).idle_after_minutes)


def asked(session: ChargingSession) -> bool:
    """Whether this charge's tariff asks anything for idling."""
    return session.terms is not None and settlement.price_of(session).idle_per_minute_paise > 0


def _begin(db: Session, session: ChargingSession, at: datetime) -> None:
    """After the stop, until the connector says otherwise or the most is reached; not for a charge of nothing, nor for
    one that was told of late.

    The charger's time may be ahead of ours; counted from the bill, what has cost something is never soon again, since
    more minutes than SOON are free.
    """
    ended_at = sessions.ended_at(session, session.stopped_at)
    since = min(filter(None, (ended_at, session.settled_at)), default=None)
    soon = since is not None and at - since < SOON
    if not (soon and session.state == SessionState.SETTLED and session.cost_paise and asked(session)):
        return
    session.idle_since = at
    session.due_at = free_until(session)
    warn(db, session)
    sessions.changed(db, session)


def _idling(db: Session, charger_ids: Iterable[str]) -> Sequence[ChargingSession]:
    return db.exec(
        select(ChargingSession)
        .where(col(ChargingSession.charger_id).in_(charger_ids), col(ChargingSession.idle_since).is_not(None))
        .order_by(col(ChargingSession.id))
        .with_for_update()
    ).all()
