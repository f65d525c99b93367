"""What the connectors of a charger report of themselves, and what of it the charge that runs there feels."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from domain import idling
from domain.db import emit
from domain.events import ChargerChanged, SessionChanged
from domain.models import RUNNING, ChargingSession, Connector
from domain.patience import counts_once

PAUSES = ("SuspendedEV", "SuspendedEVSE", "Faulted")
"""Statuses of a running charge in which no energy flows."""
CLOCK = timedelta(minutes=5), timedelta(days=1)
"""How far ahead of ours, and how far behind, a charger's time of a status is believed."""


def status(
    db: Session,
    charger_id: str,
    *,
    connector_number: int,
    status: str,
    error_code: str,
    info: str,
    at: datetime | None,
    received_at: datetime,
) -> None:
    """A connector reports its state; a report older than the last one is left out (ocpp.md Q26)."""
    running = [s for s in _running(db, charger_id) if s.connector_number == connector_number]
    connector = db.get(Connector, (charger_id, connector_number)) or Connector(
        charger_id=charger_id, number=connector_number
    )
    ahead, behind = CLOCK
    moment = at if at is not None and received_at - behind < at < received_at + ahead else received_at
    if connector.status_at is not None and moment < connector.status_at:
        return
    if not running and status != connector.status and idling.AFTER_IT in (status, connector.status):
        idling.told_after(db, charger_id, connector_number, status, received_at)
    if status != connector.status:
        connector.changed_at = received_at
    connector.status, connector.error_code, connector.info = status, error_code, info
    connector.status_at = moment
    db.add(connector)
    for session in running:
        session.suspended = status if status in PAUSES else ""
        idling.told(session, status, received_at)
        db.add(session)
        emit(db, SessionChanged(session.id or 0, charger_id, session.user_id, session.state))
    emit(db, ChargerChanged(charger_id))


@counts_once
def report(db: Session, told: Sequence[dict[str, Any]]) -> None:
    """Several reports of states at once, each as the arguments of `status`."""
    for one in sorted(told, key=lambda one: str(one["charger_id"])):
        status(db, **one)


def _running(db: Session, charger_id: str) -> list[ChargingSession]:
    """Its running charges, locked before anything else of it."""
    return list(
        db.exec(
            select(ChargingSession)
            .where(ChargingSession.charger_id == charger_id, col(ChargingSession.state).in_(RUNNING))
            .order_by(col(ChargingSession.id))
            .with_for_update()
        )
    )
