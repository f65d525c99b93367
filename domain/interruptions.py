"""Charges whose stop never came: noticing them, the estimate, and what happens when the charger speaks again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, TextClause
from sqlmodel import Session, and_, col, or_, select

from domain import allowance, chargers, connectors, push, sessions, settlement, stops, succession, wallet
from domain.models import (
    IS_NOT_OVER,
    IS_OPEN,
    IS_RUNNING,
    Charger,
    ChargingSession,
    Connector,
    MeterSample,
    SessionState,
    now,
)
from domain.settings import settings

LATE_STOP = timedelta(hours=24)
"""How long a StopTransaction may be on its way before the estimate is debited."""
GRACE = timedelta(seconds=60)
"""A stop may still be queued behind what the charger sends first (ocpp.md Q26)."""
CHARGES = ("Charging", "SuspendedEV", "SuspendedEVSE")
"""Statuses of a connector on which a charge runs."""
FREED = ("Available", "Preparing", "Reserved")
"""Statuses of a connector on which none does."""
LOST = timedelta(minutes=15)
"""So long may a charger say nothing, or a connector be out of order, before a charge counts as interrupted."""

_INTERRUPTED = col(ChargingSession.state) == SessionState.INTERRUPTED


def interrupt(db: Session, session: ChargingSession) -> None:
    """No stop came: the driver sees an estimate, and the hold becomes it until the stop or 24 h come (Q23, C4).

    What is heard of one that stays interrupted makes the estimate grow, and puts nothing off.
    """
    waits = session.due_at if session.state == SessionState.INTERRUPTED else None
    session.state, session.due_at = SessionState.INTERRUPTED, waits or now() + LATE_STOP
    session.stopped_at = session.sampled_at or session.started_at
    watched_until = session.metered_at or now()
    settlement.stop_idling(session, watched_until)
    settlement.pauses(session, watched_until, False)
    session.cost_paise = settlement.cost_of(session, session.stopped_at or now())
    session.estimated = True
    if session.user_id is not None:
        _hold_the_estimate(db, session, session.user_id)
    push.tell(db, session.user_id, push.ENDED, session.ref)
    sessions.changed(db, session)


def _hold_the_estimate(db: Session, session: ChargingSession, user_id: int) -> None:
    """What the smaller hold sets free pays first what is owed.

    A charge can be interrupted again. The version of the arrears grows with every payment, so each has its own key.
    """
    version = wallet.lock(db, wallet.of_driver(user_id))[wallet.due_code(user_id)].version
    wallet.resize_hold(db, session.id, session.cost_paise)
    wallet.pay_owed(db, f"session:{session.id}:interrupted:{version}:arrears", user_id, ref=session.ref)


def resumed(db: Session, session: ChargingSession) -> bool:
    """An interrupted charge goes on: it runs again, with its hold, or goes on being stopped.

    False when its driver or its connector has another charge by now: then it stays an estimate, which grows.
    """
    if _is_replaced(db, session):
        return False
    session.state, session.stopped_at, session.estimated = SessionState.CHARGING, None, False
    session.cost_paise = 0
    # Nobody has followed its pauses meanwhile.
    if (connector := sessions.felt_connector(db, session.charger_id, session.connector_number)) is not None:
        connectors.felt(db, session, connector, now())
    wallet.resize_hold(db, session.id, settings().session_cap_paise)
    session.due_at = allowance.look_again_at(db, session, now())
    if session.stop_cause:
        stops.stop_wanted(db, session, session.stop_cause)
    push.take_back(db, session.user_id, push.ENDED, session.ref)
    sessions.changed(db, session)
    return True


def _is_replaced(db: Session, session: ChargingSession) -> bool:
    on_connector = and_(
        ChargingSession.charger_id == session.charger_id, ChargingSession.connector_number == session.connector_number
    )
    of_driver = and_(col(ChargingSession.user_id).is_not(None), ChargingSession.user_id == session.user_id)
    other = select(ChargingSession.id).where(IS_OPEN, or_(on_connector, of_driver))
    return db.exec(other).first() is not None


def lost(db: Session, at: datetime, since: datetime) -> list[int]:
    """The running charges whose stop was lost (ocpp.md Q23).

    That is: the connector is free again, or the charger booted and neither metered on nor said that it charges, for a
    minute; or it has been out of order, or the charger silent, for 15 minutes, counted from `since` at the earliest,
    when this process began to listen. A board that never said that it charges is believed to be free after 15 minutes
    without a reading, and after one where it was asked to stop; one that names the charge in its readings for ever, as
    EN+ does, once they tell of no power.
    """
    return [row[0].id for row in _on_connectors(db, IS_RUNNING) if _is_lost(db, *row, at, since)]


def interrupt_lost(db: Session, session_id: int, at: datetime, since: datetime) -> bool:
    """Interrupt this charge if its stop is lost indeed; whether it was."""
    session = sessions.taken(db, session_id)
    if session is None:
        return False
    its = col(ChargingSession.id) == session_id
    found = any(_is_lost(db, *row, at, since) for row in _on_connectors(db, IS_RUNNING, its))
    if found:
        interrupt(db, session)
    return found


def found(db: Session, at: datetime) -> list[int]:
    """The interrupted charges that go on without a sample: since the interruption the charger, which is in contact,
    has said that the connector charges, and for a minute nothing else."""
    waiting = IS_NOT_OVER, _INTERRUPTED, col(ChargingSession.due_at) > at
    return [row[0].id for row in _on_connectors(db, *waiting) if _is_found(db, *row, at)]


def resume_found(db: Session, session_id: int, at: datetime) -> bool:
    """Let this charge run again if it does; whether it was so, and no other has taken its place."""
    session = sessions.taken(db, session_id)
    if session is None:
        return False
    its = col(ChargingSession.id) == session_id
    return any(_is_found(db, *row, at) for row in _on_connectors(db, _INTERRUPTED, its)) and resumed(db, session)


def _on_connectors(
    db: Session, *which: ColumnElement[bool] | TextClause
) -> Iterator[tuple[ChargingSession, Charger, Connector]]:
    return iter(
        db.exec(
            select(ChargingSession, Charger, Connector)
            .join(Charger, col(Charger.id) == ChargingSession.charger_id)
            .join(
                Connector,
                and_(
                    col(Connector.charger_id) == ChargingSession.charger_id,
                    col(Connector.number) == ChargingSession.connector_number,
                ),
            )
            .where(*which)
            .order_by(ChargingSession.charger_id, col(ChargingSession.connector_number))
        )
    )


def _is_lost(
    db: Session, session: ChargingSession, charger: Charger, connector: Connector, at: datetime, since: datetime
) -> bool:
    last = max(filter(None, (session.started_received_at, session.metered_at)))
    freed = connector.status in FREED and last < connector.changed_at < at - GRACE
    rebooted = (
        charger.booted_at is not None and last < charger.booted_at < at - GRACE and not _goes_on(connector, charger)
    )
    out_of_order = connector.status in chargers.OUT_OF_ORDER and max(last, connector.changed_at) < at - LOST
    silent = max(charger.heard_at or since, last, since) < at - LOST
    if freed or rebooted or out_of_order or silent:
        return True
    return _is_free_all_along(session, connector, last, at) or _is_left(db, session, connector, at)


def _is_left(db: Session, session: ChargingSession, connector: Connector, at: datetime) -> bool:
    """The connector has become free, and what the charger goes on telling of the charge is that no power flows."""
    patience = GRACE if connector.status == "Available" else LOST
    begun_at = session.started_received_at or at
    if connector.status not in FREED or not begun_at < connector.changed_at < at - patience:
        return False
    last = db.get(MeterSample, session.last_sample_id or 0)
    return last is not None and last.power_w == 0 and last.received_at > connector.changed_at


def is_free(db: Session, session: ChargingSession) -> bool:
    """Whether the connector of a charge says that none runs there."""
    connector = sessions.connector(db, session)
    return connector is not None and connector.status in FREED


def _is_found(db: Session, session: ChargingSession, charger: Charger, connector: Connector, at: datetime) -> bool:
    interrupted_at = (session.due_at or at) - LATE_STOP
    said_at = connector.status_at
    said = connector.status in CHARGES and said_at is not None and interrupted_at < said_at < at - GRACE
    goes_on = said and (charger.booted_at is None or _goes_on(connector, charger))
    return goes_on and chargers.in_contact(charger, at) and not succession.has_next(db, session)


def _goes_on(connector: Connector, charger: Charger) -> bool:
    """Since its boot the charger has said that the connector charges."""
    said_at, booted_at = connector.status_at, charger.booted_at
    return connector.status in CHARGES and said_at is not None and booted_at is not None and booted_at <= said_at


def _is_free_all_along(session: ChargingSession, connector: Connector, last: datetime, at: datetime) -> bool:
    """The connector said after the last reading that it is Available, which is what it had said before."""
    said_at = connector.status_at
    if connector.status != "Available" or said_at is None or said_at <= last:
        return False
    patience = GRACE if session.state == SessionState.STOPPING else LOST
    return said_at < at - GRACE and last < at - patience
