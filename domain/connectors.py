"""What the connectors of a charger report of themselves, and what of it the charge that runs there feels."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from domain import allowance, idling, sessions, settlement
from domain.bulk import Bulk, Row, text
from domain.db import emit
from domain.events import ChargerChanged, SessionChanged
from domain.models import IS_RUNNING, ChargingSession, Connector, SessionState
from domain.patience import counts_once

PAUSES = ("SuspendedEV", "SuspendedEVSE", "Faulted")
"""Statuses of a running charge in which no energy flows."""
BEHIND = timedelta(days=1)
"""How far behind ours a charger's time of a status is believed; one that is ahead would hide those that follow it."""

Plug = tuple[str, int]
"""A charger's identity and the number of one of its connectors."""
Told = dict[str, Any]
"""A report: the arguments of `status`."""
Said = tuple[str, str, str]
"""A status, its error code and its further information."""

_CONNECTOR = Connector.__table__  # type: ignore[attr-defined]
_SESSION = ChargingSession.__table__  # type: ignore[attr-defined]
_CHANGED = """UPDATE connectors SET status = ?, error_code = ?, info = ?, status_at = ?, changed_at = ?
WHERE charger_id = ? AND number = ? AND (status_at IS NULL OR status_at <= ?)"""
_AGAIN = """UPDATE connectors SET status_at = ?
WHERE charger_id = ? AND number = ? AND (status_at IS NULL OR status_at <= ?)"""


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
def report(db: Session, told: Sequence[Told]) -> None:
    """Several reports of states at once; what they are about is read together.

    What no charge feels, a state told again or a new one of a free connector, is written in bulk.
    """
    names = {one["charger_id"] for one in told}
    changed, again, odd = _sorted_out(sorted(told, key=_plug), _known(db, names), _felt(db, names))
    if odd:
        _felt_there(db, odd)
    bulk = Bulk.within(db)
    bulk.many(_CHANGED, [_news(one, bulk.sqlite) for one in changed])
    bulk.many(_AGAIN, [_at(one, bulk.sqlite) for one in again])
    emit(db, *[ChargerChanged(name) for name in sorted({one["charger_id"] for one in changed})])


def _sorted_out(
    told: Sequence[Told], known: dict[Plug, Said], felt: dict[Plug, str | None]
) -> tuple[list[Told], list[Told], list[Told]]:
    """Those of a new state, those told again, and those that a charge may feel or that need a closer look."""
    changed: list[Told] = []
    again: list[Told] = []
    odd: list[Told] = []
    times_told = Counter(map(_plug, told))
    for one in told:
        plug, said = _plug(one), _said(one)
        before = known.get(plug)
        if before is None or times_told[plug] > 1:
            odd.append(one)
        elif said == before and felt.get(plug, _paused(said[0])) == _paused(said[0]):
            again.append(one)
        elif plug in felt or said[0] == before[0] or idling.AFTER_IT in (said[0], before[0]):
            odd.append(one)
        else:
            changed.append(one)
    return changed, again, odd


def _felt_there(db: Session, told: Sequence[Told]) -> None:
    names = sorted({one["charger_id"] for one in told})
    running = _running(db, names)
    there = _there(db, names)
    for one in told:
        plug = _plug(one)
        if plug not in there:
            there[plug] = Connector(charger_id=plug[0], number=plug[1])
            db.add(there[plug])
        _reported(db, there[plug], running[plug], one)


def _plug(told: Told) -> Plug:
    return told["charger_id"], told["connector_number"]


def _said(told: Told) -> Said:
    return told["status"], told["error_code"], told["info"]


def _at(told: Told, sqlite: bool) -> Row:
    at = text(_moment(told), sqlite)
    return at, *_plug(told), at


def _news(told: Told, sqlite: bool) -> Row:
    at, *rest = _at(told, sqlite)
    return *_said(told), at, text(told["received_at"], sqlite), *rest


def _moment(told: Told) -> datetime:
    """When it was so, by the charger's clock where that is believed."""
    at: datetime | None = told["at"]
    received_at: datetime = told["received_at"]
    return at if at is not None and received_at - BEHIND < at < received_at else received_at


def _reported(db: Session, connector: Connector, running: list[ChargingSession], told: Told) -> None:
    status, received_at, moment = told["status"], told["received_at"], _moment(told)
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
        paused = session.suspended
        felt(db, session, connector, received_at)
        if paused and not session.suspended and session.state == SessionState.CHARGING:
            session.due_at = allowance.look_again_at(db, session, received_at)
        emit(db, SessionChanged(session.id, session.charger_id, session.user_id, session.state))
    emit(db, ChargerChanged(connector.charger_id))


def felt(db: Session, session: ChargingSession, connector: Connector, at: datetime) -> None:
    """What the connector says is so of the charge that runs there: whether energy may flow, and whether it idles."""
    idle_since = session.idle_since
    session.suspended = _paused(connector.status)
    settlement.pauses(session, at, bool(session.suspended))
    idling.told(session, connector.status, at)
    if session.idle_since != idle_since:
        idling.warn(db, session)


def freed(db: Session, session: ChargingSession) -> bool:
    """Whether the connector has become free since the last news of the charge: it has ended, and its stop is on its way
    or lost (interruptions.lost)."""
    connector, news_at = sessions.connector(db, session), session.metered_at or session.started_received_at
    if connector is None or news_at is None:
        return False
    return connector.status == "Available" and connector.changed_at > news_at


def cabled(db: Session, session: ChargingSession) -> bool:
    """Whether a cable was in a car when its driver asked for the charge; of a Preparing that came later nobody knows
    whether it says more than that he asked (OCPP 1.6, 4.9)."""
    connector = sessions.connector(db, session)
    return connector is not None and connector.status == "Preparing" and connector.changed_at <= session.requested_at


def _paused(status: str) -> str:
    """Why no energy flows in a charge that runs there; empty where it may."""
    return status if status in PAUSES else ""


def _known(db: Session, charger_ids: Collection[str]) -> dict[Plug, Said]:
    """What these chargers' connectors said last; nobody else writes what they say before this transaction ends.

    A charger that came to another process tells there what follows, while the first still writes what was before.
    """
    c = _CONNECTOR.c
    columns = c.charger_id, c.number, c.status, c.error_code, c.info
    theirs = _CONNECTOR.select().with_only_columns(*columns).where(c.charger_id.in_(charger_ids))
    found = db.execute(theirs.order_by(c.charger_id, c.number).with_for_update(key_share=True))
    return {(charger_id, number): (status, code, info) for charger_id, number, status, code, info in found}


def _felt(db: Session, charger_ids: Collection[str]) -> dict[Plug, str | None]:
    """The pause of each charge that runs there; None where more of it hangs on what its connector says."""
    c = _SESSION.c
    columns = c.charger_id, c.connector_number, c.suspended, c.terms
    of_chargers = _SESSION.select().with_only_columns(*columns).where(c.charger_id.in_(charger_ids))
    found: dict[Plug, str | None] = {}
    for charger_id, number, suspended, terms in db.execute(of_chargers.where(IS_RUNNING)):
        plug = charger_id, number
        found[plug] = suspended if terms is None and plug not in found else None
    return found


def _running(db: Session, charger_ids: Sequence[str]) -> defaultdict[Plug, list[ChargingSession]]:
    """The running charges of these chargers, locked before anything else of them."""
    found: defaultdict[Plug, list[ChargingSession]] = defaultdict(list)
    for session in db.exec(
        select(ChargingSession)
        .where(col(ChargingSession.charger_id).in_(charger_ids), IS_RUNNING)
        .order_by(col(ChargingSession.id))
        .with_for_update()
    ):
        found[session.charger_id, session.connector_number].append(session)
    return found


def _there(db: Session, charger_ids: Sequence[str]) -> dict[Plug, Connector]:
    found = db.exec(select(Connector).where(col(Connector.charger_id).in_(charger_ids)))
    return {(connector.charger_id, connector.number): connector for connector in found}
