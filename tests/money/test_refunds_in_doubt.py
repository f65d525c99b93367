"""Refunds of which nobody knows what became: asked about until they end, and never sent twice."""

import asyncio
from datetime import timedelta

import pytest

from domain import funnel, poll_schedule, refunds
from domain.breaker import SILENCES
from domain.db import transact
from domain.models import RefundState
from tests.money.house import Clock, Gateway
from tests.money.orders import SILENT, findings, paid, pots, refund_of, requested, sent


@pytest.mark.row("R32")
async def test_a_lost_answer_is_asked_about_and_never_sent_again(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R32: PhonePe acted, its answer was lost."""
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(SILENT)
    gateway.raises_after = True
    refund_id = await sent(gateway, order_id)
    assert (await refund_of(refund_id)).state == RefundState.UNKNOWN
    assert await pots(asha) == (30_000, 20_000, 50_000)
    clock.at += timedelta(seconds=30)
    assert await funnel.poll_refunds(gateway, clock.at) == 1
    assert (await refund_of(refund_id)).state == RefundState.PENDING
    gateway.say_refund(refund_id, "COMPLETED")
    clock.at += timedelta(minutes=5)
    await funnel.poll_refunds(gateway, clock.at)
    assert await pots(asha) == (30_000, 0, 30_000)
    assert gateway.calls["refund"] == 1


@pytest.mark.row("R32")
async def test_a_refund_that_never_arrived_comes_back_only_when_it_cannot_be_under_way(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    """R32."""
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(SILENT)
    refund_id = await sent(gateway, order_id)
    clock.at += refunds.NEVER_ARRIVED - timedelta(seconds=1)
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).state == RefundState.UNKNOWN
    clock.at += timedelta(seconds=1)
    await funnel.settle_refund(gateway, refund_id)
    refund = await refund_of(refund_id)
    assert (refund.state, refund.error_code) == (RefundState.REJECTED, "NEVER_ARRIVED")
    assert await pots(asha) == (50_000, 0, 50_000)
    assert gateway.calls["refund"] == 1


@pytest.mark.parametrize(("said", "state"), [("PENDING", RefundState.PENDING), ("EXPIRED", RefundState.UNKNOWN)])
async def test_a_refund_that_the_gateway_acknowledged_is_never_given_up(
    asha: int, gateway: Gateway, clock: Clock, said: str, state: RefundState
) -> None:
    """Also when it says what nobody understands, and later knows nothing of it."""
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(SILENT)
    gateway.raises_after = True
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, said)
    await funnel.settle_refund(gateway, refund_id)
    gateway.refunds.clear()
    clock.at += 2 * refunds.NEVER_ARRIVED
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).state == state


@pytest.mark.row("R32")
async def test_an_hour_counts_from_the_sending(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R32: it waited for the gateway to come back, then its answer was lost."""
    order_id = await paid(gateway, asha)
    refund_id = await requested(order_id)
    clock.at += 2 * refunds.NEVER_ARRIVED
    gateway.refund_raises.append(SILENT)
    await funnel.settle_refund(gateway, refund_id)
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).state == RefundState.UNKNOWN


async def test_a_crash_before_the_sending_is_made_good_by_the_sweeper(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await requested(order_id)
    assert await funnel.poll_refunds(gateway, clock.at) == 0
    clock.at += refunds.UNSENT
    assert await funnel.poll_refunds(gateway, clock.at) == 1
    assert (await refund_of(refund_id)).state == RefundState.PENDING
    assert gateway.calls["refund"] == 1


@pytest.mark.row("R32")
async def test_a_crash_while_sending_is_asked_about(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R32: killed between taking it and the gateway's answer; nobody knows whether it was sent."""
    order_id = await paid(gateway, asha)
    refund_id = await requested(order_id)
    assert await transact(refunds.sending, refund_id) is not None
    clock.at += timedelta(minutes=2)
    assert await funnel.poll_refunds(gateway, clock.at) == 1
    assert (gateway.calls["refund"], gateway.calls["refund_status"]) == (0, 1)
    assert (await refund_of(refund_id)).state == RefundState.UNKNOWN


@pytest.mark.row("R32")
async def test_many_senders_send_once(asha: int, gateway: Gateway) -> None:
    """R32: the shell and several sweepers at once; each process has turns of its own."""
    order_id = await paid(gateway, asha)
    refund_id = await requested(order_id)
    taken = await asyncio.gather(*(transact(refunds.sending, refund_id) for _ in range(20)))
    assert sum(refund is not None for refund in taken) == 1
    other = await requested(await paid(gateway, asha, "n2"), 100, "k2")
    await asyncio.gather(*(funnel.settle_refund(gateway, other) for _ in range(20)))
    assert gateway.calls["refund"] == 1


async def test_silence_changes_nothing_and_keeps_the_schedule(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    before = await refund_of(refund_id)
    gateway.refund_status_raises.append(SILENT)
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).model_dump() == before.model_dump()
    assert before.due_at == before.created_at + poll_schedule.REFUND[0]


@pytest.mark.row("R21")
async def test_nothing_is_sent_while_the_gateway_is_away(asha: int, gateway: Gateway) -> None:
    """R21: it stays due, and is sent when the gateway is back."""
    order_id = await paid(gateway, asha)
    refund_id = await requested(order_id)
    for _ in range(SILENCES):
        funnel.breaker.silent()
    await funnel.settle_refund(gateway, refund_id)
    refund = await refund_of(refund_id)
    assert (refund.state, gateway.calls["refund"]) == (RefundState.NEW, 0)
    assert refund.due_at is not None
    funnel.breaker.answered()
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).state == RefundState.PENDING


async def test_a_refund_is_asked_about_until_it_ends(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Daily after the first day, for ever; an operator hears of it after ten days."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    asks = 0
    while clock.at < (await refund_of(refund_id)).created_at + timedelta(days=11):
        due_at = (await refund_of(refund_id)).due_at
        assert due_at is not None and due_at > clock.at
        clock.at = due_at
        asks += await funnel.poll_refunds(gateway, clock.at)
    assert asks == len(poll_schedule.REFUND) + 11
    assert await findings() == [("refund-slow", refund_id)]
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.poll_refunds(gateway, clock.at + timedelta(days=1))
    assert await pots(asha) == (30_000, 0, 30_000)


async def test_a_refund_without_an_acknowledgement_is_found_after_a_day(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(SILENT)
    gateway.refund_status_raises.extend([SILENT] * 2)
    refund_id = await sent(gateway, order_id)
    clock.at += timedelta(hours=23)
    await funnel.poll_refunds(gateway, clock.at)
    assert await findings() == []
    clock.at += timedelta(hours=2)
    await funnel.poll_refunds(gateway, clock.at)
    assert await findings() == [("refund-slow", refund_id)]


async def test_two_processes_do_not_take_the_same_refund(asha: int, gateway: Gateway, clock: Clock) -> None:
    made = {await sent(gateway, await paid(gateway, asha, f"n{n}"), 100, f"k{n}") for n in range(6)}
    clock.at += timedelta(seconds=15)
    taken = await asyncio.gather(*(transact(refunds.due, clock.at, 2) for _ in range(5)))
    assert sorted(refund_id for some in taken for refund_id in some) == sorted(made)
