"""Money that was paid with another amount than ordered: an operator sets it aside, then gives it its driver (R11)."""

from sqlmodel import Session, col, select

from domain import findings, wallet
from domain.models import Entry, OrderState, RechargeOrder, Transfer
from domain.money import plain_rupees
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
    key = _key(order.merchant_order_id)
    words, paid_at = "Paid with another amount", status.paid_at
    return wallet.post(db, key, "adjustment", postings, ref=merchant_order_id, description=words, event_at=paid_at)


def give(db: Session, merchant_order_id: str) -> None:
    """Give the driver what was set aside, once; arrears first, as with every recharge. Who has left cannot come for it.

    Raises:
        NotSetAside: the order is not mismatched, or nothing was set aside for it.
    """
    order = _mismatched(db, merchant_order_id)
    amount = aside(db, merchant_order_id)
    if amount is None:
        raise NotSetAside(f"Nothing was set aside for {merchant_order_id}.")
    again = is_given(db, merchant_order_id)
    wallet.credit(
        db,
        _given_key(merchant_order_id),
        order.user_id,
        amount,
        source=wallet.SUSPENSE,
        kind="adjustment",
        ref=merchant_order_id,
        description=ANOTHER_AMOUNT,
    )
    wallet.fund_open_hold(db, order.user_id)
    if not again:
        findings.refund_due(db, order.user_id, merchant_order_id, f"{plain_rupees(amount)} came in for")


def unfinished(db: Session, user_id: int) -> list[RechargeOrder]:
    """Where a driver has paid another amount that is neither his yet nor, as an operator says, anywhere else; newest
    first.

    What was set aside ends by being given; what never was, in the eyes of whoever resolved its finding.
    """
    mismatched = select(RechargeOrder).where(
        RechargeOrder.user_id == user_id, RechargeOrder.state == OrderState.MISMATCH
    )
    orders = db.exec(mismatched.order_by(col(RechargeOrder.id).desc())).all()
    return [order for order in orders if _waits(db, order.merchant_order_id)]


def aside(db: Session, merchant_order_id: str) -> int | None:
    """Paise that were set aside for an order; None before they are."""
    of_order = (
        select(Entry.amount_paise)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Transfer.idem_key == _key(merchant_order_id), Entry.account_code == wallet.SUSPENSE)
    )
    return db.exec(of_order).first()


def _mismatched(db: Session, merchant_order_id: str) -> RechargeOrder:
    named = select(RechargeOrder).where(RechargeOrder.merchant_order_id == merchant_order_id)
    order = db.exec(named.with_for_update()).first()
    if order is None or order.state != OrderState.MISMATCH:
        raise NotSetAside(f"There is no recharge {merchant_order_id} that was paid with another amount.")
    return order


def _waits(db: Session, merchant_order_id: str) -> bool:
    if aside(db, merchant_order_id) is None:
        return findings.waits(db, "mismatch", merchant_order_id)
    return not is_given(db, merchant_order_id)


def is_given(db: Session, merchant_order_id: str) -> bool:
    """Whether its driver has it."""
    return wallet.posted(db, _given_key(merchant_order_id)) is not None


def _key(merchant_order_id: str) -> str:
    return f"suspense:{merchant_order_id}"


def _given_key(merchant_order_id: str) -> str:
    return f"{_key(merchant_order_id)}:given"
