"""The chargers that a driver wants at hand."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from domain import chargers
from domain.models import Charger, Favourite
from domain.sentences import Sentence

MOST = 20
"""Of one driver: each is looked after on his home page."""


class TooMany(Exception):
    """The text is a sentence for the driver."""


def of(db: Session, user_id: int) -> Sequence[str]:
    """IDs of the driver's favourites that are in service, the newest first."""
    return db.exec(
        select(Favourite.charger_id)
        .join(Charger, col(Charger.id) == Favourite.charger_id)
        .where(Favourite.user_id == user_id, col(Charger.retired_at).is_(None))
        .order_by(col(Favourite.created_at).desc(), Favourite.charger_id)
    ).all()


def is_one(db: Session, user_id: int, charger_id: str) -> bool:
    """Whether this charger is one of the driver's favourites."""
    return db.get(Favourite, (user_id, charger_id)) is not None


def mark(db: Session, user_id: int, charger_id: str, wanted: bool) -> None:
    """Make a charger a favourite, or one no longer; a second time changes nothing.

    Raises:
        ChargerUnknown: there is no such charger.
        TooMany: the driver has MOST of them.
    """
    chargers.info(db, charger_id)
    row = db.get(Favourite, (user_id, charger_id))
    if row is not None and not wanted:
        db.delete(row)
    if row is None and wanted:
        count = db.exec(select(func.count()).where(Favourite.user_id == user_id)).one()
        if count >= MOST:
            raise TooMany(Sentence("You have {count} favourites. Take the star off one of them first.", count=MOST))
        db.add(Favourite(user_id=user_id, charger_id=charger_id))
    db.flush()
