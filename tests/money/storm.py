"""One process of a storm: every event of two drivers, shuffled, twice, so that processes get in each other's way."""

import random
import sys
from functools import partial
from typing import Any

from sqlmodel import Session

from domain import placing, recharges, refunds, wallet
from domain.db import Database
from domain.models import HoldState, OrderState, RechargeOrder
from domain.recharges import OrderStatus, RefundStatus
from domain.wallet import Balance

COST = 1_234
BACK = 700
"""Of each recharge goes back to where it was paid from."""
RECHARGE = 50_000


def expected(start: int, recharges_each: int, charges: int) -> Balance:
    """What each driver has in the end, however often and in whatever order it happened."""
    return Balance(start + recharges_each * (RECHARGE - BACK) - charges // 2 * COST, 0, 0)


def paid(db: Session, user_id: int, nonce: str) -> RechargeOrder:
    order = placing.place(db, user_id, RECHARGE, nonce)
    status = OrderStatus(f"OMO{nonce}", "COMPLETED", RECHARGE, "", "", "", "", {"nonce": nonce})
    recharges.apply(db, order.merchant_order_id, status)
    assert order.state == OrderState.CREDITED
    return order


def paid_back(db: Session, user_id: int, nonce: str) -> None:
    """Every step of a refund in one transaction, some of which others have done."""
    order = paid(db, user_id, nonce)
    key = f"{order.merchant_order_id}:back"
    refund_id = refunds.request(db, order.merchant_order_id, BACK, key=key, reason="storm").merchant_refund_id
    refunds.sending(db, refund_id)
    refunds.apply(db, refund_id, RefundStatus(f"OMR{nonce}", "COMPLETED", BACK, "", {"nonce": nonce}))


def charged(db: Session, user_id: int, session_id: int) -> None:
    """Hold, release and debit in one transaction, as a settlement does."""
    wallet.rehold(db, session_id, user_id, at_most=2 * COST)
    wallet.release(db, session_id, HoldState.SETTLED)
    postings = {wallet.wallet_code(user_id): -COST, wallet.REVENUE: COST - 200, wallet.GST: 200}
    wallet.post(db, f"storm:{session_id}", "charging", postings)


def events(first: int, second: int, recharges_each: int, charges: int) -> list[Any]:
    """Sessions 1 to `charges`: odd ones of the second driver, even ones of the first."""
    return [
        *(
            partial(work, user_id=user, nonce=f"n{n}")
            for work in (paid, paid_back)
            for user in (first, second)
            for n in range(recharges_each)
        ),
        *(partial(charged, user_id=second if n % 2 else first, session_id=n) for n in range(1, charges + 1)),
    ]


def main(url: str, seed: str, first: str, second: str, recharges_each: str, charges: str) -> None:
    todo = events(int(first), int(second), int(recharges_each), int(charges)) * 2
    random.Random(int(seed)).shuffle(todo)
    database = Database(url)
    for event in todo:
        database.now(event)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
