"""What a credit does first: it pays what is owed, then it carries the charge that runs."""

import asyncio

import pytest

from domain import funnel, recharges, story, wallet
from domain.db import read, transact
from domain.settings import settings
from tests.money.house import (
    Gateway,
    charge,
    give,
    money,
    owe,
)
from tests.money.orders import opened


@pytest.mark.row("R38")
async def test_arrears_are_cleared_first(asha: int, gateway: Gateway) -> None:
    """R38: both sides are in the wallet's story."""
    await transact(owe, asha, 11_800)
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    balance = await read(money, asha)
    assert (balance.balance_paise, balance.arrears_paise) == (38_200, 0)
    told = await read(story.lines, asha)
    assert [(line.amount_paise, line.arrears) for line in told[:2]] == [(38_200, False), (11_800, True)]


@pytest.mark.row("R38")
async def test_arrears_larger_than_the_recharge(asha: int, gateway: Gateway) -> None:
    """R38."""
    await transact(owe, asha, 70_000)
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await asyncio.gather(*(funnel.settle(gateway, order_id) for _ in range(5)))
    balance = await read(money, asha)
    assert (balance.balance_paise, balance.arrears_paise) == (0, 20_000)


@pytest.mark.row("R24", "R38")
async def test_two_recharges_at_once_with_arrears(asha: int, gateway: Gateway) -> None:
    """R38, R24: each clears what is left of them when its turn comes."""
    await transact(owe, asha, 70_000)
    orders = [await opened(gateway, asha, nonce) for nonce in ("n1", "n2")]
    for order_id in orders:
        gateway.pay(order_id)
    said = [(order_id, gateway.orders[order_id]) for order_id in orders]
    await asyncio.gather(*(transact(recharges.apply, *one) for one in said * 10))
    balance = await read(money, asha)
    assert (balance.balance_paise, balance.arrears_paise) == (30_000, 0)


async def test_a_credit_extends_the_hold_of_the_running_charge(asha: int, gateway: Gateway) -> None:
    """payments.md 2.7: a top-up during a charge lets it go on."""
    await transact(give, asha, 10_000)
    session_id = await transact(charge, asha)
    await transact(wallet.hold, session_id, asha, at_least=1, at_most=settings().session_cap_paise)
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    balance = await read(money, asha)
    assert (balance.balance_paise, balance.held_paise) == (60_000, 60_000)
