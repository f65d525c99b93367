"""Money that was paid with another amount than ordered: an operator sets it aside, then gives it its driver (R11)."""

from sqlmodel import Session, col, select

from domain import wallet
from domain.models import Entry, OrderState, RechargeOrder, Transfer
from domain.recharges import OrderStatus
from domain.sentences import ANOTHER_AMOUNT


class NotSetAside(ValueError):
    """There is nothing to set aside or to give; the argument is a sentence for the operator."""


def set_aside(db: Session, merchant_order_id: str, status: OrderStatus) -> Transfer:
    """Book what the gateway says it took for a mismatched order: from the gateway to suspense, once.

    Raises:
        NotSetAside: the order is not mismatched, or the gateway does not say that it was paid.
        wallet.LedgerConflict: another amount was set aside for it before.
    """
    order = _mismatched(db, merchant_order_id)
    if status.state != "COMPLETED" or not status.amount_paise:
        raise NotSetAside(f"PhonePe says {status.state or 'nothing'} of {merchant_order_id}; there is nothing to book.")
    postings = {wallet.GATEWAY: -status.amount_paise, wallet.SUSPENSE: status.amount_paise}
    key = f"suspense:{order.merchant_order_id}"
    return wallet.post(db, key, "adjustment", postings, ref=merchant_order_id, description="Paid with another amount")


def give(db: Session, merchant_order_id: str) -> Transfer:
    """Give the driver what was set aside, once; arrears first, as with every recharge.

    Raises:
        NotSetAside: the order is not mismatched, or nothing was set aside for it.
    """
    order = _mismatched(db, merchant_order_id)
    amount = aside(db, merchant_order_id)
    if amount is None:
        raise NotSetAside(f"Nothing was set aside for {merchant_order_id}.")
    given = wallet.credit(
        db,
        f"suspense:{merchant_order_id}:given",
        order.user_id,
        amount,
        source=wallet.SUSPENSE,
        kind="adjustment",
        ref=merchant_order_id,
        description=ANOTHER_AMOUNT,
    )
    wallet.fund_open_hold(db, order.user_id)
    return given


def aside(db: Session, merchant_order_id: str) -> int | None:
    """Paise that were set aside for an order; None before they are."""
    of_order = (
        select(Entry.amount_paise)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Transfer.idem_key == f"suspense:{merchant_order_id}", Entry.account_code == wallet.SUSPENSE)
    )
    return db.exec(of_order).first()


def _mismatched(db: Session, merchant_order_id: str) -> RechargeOrder:
    named = select(RechargeOrder).where(RechargeOrder.merchant_order_id == merchant_order_id)
    order = db.exec(named.with_for_update()).first()
    if order is None or order.state != OrderState.MISMATCH:
        raise NotSetAside(f"There is no recharge {merchant_order_id} that was paid with another amount.")
    return order
