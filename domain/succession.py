"""The next charge at a connector: what the register counts from its start on is its own, whatever number is named."""

from sqlmodel import Session, col, select

from domain.models import ChargingSession

JITTER_WH = 100
"""A register that differs by so little was rounded."""


def next_of(db: Session, session: ChargingSession, register: int | None) -> ChargingSession | None:
    """Whose reading this is that names a charge whose stop was lost: of the charge that began at its connector after it
    and before this register; None where there is none, or its register is another one (ocpp.md Q22, Q24).

    Some chargers go on naming the number of a charge that is over: its driver would pay for the next one's energy, too.
    A register that began at zero tells no two charges apart.
    """
    if register is None or not session.estimated:
        return None
    began_at, last_wh = session.started_received_at, max(1, session.meter_wh or 0)
    there = (
        ChargingSession.charger_id == session.charger_id,
        ChargingSession.connector_number == session.connector_number,
        ChargingSession.id != session.id,
    )
    after = col(ChargingSession.started_received_at) > began_at
    between = col(ChargingSession.meter_start_wh).between(last_wh, register - JITTER_WH)
    newest = col(ChargingSession.meter_start_wh).desc(), col(ChargingSession.id).desc()
    return db.exec(select(ChargingSession).where(*there, after, between).order_by(*newest)).first()


def has_next(db: Session, session: ChargingSession) -> bool:
    """Whether another charge has begun at its connector since it began: what that says is said of the other one."""
    later = select(ChargingSession.id).where(
        ChargingSession.charger_id == session.charger_id,
        ChargingSession.connector_number == session.connector_number,
        ChargingSession.id != session.id,
        col(ChargingSession.started_at) > session.started_at,
    )
    return db.exec(later.limit(1)).first() is not None
