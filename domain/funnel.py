"""One way from a gateway's word to a driver's wallet and back, whoever rings: webhook, return, poller, boot (D5)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TypeVar

import structlog
from sqlmodel import Session

from domain import recharges, refunds
from domain.breaker import Breaker
from domain.db import read, transact
from domain.models import OrderState, RechargeOrder, RefundState, now
from domain.recharges import (
    GatewayBusy,
    GatewayRefused,
    GatewayUnavailable,
    OrderExists,
    OrderUnknown,
    PaymentGateway,
)
from domain.sentences import Sentence
from domain.settings import settings
from domain.turns import Turns

log = structlog.get_logger()

T = TypeVar("T")

UNAVAILABLE = Sentence("Payments are not available right now. Nothing was charged. Try again in a few minutes.")

breaker = Breaker()
_beginning: dict[str, asyncio.Task[str]] = {}
_orders, _refunds = Turns(), Turns()


async def begin(gateway: PaymentGateway, merchant_order_id: str) -> str:
    """The address where the driver pays an order, opened at the gateway on the first call (D4).

    Empty when there is none to go to; the order's state then says why. Calls at once share one opening.
    """
    beginning = _beginning.get(merchant_order_id)
    if beginning is None:
        beginning = asyncio.create_task(_begin(gateway, merchant_order_id))
        _beginning[merchant_order_id] = beginning
        beginning.add_done_callback(lambda _: _beginning.pop(merchant_order_id, None))
    return await asyncio.shield(beginning)


async def _begin(gateway: PaymentGateway, merchant_order_id: str) -> str:
    order = await read(recharges.found, merchant_order_id)
    if order is None:
        return ""
    if order.state == OrderState.NEW and now() < order.expires_at:
        if breaker.lets_through():
            await _create(gateway, order)
    elif not recharges.pay_page(order, now()):
        await settle(gateway, merchant_order_id)
    order = await read(recharges.found, merchant_order_id)
    return recharges.pay_page(order, now()) if order else ""


async def _create(gateway: PaymentGateway, order: RechargeOrder) -> None:
    order_id = order.merchant_order_id
    asked = gateway.create(
        merchant_order_id=order_id,
        amount_paise=order.amount_paise,
        redirect_url=f"{settings().url}/payments/return?order={order_id}",
        user_ref=f"u_{order.user_id}",
    )
    try:
        payment = await _heard(asked)
    except OrderExists:
        await settle(gateway, order_id)
    except GatewayRefused as error:
        log.error("payment refused by the gateway", order=order_id, code=error.code, words=error.message)
        await transact(recharges.rejected, order_id, error.code)
    except GatewayUnavailable as error:
        log.warning("payment not answered by the gateway", order=order_id, reason=str(error))
        await transact(recharges.unknown, order_id)
        await settle(gateway, order_id)
    else:
        await transact(recharges.opened, order_id, payment)


async def settle(gateway: PaymentGateway, merchant_order_id: str) -> None:
    """Ask what became of an order and apply it; see Turns for who comes while it is asked about.

    Raises:
        sqlalchemy.exc.DBAPIError: the database did not take it; the order stays due (R40).
    """
    await _orders.take(merchant_order_id, lambda: _ask(gateway, merchant_order_id))


async def _ask(gateway: PaymentGateway, merchant_order_id: str) -> None:
    order = await read(recharges.found, merchant_order_id)
    if order is None or order.state in recharges.DECIDED:
        return
    try:
        status = await _heard(gateway.status(merchant_order_id))
    except OrderUnknown:
        await transact(recharges.absent, merchant_order_id)
    except GatewayUnavailable as error:
        log.warning("order status not answered by the gateway", order=merchant_order_id, reason=str(error))
    else:
        await transact(recharges.apply, merchant_order_id, status)


async def settle_refund(gateway: PaymentGateway, merchant_refund_id: str) -> None:
    """Send a refund that was not sent yet, once; else ask what became of it. Apply the answer.

    Raises:
        sqlalchemy.exc.DBAPIError: the database did not take it; the refund stays due (R40).
    """
    await _refunds.take(merchant_refund_id, lambda: _ask_refund(gateway, merchant_refund_id))


async def _ask_refund(gateway: PaymentGateway, merchant_refund_id: str) -> None:
    refund = await read(refunds.found, merchant_refund_id)
    if refund is None or refund.state == RefundState.COMPLETED:
        return
    if refund.state == RefundState.NEW:
        if breaker.lets_through():
            await _send(gateway, merchant_refund_id)
        return
    await _learn(gateway, merchant_refund_id, refunds.absent)


async def _send(gateway: PaymentGateway, merchant_refund_id: str) -> None:
    refund = await transact(refunds.sending, merchant_refund_id)
    if refund is None:
        return
    asked = gateway.refund(
        merchant_refund_id=merchant_refund_id,
        merchant_order_id=refund.merchant_order_id,
        amount_paise=refund.amount_paise,
    )
    try:
        status = await _heard(asked)
    except GatewayRefused as error:
        log.error("refund refused by the gateway", refund=merchant_refund_id, code=error.code, words=error.message)
        # Nothing goes back if the gateway does not know it. One that it knows was sent before by books that a restored
        # backup does not have, and is refused for its id alone.
        await _learn(gateway, merchant_refund_id, refunds.rejected, error.code)
    except GatewayUnavailable as error:
        log.warning("refund not answered by the gateway", refund=merchant_refund_id, reason=str(error))
    else:
        await transact(refunds.apply, merchant_refund_id, status)


async def _learn(gateway: PaymentGateway, merchant_refund_id: str, unknown: Callable[..., None], *why: str) -> None:
    """Ask what became of a refund; `unknown` is what follows when the gateway does not know it."""
    try:
        status = await _heard(gateway.refund_status(merchant_refund_id))
    except OrderUnknown:
        await transact(unknown, merchant_refund_id, *why)
    except GatewayUnavailable as error:
        log.warning("refund status not answered by the gateway", refund=merchant_refund_id, reason=str(error))
    else:
        await transact(refunds.apply, merchant_refund_id, status)


async def _heard(asked: Awaitable[T]) -> T:
    """The gateway's answer, of which the breaker hears; a refusal is one, too, and so is "too often"."""
    try:
        answer = await asked
    except (GatewayRefused, GatewayBusy):
        breaker.answered()
        raise
    except GatewayUnavailable:
        breaker.silent()
        raise
    breaker.answered()
    return answer


async def rang(gateway: PaymentGateway, named: str, body: bytes) -> None:
    """A webhook named this order or refund: a doorbell, never evidence (D3)."""
    order, of_refunds = await transact(_rang, named, body)
    if order:
        await settle(gateway, named)
    for merchant_refund_id in of_refunds:
        await settle_refund(gateway, merchant_refund_id)


def _rang(db: Session, named: str, body: bytes) -> tuple[bool, list[str]]:
    return recharges.rang(db, named, body), refunds.rang(db, named, body)


async def poll(gateway: PaymentGateway, at: datetime) -> int:
    """Ask about the orders that are due, all at once; says how many. One that fails does not stop the others.

    A slow gateway makes this slow: run it beside other deadlines, not among them.
    """
    orders = await transact(recharges.due, at)
    await _each(orders, (settle(gateway, order) for order in orders))
    return len(orders)


async def poll_refunds(gateway: PaymentGateway, at: datetime) -> int:
    """The same for refunds, which are also sent when whoever requested them could not."""
    of_refunds = await transact(refunds.due, at)
    await _each(of_refunds, (settle_refund(gateway, refund) for refund in of_refunds))
    return len(of_refunds)


async def _each(names: list[str], asks: Iterable[Awaitable[None]]) -> None:
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    for name, outcome in zip(names, outcomes, strict=True):
        if isinstance(outcome, Exception):
            log.error("not settled, it stays due", order=name, exc_info=outcome)
