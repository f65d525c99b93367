"""The rows of payments.md 3.1 that need the real client: it talks to the sandbox, and both talk to the books."""

import asyncio
from datetime import timedelta

import pytest

from domain import funnel, recharges, refunds, story
from domain.breaker import SILENCES
from domain.db import read
from domain.models import RefundState
from domain.placing import RechargeRefused
from tests.money.house import RUPEES_500, Clock, credits, money, placed
from tests.money.town import Town


async def state_of(refund_id: str) -> str:
    refund = await read(refunds.found, refund_id)
    assert refund is not None
    return refund.state


@pytest.mark.row("R7", "R8")
async def test_a_forged_webhook_asks_nobody_and_an_altered_one_credits_what_is_true(asha: int, town: Town) -> None:
    """R7, R8: forged under other credentials; then a hundredfold amount under ours."""
    order_id = await town.opened(asha)
    town.sandbox.faults["webhook"].extend(["forged", "altered"])
    order = await town.sandbox.choose(order_id, "pay")
    await town.quiet()
    assert town.sandbox.calls["status"] == 0
    await town.sandbox.bell.tell_order(order)
    await town.quiet()
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R20")
async def test_a_token_revoked_in_the_middle_is_not_noticed(asha: int, town: Town) -> None:
    """R20: one refresh, one repeat, for twenty callers at once."""
    orders = [await town.opened(asha, f"n{n}") for n in range(20)]
    town.sandbox.faults["webhook"].extend(["drop"] * 20)
    for order_id in orders:
        await town.sandbox.choose(order_id, "pay")
    town.sandbox.tokens.clear()
    before = town.sandbox.calls["token"]
    await asyncio.gather(*(funnel.settle(town.client, order_id) for order_id in orders))
    assert town.sandbox.calls["token"] == before + 1
    assert await read(credits, asha) == [RUPEES_500] * 20


@pytest.mark.row("R21")
async def test_no_token_for_an_hour(asha: int, town: Town, clock: Clock) -> None:
    """R21: from the boot on; what is placed meanwhile ends without a charge, what was paid before arrives after it."""
    paid_before = await town.opened(asha)
    town.sandbox.faults["webhook"].append("drop")
    await town.sandbox.choose(paid_before, "pay")
    booted = town.new_client()
    town.sandbox.faults["token"].extend(["503"] * 1_000)
    asked = town.sandbox.calls["pay"]
    for n in range(1, SILENCES + 3):
        order = await placed(asha, nonce=f"n{n + 1}")
        assert await funnel.begin(booted, order.merchant_order_id) == ""
    assert funnel.breaker.open
    assert town.sandbox.calls["pay"] == asked
    for minutes in (1, 5, 15, 60):
        await funnel.poll(booted, clock.at + timedelta(minutes=minutes))
    assert funnel.breaker.open
    assert await read(credits, asha) == []
    town.sandbox.faults["token"].clear()
    clock.at += timedelta(hours=6)
    while await funnel.poll(booted, clock.at):
        pass
    assert not funnel.breaker.open
    assert await read(credits, asha) == [RUPEES_500]
    assert await read(recharges.of_user, asha) == []


@pytest.mark.row("R30", "R31")
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(("state", "left"), [("COMPLETED", 30_000), ("FAILED", 50_000)])
async def test_a_refund_from_the_wish_to_the_webhook(asha: int, town: Town, state: str, left: int, flat: bool) -> None:
    """R30, R31: PENDING, CONFIRMED and the end, told by both shapes of webhook."""
    order_id = await town.paid(asha)
    refund_id = await town.refunded(order_id, 20_000)
    assert await state_of(refund_id) == RefundState.PENDING
    await town.sandbox.decide(refund_id, "CONFIRMED", flat=flat)
    await town.quiet()
    assert await state_of(refund_id) == RefundState.CONFIRMED
    assert (await read(money, asha)).balance_paise == 30_000
    town.sandbox.faults["webhook"].append("twice")
    await town.sandbox.decide(refund_id, state, flat=flat)
    await town.quiet()
    assert await state_of(refund_id) == state
    assert (await read(money, asha)).balance_paise == left


@pytest.mark.row("R7", "R8")
@pytest.mark.parametrize("fault", ["forged", "altered", "drop", "late"])
async def test_no_webhook_decides_a_refund(asha: int, town: Town, clock: Clock, fault: str) -> None:
    """R7, R8 for refunds: what is asked for decides; without any webhook, the schedule asks."""
    refund_id = await town.refunded(await town.paid(asha), 20_000)
    town.sandbox.faults["webhook"].append(fault)
    await town.sandbox.decide(refund_id, "COMPLETED")
    await town.quiet()
    clock.at += timedelta(seconds=15)
    await funnel.poll_refunds(town.client, clock.at)
    assert await state_of(refund_id) == RefundState.COMPLETED
    told = [line.amount_paise for line in await read(story.lines, asha)]
    assert told == [-20_000, 50_000]


@pytest.mark.row("R32")
@pytest.mark.parametrize("fault", ["500-after", "timeout-after", "garbage-after"])
async def test_a_lost_answer_to_a_refund(asha: int, town: Town, clock: Clock, fault: str) -> None:
    """R32."""
    order_id = await town.paid(asha)
    town.sandbox.faults["refund"].append(fault)
    refund_id = await town.refunded(order_id, 20_000)
    assert await state_of(refund_id) == RefundState.UNKNOWN
    with pytest.raises(refunds.RefundRefused, match="on their way back already"):
        await town.refunded(order_id, 20_000, "k2")
    clock.at += timedelta(seconds=15)
    await funnel.poll_refunds(town.client, clock.at)
    assert await state_of(refund_id) == RefundState.PENDING
    assert (town.sandbox.calls["refund"], len(town.sandbox.refunds.newest_first())) == (1, 1)


@pytest.mark.row("R10")
async def test_an_old_webhook_after_a_full_refund(asha: int, town: Town) -> None:
    """R10: replayed with its right header; the status still says COMPLETED, and the money came in once."""
    order_id = await town.paid(asha)
    refund_id = await town.refunded(order_id, RUPEES_500)
    await town.sandbox.decide(refund_id, "COMPLETED")
    await town.quiet()
    order = town.sandbox.orders.find(order_id)
    assert set(await town.sandbox.bell.tell_order(order, 50)) == {200}
    await town.quiet()
    assert await read(credits, asha) == [RUPEES_500]
    assert (await read(money, asha)).balance_paise == 0


@pytest.mark.row("R17", "R33")
async def test_a_driver_reads_true_sentences(asha: int, town: Town) -> None:
    """R17, R33: what is refused says why, in rupees."""
    order_id = await town.paid(asha)
    with pytest.raises(refunds.RefundRefused, match=r"^No more than ₹500\.00 of this recharge can go back\.$"):
        await town.refunded(order_id, 50_001)
    with pytest.raises(RechargeRefused, match=r"^The least you can add is ₹500\.$"):
        await placed(asha, 49_999, "n9")
