"""What the gateway said about an order is kept as evidence, once, and without what opens a pay page."""

from sqlmodel import col, select

from domain import funnel
from domain.db import read
from domain.models import GatewayEvent
from tests.money.house import (
    Gateway,
    found,
)
from tests.money.orders import opened


async def test_what_the_gateway_says_is_kept_once(asha: int, gateway: Gateway) -> None:
    order_id = await opened(gateway, asha)
    for _ in range(5):
        await funnel.settle(gateway, order_id)
        await funnel.rang(gateway, order_id, b"the same bell")
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    kinds = await read(lambda db: db.exec(select(GatewayEvent.kind).order_by(col(GatewayEvent.id))).all())
    assert kinds == ["pay", "status", "webhook", "status"]


async def test_the_pay_pages_token_is_no_evidence(asha: int, gateway: Gateway) -> None:
    order_id = await opened(gateway, asha)
    page = (await found(order_id)).redirect_url
    bodies = await read(lambda db: db.exec(select(GatewayEvent.body)).all())
    assert not any(page in body or "http" in body for body in bodies)
