"""What a browser shows while evapp is closed: the words that an open page has for it, and where a press leads."""

from urllib.parse import quote

from sqlmodel import Session

from domain import history, push, recharges, settlement, shortage, wallet
from domain.models import OrderState, SessionState, VacancyWish, now
from domain.pushes import Notice
from domain.settings import settings
from evapp.texts import at, news, speaking
from evapp.texts.languages import LANGUAGES

Said = tuple[str, str] | None
"""A sentence and the path of its page; None where it is not so any more."""


def message(db: Session, notice: Notice) -> dict[str, str] | None:
    """Options of showNotification(), in the driver's language; None where there is nothing left to tell.

    One of the same words takes the place of the one before, so an open page's own notice and this are one.
    """
    with speaking(LANGUAGES[notice.language]):
        said = SAYS[notice.kind](db, notice.user_id, notice.ref)
        if said is None:
            return None
        text, path = said
        return {
            "body": text,
            "tag": text,
            "icon": "/icons/icon-192.png",
            "badge": "/icons/favicon-48.png",
            "data": settings().url + at(path),
        }


def _ended(db: Session, user_id: int, ref: str) -> Said:
    charge = history.one(db, user_id, ref)
    if charge.session.state not in history.PAST:
        return None
    cancelled = charge.session.state == SessionState.CANCELLED
    return news.ended(charge), _charger(charge.session.charger_id) if cancelled else f"/history/{ref}"


def _added(db: Session, user_id: int, ref: str) -> Said:
    order = recharges.owned(db, user_id, ref)
    return (news.added(order.amount_paise), "/wallet") if order.state == OrderState.CREDITED else None


def _freed(db: Session, user_id: int, ref: str) -> Said:
    wish = db.get(VacancyWish, (user_id, ref))
    if wish is None or wish.told_at is None:
        return None
    return news.freed(ref, wish.told_at), _charger(ref)


def _low(db: Session, user_id: int, ref: str) -> Said:
    charge = history.current(db, user_id)
    if charge is None or charge.session.ref != ref or not shortage.is_short(db, charge.session, now()):
        return None
    left_paise = charge.held_paise - charge.cost_paise
    per_hour_paise = settlement.price_of(charge.session).pace(charge.session.power_w)
    cap_paise = charge.cap_paise if wallet.balance(db, user_id).free_paise else 0
    return news.running_short(left_paise, per_hour_paise, cap_paise), _charger(charge.session.charger_id)


def _idle(db: Session, user_id: int, ref: str) -> Said:
    session = history.one(db, user_id, ref).session
    return (news.idling(session), _charger(session.charger_id)) if session.idle_since is not None else None


def _charger(charger_id: str) -> str:
    return f"/c/{quote(charger_id, safe='')}"


SAYS = {push.ENDED: _ended, push.ADDED: _added, push.FREED: _freed, push.LOW: _low, push.IDLE: _idle}
