"""Money of another amount: nobody leaves before it is his, and one who has left does not get it unseen (R11, R34)."""

from dataclasses import replace

import pytest

from domain import accounts, findings, funnel, suspense, trail, wallet
from domain.db import read, transact
from domain.models import Finding
from tests.money.house import Gateway, charge, found, give, money, placed
from tests.money.orders import opened

PAID = 49_900


@pytest.fixture
async def order_id(asha: int, gateway: Gateway) -> str:
    """A recharge of ₹500 for which ₹499 were paid."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id, amount_paise=PAID)
    await funnel.settle(gateway, order_id)
    return order_id


async def aside(gateway: Gateway, order_id: str) -> None:
    await transact(suspense.set_aside, order_id, gateway.orders[order_id])


async def due() -> list[Finding]:
    return [one for one in await read(findings.unresolved) if one.kind == "refund-due"]


async def may_not_leave(user_id: int) -> None:
    with pytest.raises(accounts.NotDeleted, match="another amount"):
        await read(accounts.may_leave, user_id)


@pytest.mark.row("R11")
async def test_nobody_leaves_before_money_of_another_amount_is_his(asha: int, gateway: Gateway, order_id: str) -> None:
    """R11: given, it is in his wallet, which holds him until it is empty."""
    await may_not_leave(asha)
    await aside(gateway, order_id)
    await may_not_leave(asha)
    await transact(suspense.give, order_id)
    with pytest.raises(accounts.NotDeleted, match=r"₹499\.00 left"):
        await read(accounts.may_leave, asha)
    assert await due() == []


async def test_nothing_is_given_that_was_not_set_aside(asha: int, order_id: str) -> None:
    with pytest.raises(suspense.NotSetAside, match="Nothing was set aside for RCH-"):
        await transact(suspense.give, order_id)


async def test_what_went_back_by_hand_holds_nobody(asha: int, order_id: str) -> None:
    """Nothing of it is in our books; that somebody looked at it is all there is to know."""
    [finding] = await read(findings.unresolved)
    await transact(findings.resolve, finding.id or 0, trail.user(asha), "paid back on PhonePe's dashboard")
    await read(accounts.may_leave, asha)


async def test_one_of_two_that_is_given_leaves_the_other_one_waiting(
    asha: int, gateway: Gateway, order_id: str
) -> None:
    other = await placed(asha, nonce="other")
    await funnel.begin(gateway, other.merchant_order_id)
    gateway.pay(other.merchant_order_id, amount_paise=40_000)
    await funnel.settle(gateway, other.merchant_order_id)
    await aside(gateway, order_id)
    await transact(suspense.give, order_id)
    assert await read(suspense.unfinished, asha)


async def test_what_is_set_aside_holds_its_driver_whoever_looked(asha: int, gateway: Gateway, order_id: str) -> None:
    await aside(gateway, order_id)
    [finding] = await read(findings.unresolved)
    await transact(findings.resolve, finding.id or 0, trail.user(asha), "booked")
    await may_not_leave(asha)


@pytest.mark.row("R34")
async def test_what_is_given_to_somebody_who_has_left_is_told_once(asha: int, gateway: Gateway, order_id: str) -> None:
    """R34: it may have to go back."""
    await aside(gateway, order_id)
    await transact(accounts.block, asha)
    await transact(suspense.give, order_id)
    [told] = await due()
    assert (told.ref, told.detail[:18]) == (order_id, "₹499.00 came in fo")
    await transact(findings.resolve, told.id or 0, trail.user(asha), "sent back")
    await transact(suspense.give, order_id)
    assert await due() == []
    assert (await read(money, asha)).balance_paise == PAID
    assert (await found(order_id)).user_id == asha


@pytest.mark.row("R11")
async def test_what_is_given_carries_the_charge_that_runs(asha: int, gateway: Gateway, order_id: str) -> None:
    """R11, C24: no charge ends beside money."""
    await transact(give, asha, 10_000)
    session_id = await transact(charge, asha)
    await transact(wallet.hold, session_id, asha, at_least=0, at_most=10_000)
    await aside(gateway, order_id)
    await transact(suspense.give, order_id)
    assert await read(money, asha) == wallet.Balance(10_000 + PAID, 10_000 + PAID, 0)


async def test_what_was_paid_with_nothing_is_not_set_aside(asha: int, gateway: Gateway, order_id: str) -> None:
    with pytest.raises(suspense.NotSetAside, match="nothing to book"):
        await transact(suspense.set_aside, order_id, replace(gateway.orders[order_id], amount_paise=0))


async def test_what_was_paid_as_ordered_is_not_set_aside(asha: int, gateway: Gateway) -> None:
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    with pytest.raises(suspense.NotSetAside, match="another amount"):
        await aside(gateway, order_id)
    assert (await read(money, asha)).balance_paise == (await found(order_id)).amount_paise
