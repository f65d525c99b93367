"""Telling a driver, once, that a charger he waits for is free."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, func, select

from domain import chargers, offers, push
from domain.chargers import FREE, ChargerUnknown
from domain.db import emit
from domain.events import ChargerFreed
from domain.models import VacancyWish, now
from domain.sentences import Sentence

WAIT = timedelta(hours=12)
"""So long somebody waits, and so long what he was told is shown."""
MOST = 10
"""Chargers that one driver waits for."""


class TooMany(Exception):
    """The text is a sentence for the driver."""


def wish(db: Session, user_id: int, charger_id: str) -> datetime:
    """Wait for a charger from now on; gives until when. Whoever waits already waits anew.

    Raises:
        ChargerUnknown: there is no such charger.
        TooMany: the driver waits for MOST of them.
    """
    chargers.info(db, charger_id)
    moment = now()
    db.exec(delete(VacancyWish).where(col(VacancyWish.expires_at) <= moment))
    row = db.get(VacancyWish, (user_id, charger_id), with_for_update=True)  # nobody tells him meanwhile
    if row is None and db.exec(select(func.count()).where(VacancyWish.user_id == user_id)).one() >= MOST:
        raise TooMany(Sentence("You are waiting for {count} chargers already. Cancel one of them first.", count=MOST))
    row = row or VacancyWish(user_id=user_id, charger_id=charger_id, expires_at=moment)
    row.created_at, row.expires_at, row.told_at = moment, moment + WAIT, None
    db.add(row)
    db.flush()
    push.take_back(db, user_id, push.FREED, charger_id)
    return row.expires_at


def forget(db: Session, user_id: int, charger_id: str) -> None:
    """Wait no longer, or put away what was told."""
    db.exec(delete(VacancyWish).where(col(VacancyWish.user_id) == user_id, col(VacancyWish.charger_id) == charger_id))


def waits_until(db: Session, user_id: int, charger_id: str) -> datetime | None:
    """Until when the driver waits for this charger; None when he does not, or was told."""
    row = db.get(VacancyWish, (user_id, charger_id))
    waits = row is not None and row.told_at is None and row.expires_at > now()
    return row.expires_at if row is not None and waits else None


def told(db: Session, user_id: int) -> Sequence[VacancyWish]:
    """What the driver was told and has not put away, the newest first."""
    return db.exec(
        select(VacancyWish)
        .where(VacancyWish.user_id == user_id, col(VacancyWish.expires_at) > now())
        .where(col(VacancyWish.told_at).is_not(None))
        .order_by(col(VacancyWish.told_at).desc())
    ).all()


def waiting(db: Session, user_id: int) -> Sequence[VacancyWish]:
    """What the driver waits for, the first to end first."""
    return db.exec(
        select(VacancyWish)
        .where(VacancyWish.user_id == user_id, col(VacancyWish.expires_at) > now())
        .where(col(VacancyWish.told_at).is_(None))
        .order_by(col(VacancyWish.expires_at), col(VacancyWish.charger_id))
    ).all()


def freed(db: Session, at: datetime) -> list[str]:
    """Chargers that are free and somebody waits for."""
    wished = (
        select(VacancyWish.charger_id)
        .where(col(VacancyWish.told_at).is_(None), col(VacancyWish.expires_at) > at)
        .distinct()
        .order_by(VacancyWish.charger_id)
    )
    return [view.id for view in offers.of(db, db.exec(wished).all()) if view.state == FREE]


def tell(db: Session, charger_id: str, at: datetime) -> int:
    """Tell everybody who waits for this charger, if it is free; gives how many. Nobody is told twice."""
    if not _is_free(db, charger_id):
        return 0
    rows = db.exec(
        select(VacancyWish)
        .where(VacancyWish.charger_id == charger_id, col(VacancyWish.told_at).is_(None))
        .where(col(VacancyWish.expires_at) > at)
        .order_by(col(VacancyWish.user_id))
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.told_at, row.expires_at = at, at + WAIT
        emit(db, ChargerFreed(row.user_id, charger_id))
        push.tell(db, row.user_id, push.FREED, charger_id)
    return len(rows)


def _is_free(db: Session, charger_id: str) -> bool:
    try:
        return chargers.view(db, charger_id).state == FREE
    except ChargerUnknown:
        return False
