"""Asks the gateway again about what was decided lately: do its words of today fit our books (payments.md 2.4 B)?"""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain import funnel, recharges, refunds
from domain.db import read, transact
from domain.models import OrderState, RechargeOrder, Refund, RefundState
from domain.money import plain_rupees
from domain.recharges import GatewayUnavailable, OrderStatus, OrderUnknown, PaymentGateway, RefundStatus
from domain.reconciliation import Discrepancy

LATELY = timedelta(hours=48)
"""Two nights: what one run could not ask, the next one can."""
PAGE = 100
PATIENCE = 5
"""Silences in a row after which the rest is left to the next run."""


@dataclass
class Answers:
    """How many the gateway was asked about, how many it said nothing of, and what does not fit."""

    asked: int = 0
    unanswered: int = 0
    found: list[Discrepancy] = field(default_factory=list)


async def recheck(gateway: PaymentGateway, since: datetime) -> Answers:
    """Ask about every recharge and refund that ended since then. Nothing is changed here; money that the gateway took
    and we did not credit goes the way of all money, through the funnel, and is a discrepancy all the same."""
    answers, silences = Answers(), 0
    async with aclosing(_questions(gateway, since)) as questions:
        async for what, ask in questions:
            answers.asked += 1
            try:
                verdict = await ask
            except GatewayUnavailable:
                answers.unanswered += 1
                silences += 1
                if silences == PATIENCE:
                    break
                continue
            silences = 0
            if verdict:
                answers.found.append(Discrepancy(f"gateway-{verdict[0]}", what, verdict[1]))
    return answers


Verdict = tuple[str, str] | None
"""What does not fit, and in words; nothing when all does."""


async def _questions(gateway: PaymentGateway, since: datetime) -> AsyncGenerator[tuple[str, Awaitable[Verdict]]]:
    last = 0
    while orders := await read(_ended_orders, since, last):
        for order in orders:
            yield order.merchant_order_id, _order(gateway, order)
        last = orders[-1].id
    last = 0
    while ended := await read(_ended_refunds, since, last):
        for refund in ended:
            yield refund.merchant_refund_id, _refund(gateway, refund)
        last = ended[-1].id


def _ended_orders(db: Session, since: datetime, after: int) -> list[RechargeOrder]:
    ended = select(RechargeOrder).where(col(RechargeOrder.ended_at) >= since, col(RechargeOrder.id) > after)
    return list(db.exec(ended.order_by(col(RechargeOrder.id)).limit(PAGE)))


def _ended_refunds(db: Session, since: datetime, after: int) -> list[Refund]:
    ended = select(Refund).where(col(Refund.ended_at) >= since, col(Refund.id) > after)
    return list(db.exec(ended.order_by(col(Refund.id)).limit(PAGE)))


async def _order(gateway: PaymentGateway, order: RechargeOrder) -> Verdict:
    try:
        status = await gateway.status(order.merchant_order_id)
    except OrderUnknown:
        credited = order.state == OrderState.CREDITED
        return ("missing", "It was credited; PhonePe does not know it.") if credited else None
    if status.state == "COMPLETED" and order.state in (OrderState.FAILED, OrderState.REJECTED):
        await funnel.settle(gateway, order.merchant_order_id)
        return "state", await _after_all(order)
    return _compared(order, status)


async def _after_all(order: RechargeOrder) -> str:
    """What became of it: money of another amount is not credited."""
    became = await read(recharges.found, order.merchant_order_id) or order
    outcome = "was credited" if became.state == OrderState.CREDITED else f"is {became.state}"
    return f"It was {order.state}; PhonePe says COMPLETED, so it {outcome} now."


def _compared(order: RechargeOrder, status: OrderStatus) -> Verdict:
    if order.state != OrderState.CREDITED:
        return None
    if status.state != "COMPLETED":
        return "state", f"It was credited; PhonePe says {status.state}."
    if status.amount_paise != order.amount_paise:
        amounts = f"{plain_rupees(order.amount_paise)}; PhonePe says {plain_rupees(status.amount_paise)}"
        return "amount", f"It was credited with {amounts}."
    if order.utr and status.utr and status.utr[:80] != order.utr:
        return "utr", f"Its bank reference was {order.utr}; PhonePe says {status.utr[:80]}."
    return None


async def _refund(gateway: PaymentGateway, refund: Refund) -> Verdict:
    completed = refund.state == RefundState.COMPLETED
    try:
        status: RefundStatus = await gateway.refund_status(refund.merchant_refund_id)
    except OrderUnknown:
        return ("missing", "It was completed; PhonePe does not know it.") if completed else None
    # A refund that has ended stays as it ended; what contradicts it is noted there.
    await transact(refunds.apply, refund.merchant_refund_id, status)
    if completed and status.state == RefundState.COMPLETED and status.amount_paise != refund.went_back_paise:
        amounts = f"{plain_rupees(refund.went_back_paise)}; PhonePe says {plain_rupees(status.amount_paise)}"
        return "amount", f"It was completed with {amounts}."
    given_back = refund.state in refunds.BACK and status.state != RefundState.FAILED
    if given_back or (completed and status.state != RefundState.COMPLETED):
        return "state", f"It is {refund.state}; PhonePe says {status.state}."
    return None
