"""Recharges that the gateway knows and the books do not, since an older backup was restored (docs/backup.md)."""

import re

from sqlmodel import Session

from domain import recharges
from domain.models import RechargeOrder, User, now
from domain.recharges import OrderStatus

_OURS = re.compile(r"RCH-[0-9a-f]{32}")
"""What `placing.place` names an order: the merchant may have other shops, whose orders the gateway knows, too."""


class NotAdopted(ValueError):
    """An order that the books cannot take in; the argument is a sentence for the operator."""


def adopt(
    db: Session, merchant_order_id: str, user_id: int, status: OrderStatus, *, registered_again: bool = False
) -> None:
    """Take in a recharge that was paid after the backup that was restored: it is credited as every other, once.

    Raises:
        NotAdopted: it is known here, it was not paid, or it is not this driver's; nothing was moved.
    """
    if known := recharges.found(db, merchant_order_id):
        raise NotAdopted(f"{merchant_order_id} is known here: it is {known.state}. Nothing was moved.")
    if not _OURS.fullmatch(merchant_order_id):
        raise NotAdopted(f"{merchant_order_id} is no recharge of this app. Nothing was moved.")
    if status.state != "COMPLETED" or not status.amount_paise:
        raise NotAdopted(f"PhonePe says {status.state} of {merchant_order_id}; there is nothing to credit.")
    _refuse_another(db, db.get_one(User, user_id), status, registered_again)
    moment = now()
    db.add(
        RechargeOrder(
            merchant_order_id=merchant_order_id,
            user_id=user_id,
            amount_paise=status.amount_paise,
            client_nonce=merchant_order_id,
            created_at=status.paid_at or moment,
            expires_at=status.paid_at or moment,
        )
    )
    db.flush()
    recharges.apply(db, merchant_order_id, status)


def payer(db: Session, status: OrderStatus) -> User | None:
    """The driver whose number the gateway names, if he had it when it was paid: a restored older backup does not know
    which numbers were given since, and gives them again."""
    user = db.get(User, status.user_id) if status.user_id else None
    return user if user is not None and _was_here(user, status) else None


def _was_here(user: User, status: OrderStatus) -> bool:
    return status.paid_at is None or user.created_at <= status.paid_at


def _refuse_another(db: Session, user: User, status: OrderStatus, registered_again: bool) -> None:
    theirs = payer(db, status)
    if theirs is not None and theirs.id != user.id:
        raise NotAdopted(f"PhonePe names {theirs.username}, number {theirs.id}, as its driver. Nothing was moved.")
    if not _was_here(user, status) and not registered_again:
        raise NotAdopted(
            f"{user.username}'s account began after this payment. If it is the same person, who registered again, "
            "say so: --registered-again. Nothing was moved."
        )
    if _was_here(user, status) and status.user_id not in (None, user.id):
        raise NotAdopted(
            f"PhonePe names number {status.user_id} as its driver; {user.username} is number {user.id}. "
            "Nothing was moved."
        )
