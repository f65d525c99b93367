"""A refund as it is asked for, row by row of payments.md 3.1: never more than there is, once a wish, one at a time."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from domain import funnel, placing, refunds, wallet
from domain.db import Database, read, transact
from domain.events import WalletChanged
from domain.models import Refund, RefundState
from domain.refunds import RefundRefused
from tests.money.house import (
    RUPEES_500,
    Gateway,
    Heard,
    charge,
    driver,
    owe,
    placed,
    rows,
)
from tests.money.orders import paid, pots, refund_of, requested, sent


@pytest.mark.row("R30")
async def test_the_wallet_is_debited_at_the_request(asha: int, gateway: Gateway, database: Database) -> None:
    """R30."""
    order_id = await paid(gateway, asha)
    heard = Heard(database)
    refund_id = await requested(order_id)
    refund = await refund_of(refund_id)
    assert (refund.state, refund.amount_paise, refund.user_id) == (RefundState.NEW, 20_000, asha)
    assert refund_id.startswith("REF-") and len(refund_id) <= 63
    assert await pots(asha) == (30_000, 20_000, 50_000)
    assert gateway.calls["refund"] == 0
    assert heard.of(WalletChanged)


@pytest.mark.row("R33")
@pytest.mark.parametrize("paise", [50_001, 10**12])
async def test_more_than_was_paid_does_not_go_back(asha: int, gateway: Gateway, paise: int) -> None:
    """R33."""
    order_id = await paid(gateway, asha)
    await paid(gateway, asha, "n2")
    with pytest.raises(RefundRefused, match=r"No more than ₹500\.00 of this recharge"):
        await requested(order_id, paise)
    assert await pots(asha) == (100_000, 0, 100_000)


@pytest.mark.row("R33")
async def test_earlier_refunds_count(asha: int, gateway: Gateway) -> None:
    """R33: what went back; not what failed."""
    order_id = await paid(gateway, asha)
    await paid(gateway, asha, "n2")
    first = await sent(gateway, order_id, 20_000)
    gateway.say_refund(first, "COMPLETED")
    await funnel.settle_refund(gateway, first)
    failed = await sent(gateway, order_id, 10_000, "k2")
    gateway.say_refund(failed, "FAILED")
    await funnel.settle_refund(gateway, failed)
    with pytest.raises(RefundRefused, match=r"₹300\.00"):
        await requested(order_id, 30_001, "k3")
    await requested(order_id, 30_000, "k3")


@pytest.mark.row("R33")
async def test_money_that_is_held_does_not_go_back(asha: int, gateway: Gateway) -> None:
    """R33: no more than is free in the wallet."""
    order_id = await paid(gateway, asha)
    session_id = await transact(charge, asha)
    await transact(wallet.hold, session_id, asha, at_least=1, at_most=40_000)
    with pytest.raises(RefundRefused, match=r"The wallet has only ₹100\.00 that is neither"):
        await requested(order_id, 10_001)
    await requested(order_id, 10_000)


@pytest.mark.row("R33", "R38")
async def test_what_is_owed_does_not_go_back(asha: int, gateway: Gateway) -> None:
    """R33, R38."""
    order_id = await paid(gateway, asha)
    await transact(owe, asha, 49_950)
    with pytest.raises(RefundRefused, match=r"₹0\.50"):
        await requested(order_id, 100)


@pytest.mark.parametrize("paise", [0, 99, -100, True, 100.5, None, "100"])
async def test_less_than_a_rupee_or_no_whole_number_is_refused(asha: int, gateway: Gateway, paise: Any) -> None:
    order_id = await paid(gateway, asha)
    with pytest.raises(RefundRefused, match=r"The least that can go back is ₹1\.00"):
        await requested(order_id, paise)
    assert await read(rows, Refund) == 0


async def test_only_money_that_arrived_goes_back(asha: int, gateway: Gateway) -> None:
    order = await placed(asha)
    with pytest.raises(RefundRefused, match="is NEW; only money that arrived"):
        await requested(order.merchant_order_id)
    with pytest.raises(RefundRefused, match="There is no recharge RCH-0"):
        await requested("RCH-0")


@pytest.mark.parametrize(("key", "reason"), [("", "why"), ("x" * 65, "why"), ("k", ""), ("k", "  ")])
async def test_a_refund_has_a_reason_and_a_key(asha: int, gateway: Gateway, key: str, reason: str) -> None:
    order_id = await paid(gateway, asha)
    with pytest.raises(RefundRefused, match="needs a reason"):
        await transact(refunds.request, order_id, 20_000, key=key, reason=reason)


async def test_the_same_wish_is_the_same_refund(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    made = {await requested(order_id) for _ in range(3)}
    assert len(made) == 1
    with pytest.raises(RefundRefused, match="was used for REF-"):
        await requested(order_id, 20_001)
    refund_id = made.pop()
    await funnel.settle_refund(gateway, refund_id)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    assert await requested(order_id) == refund_id
    assert await pots(asha) == (30_000, 0, 30_000)


async def test_fifty_wishes_at_once_are_one_refund(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    outcomes = await asyncio.gather(
        *(requested(order_id, 20_000, "the same") for _ in range(25)),
        *(requested(order_id, 20_000, f"k{n}") for n in range(25)),
        return_exceptions=True,
    )
    made = {outcome for outcome in outcomes if isinstance(outcome, str)}
    assert len(made) == 1
    assert all(isinstance(outcome, str | RefundRefused) for outcome in outcomes)
    assert await pots(asha) == (30_000, 20_000, 50_000)


@pytest.mark.row("R30")
async def test_no_second_refund_while_one_is_on_its_way(asha: int, gateway: Gateway) -> None:
    """R30: of the same recharge; another recharge is another matter."""
    order_id, other = await paid(gateway, asha), await paid(gateway, asha, "n2")
    refund_id = await requested(order_id)
    for state in ("", "PENDING", "CONFIRMED"):
        if state:
            await funnel.settle_refund(gateway, refund_id)
            gateway.say_refund(refund_id, state)
            await funnel.settle_refund(gateway, refund_id)
        with pytest.raises(RefundRefused, match=f"on their way back already \\({refund_id}\\)"):
            await requested(order_id, 100, "k2")
    await requested(other, 100, "k3")


def test_the_database_itself_has_one_open_refund_an_order(db: Session) -> None:
    user_id = driver(db)
    order = placing.place(db, user_id, RUPEES_500, "n1")
    for n, state in enumerate(("COMPLETED", "FAILED", "REJECTED", "NEW", "CONFIRMED")):
        refund = Refund(
            merchant_refund_id=f"REF-{n}",
            merchant_order_id=order.merchant_order_id,
            user_id=user_id,
            amount_paise=100,
            state=state,
            request_key=f"k{n}",
        )
        db.add(refund)
        if state == "CONFIRMED":
            with pytest.raises(IntegrityError):
                db.flush()
        else:
            db.flush()
