"""What the connectors of a charger report of themselves, and what of it the charge that runs there feels."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from domain import allowance, idling
from domain.db import emit
from domain.events import ChargerChanged, SessionChanged
from domain.models import IS_OPEN, RUNNING, ChargingSession, Connector, SessionState
from domain.patience import counts_once

PAUSES = ("SuspendedEV", "SuspendedEVSE", "Faulted")
"""Statuses of a running charge in which no energy flows."""
BEHIND = timedelta(days=1)
"""How far behind ours a charger's time of a status is believed; one that is ahead would hide those that follow it."""

Plug = tuple[str, int]
"""A charger's identity and the number of one of its connectors."""


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
    told = {"status": status, "error_code": error_code, "info": info, "at": at, "received_at": received_at}
    report(db, [{"charger_id": charger_id, "connector_number": connector_number, **told}])


@counts_once
def report(db: Session, told: Sequence[dict[str, Any]]) -> None:
    """Several reports of states at once, each as the arguments of `status`; what they are about is read together."""
    names = sorted({one["charger_id"] for one in told})
    running = _running(db, names)
    there = _there(db, names)
    for one in sorted(told, key=lambda one: str(one["charger_id"])):
        plug = one["charger_id"], one["connector_number"]
        if plug not in there:
            there[plug] = Connector(charger_id=plug[0], number=plug[1])
            db.add(there[plug])
        _reported(db, there[plug], running[plug], one)


def _reported(db: Session, connector: Connector, running: list[ChargingSession], told: dict[str, Any]) -> None:
    status, at, received_at = told["status"], told["at"], told["received_at"]
    moment = at if at is not None and received_at - BEHIND < at < received_at else received_at
    if connector.status_at is not None and moment < connector.status_at:
        return
    if not running and status != connector.status and idling.AFTER_IT in (status, connector.status):
        idling.told_after(db, connector.charger_id, connector.number, status, received_at)
    if status != connector.status:
        for session in running:
            session.unheard_wh = allowance.unheard_wh(db, session, received_at)
        connector.changed_at = received_at
    connector.status, connector.error_code, connector.info = status, told["error_code"], told["info"]
    connector.status_at = moment
    for session in running:
        paused, session.suspended = session.suspended, pause(connector)
        idling.told(session, status, received_at)
        if paused and not session.suspended and session.state == SessionState.CHARGING:
            session.due_at = allowance.look_again_at(db, session, received_at)
        emit(db, SessionChanged(session.id or 0, session.charger_id, session.user_id, session.state))
    emit(db, ChargerChanged(connector.charger_id))


def pause(connector: Connector | None) -> str:
    """Why no energy flows in a charge that runs there; empty where it may."""
    return connector.status if connector is not None and connector.status in PAUSES else ""


def _running(db: Session, charger_ids: Sequence[str]) -> defaultdict[Plug, list[ChargingSession]]:
    """The running charges of these chargers, locked before anything else of them."""
    found: defaultdict[Plug, list[ChargingSession]] = defaultdict(list)
    for session in db.exec(
        select(ChargingSession)
        .where(col(ChargingSession.charger_id).in_(charger_ids), IS_OPEN, col(ChargingSession.state).in_(RUNNING))
        .order_by(col(ChargingSession.id))
        .with_for_update()
    ):
        found[session.charger_id, session.connector_number].append(session)
    return found


def _there(db: Session, charger_ids: Sequence[str]) -> dict[Plug, Connector]:
    found = db.exec(select(Connector).where(col(Connector.charger_id).in_(charger_ids)))
    return {(connector.charger_id, connector.number): connector for connector in found}
