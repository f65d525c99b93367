"""A driver's wish to add money: refused, or written down as an order before any gateway hears of it."""

import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from domain import poll_schedule
from domain.models import ORDER_OPEN, RechargeOrder, User, now
from domain.money import plain_rupees
from domain.sentences import Sentence
from domain.settings import settings

PAY_WITHIN = timedelta(minutes=15)
"""How long an order may be paid when the gateway does not say."""
OPEN_AT_ONCE = 20
"""Orders one driver may have waiting for payment; each of them is asked about dozens of times."""


class RechargeRefused(ValueError):
    """An order that the rules do not allow; the argument is a sentence for the driver."""


def place(db: Session, user_id: int, amount_paise: int, nonce: str) -> RechargeOrder:
    """Write the order down before any gateway hears of it; the same nonce gives the same order again (D4, R23).

    Raises:
        RechargeRefused: an amount outside the limits, a blocked driver, too many orders open, a nonce used before
            for another amount; nothing was written.
    """
    _refuse_amount(amount_paise)
    if not 0 < len(nonce) <= 64:
        raise RechargeRefused(Sentence("Load this page again, then choose the amount once more. Nothing was charged."))
    if known := db.exec(
        select(RechargeOrder).where(RechargeOrder.user_id == user_id, RechargeOrder.client_nonce == nonce)
    ).first():
        if known.amount_paise != amount_paise:
            raise RechargeRefused(Sentence("Load this page again to add another amount. Nothing was charged."))
        return known
    moment = now()
    _refuse_driver(db, user_id, moment)
    order = RechargeOrder(
        merchant_order_id=f"RCH-{secrets.token_hex(16)}",
        user_id=user_id,
        amount_paise=amount_paise,
        client_nonce=nonce,
        created_at=moment,
        expires_at=moment + PAY_WITHIN,
        due_at=moment + PAY_WITHIN + poll_schedule.GRACE,
    )
    db.add(order)
    db.flush()
    return order


def _refuse_amount(amount_paise: int) -> None:
    least, most = settings().recharge_min_paise, settings().recharge_max_paise
    if type(amount_paise) is not int or amount_paise < least:
        raise RechargeRefused(Sentence("The least you can add is {sum}.", sum=_short(least)))
    if amount_paise > most:
        raise RechargeRefused(Sentence("The most you can add at once is {sum}.", sum=_short(most)))


def _refuse_driver(db: Session, user_id: int, moment: datetime) -> None:
    """One order of his at a time: two at once would not see each other."""
    driver = db.get_one(User, user_id, with_for_update={"key_share": True})
    if driver.blocked_at is not None:
        raise RechargeRefused(
            Sentence("This account is blocked. Write to us and we will look at it. Nothing was charged.")
        )
    waiting = db.exec(
        select(func.count())
        .select_from(RechargeOrder)
        .where(RechargeOrder.user_id == user_id, col(RechargeOrder.state).in_(ORDER_OPEN))
        .where(col(RechargeOrder.expires_at) > moment)
    ).one()
    if waiting >= OPEN_AT_ONCE:
        raise RechargeRefused(
            Sentence("Too many of your payments are still open. Try again in 15 minutes. Nothing was charged.")
        )


def _short(paise: int) -> str:
    return plain_rupees(paise).removesuffix(".00")
