"""Finding charging sessions and telling the others that one changed."""

import secrets
import string
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, select

from domain.db import emit
from domain.events import ChargerChanged, SessionChanged
from domain.models import IS_OPEN, IS_RUNNING, ChargingSession, Connector, now
from domain.samples import STALE

TAG = 14
"""Characters of a tag of ours: chargers cut, pad and echo longer ones (ocpp.md Q25)."""
LONGEST_TAG = 40


class NotYours(Exception):
    """There is no such session for this driver."""


class SessionUnknown(Exception):
    """No session has this ref."""


def named(db: Session, ref: str) -> ChargingSession:
    """Anybody's session, for the operator.

    Raises:
        SessionUnknown: none has this ref.
    """
    session = db.exec(select(ChargingSession).where(ChargingSession.ref == ref)).first()
    if session is None:
        raise SessionUnknown(ref)
    return session


def get(db: Session, session_id: int) -> ChargingSession:
    """The session's row."""
    return db.get_one(ChargingSession, session_id)


def locked(db: Session, session_id: int) -> ChargingSession:
    """The session's row as it is now, and nobody else changes it before this transaction ends.

    Sessions are locked before accounts, several of them in the order of their ids, so that no two transactions wait
    for each other.
    """
    return db.get_one(ChargingSession, session_id, with_for_update=True, populate_existing=True)


def taken(db: Session, session_id: int) -> ChargingSession | None:
    """The same for work that any process may do: None when another one is at it."""
    return db.get(ChargingSession, session_id, with_for_update={"skip_locked": True}, populate_existing=True)


def connector(db: Session, session: ChargingSession) -> Connector | None:
    """The connector that the session is at, if the charger has told of it."""
    return db.get(Connector, (session.charger_id, session.connector_number))


def felt_connector(db: Session, charger_id: str, number: int) -> Connector | None:
    """A connector as it is now, for a charge that begins there or goes on: what it says from now on waits until this
    transaction ends, and finds the charge that feels it."""
    return db.get(Connector, (charger_id, number), with_for_update={"read": True}, populate_existing=True)


def owned(db: Session, user_id: int, ref: str) -> ChargingSession:
    """The driver's own session.

    Raises:
        NotYours: it does not exist, or belongs to another.
    """
    found = select(ChargingSession).where(ChargingSession.ref == ref, ChargingSession.user_id == user_id)
    session = db.exec(found).first() if ref.isascii() and ref.isalnum() else None
    if session is None:
        raise NotYours(ref)
    return session


def open_of(db: Session, user_id: int) -> ChargingSession | None:
    """The driver's charge that is under way, if there is one."""
    return db.exec(select(ChargingSession).where(ChargingSession.user_id == user_id, IS_OPEN)).first()


def running_at(db: Session, charger_id: str) -> bool:
    """Whether a car charges there."""
    running = select(ChargingSession.id).where(ChargingSession.charger_id == charger_id, IS_RUNNING)
    return db.exec(running.limit(1)).first() is not None


def spelling(tag: str) -> str:
    """The one spelling of a tag: OCPP compares them in any case (CiString20), some chargers fill them with blanks."""
    return tag.strip().upper()[:LONGEST_TAG]


def spellings(tag: str) -> set[str]:
    """Every spelling under which a session of this tag can be kept."""
    return {spelling(tag), spelling(tag)[:TAG]}


def of_tag(sessions: Iterable[ChargingSession], tag: str) -> list[ChargingSession]:
    """Those of this tag; ours may have come with characters behind it (ocpp.md Q25)."""
    told = spelling(tag)
    return [s for s in sessions if s.tag == told or (s.user_id is not None and s.tag == told[:TAG])]


def by_app(session: ChargingSession) -> bool:
    """Whether a driver began it in the app: then its tag is its own and used once."""
    return session.user_id is not None and session.card is None


def begun_at(session: ChargingSession) -> datetime:
    """When a charge began, by the charger's clock; one that it tells late began no sooner than its driver asked for it
    in the app, and the clock is slow."""
    at, received_at = session.started_at, session.started_received_at
    if at is None or received_at is None:
        return session.requested_at
    late = received_at - at > STALE and by_app(session)
    return max(at, session.requested_at) if late else min(at, received_at)


def ended_at(session: ChargingSession, told: datetime | None) -> datetime | None:
    """When a charge ended whose charger told this time: a clock that told the start too soon or too late did so with
    the end, but where a slow one was set right meanwhile, which an end after the start shows. It ended no sooner than
    its last sample, which is taken as received where the clock is slow."""
    if told is None or session.started_at is None:
        return told
    begun = begun_at(session)
    ended = told + (begun - session.started_at) if told < begun or begun < session.started_at else told
    return max(ended, session.sampled_at or ended)


def changed(db: Session, session: ChargingSession) -> None:
    """Keep and announce it."""
    session.updated_at = now()
    db.flush()
    announce(db, session)


def announce(db: Session, session: ChargingSession) -> None:
    """Tell whoever watches the session or its charger."""
    emit(db, SessionChanged(session.id, session.charger_id, session.user_id, session.state))
    emit(db, ChargerChanged(session.charger_id))


def unguessable(length: int) -> str:
    """Random capitals and digits."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(length))
