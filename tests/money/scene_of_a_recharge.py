"""Whom a scene of a recharge is about, and what it tells the oracle."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from sqlmodel import Session, select

from domain import funnel
from domain.models import Account, Entry, Hold, RechargeOrder, Refund, Transfer
from tests.money import orders
from tests.money.house import Clock, Gateway, placed
from tests.money.town import Town

Again = Callable[[], Awaitable[object]]


class Street(NamedTuple):
    """Whom a scene is about."""

    asha: int
    gateway: Gateway
    clock: Clock
    town: Town
    """Another PhonePe, with doors: the sandbox and our real client."""

    async def opened(self, nonce: str = "n1") -> str:
        order = await placed(self.asha, nonce=nonce)
        await funnel.begin(self.gateway, order.merchant_order_id)
        return order.merchant_order_id

    async def paid(self, nonce: str = "n1") -> str:
        return await orders.paid(self.gateway, self.asha, nonce)

    def settles(self, order_id: str) -> Again:
        return partial(funnel.settle, self.gateway, order_id)

    def rings(self, order_id: str) -> Again:
        return partial(funnel.rang, self.gateway, order_id, b'{"state": "COMPLETED"}')

    async def polled(self, **after: float) -> None:
        self.clock.at += timedelta(**after)
        await funnel.poll(self.gateway, self.clock.at)

    async def refunded(self, order_id: str, paise: int = 20_000, key: str = "k1") -> str:
        return await orders.sent(self.gateway, order_id, paise, key)

    def asks(self, refund_id: str) -> Again:
        return partial(funnel.settle_refund, self.gateway, refund_id)


class Told(NamedTuple):
    """What the model says of a scene."""

    brought: int
    """Paise that the driver has got from it, arrears paid with it included."""
    reads: str
    again: tuple[Again, ...] = ()


ADDED = "was added."


MINE = "Added: Payment with PhonePe"


def books_of(db: Session) -> list[str]:
    """What a repetition must not change."""
    tables = (Account, Transfer, Entry, Hold)
    rows = [sorted(map(repr, (row.model_dump() for row in db.exec(select(table))))) for table in tables]
    orders = [(order.merchant_order_id, order.state) for order in db.exec(select(RechargeOrder))]
    return [*map(str, rows), *map(str, orders), *(f"{r.merchant_refund_id} {r.state}" for r in db.exec(select(Refund)))]
