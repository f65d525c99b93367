"""Recharges nobody paid, or not yet: how long they are asked about, how they end, and that paid money still arrives."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import funnel, poll_schedule, recharges
from domain.db import Database, read, transact
from domain.events import RechargeChanged
from domain.models import Finding, OrderState, RechargeOrder
from tests.money.house import RUPEES_500, Clock, Gateway, Heard, credits, found, placed
from tests.money.orders import SILENT, opened


@pytest.mark.row("R13")
async def test_pending_for_days_then_paid(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R13: polled to 72 h, shown as pending, no hindrance for another recharge, credited however late."""
    order_id = await opened(gateway, asha)
    expires_at = (await found(order_id)).expires_at
    for late in (poll_schedule.GRACE, *poll_schedule.TAIL[:-1]):
        clock.at = expires_at + late
        assert await funnel.poll(gateway, clock.at) == 1
        assert (await found(order_id)).state == OrderState.PENDING
    assert [order.merchant_order_id for order in await read(recharges.of_user, asha)] == [order_id]
    await opened(gateway, asha, "n2")
    gateway.pay(order_id)
    clock.at = expires_at + poll_schedule.TAIL[-1]
    await funnel.poll(gateway, clock.at)
    assert (await found(order_id)).state == OrderState.CREDITED
    assert await read(credits, asha) == [RUPEES_500]


async def test_never_confirmed_ends_after_72_hours_with_a_finding(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await opened(gateway, asha)
    clock.at = (await found(order_id)).expires_at + poll_schedule.TAIL[-1]
    await funnel.poll(gateway, clock.at)
    order = await found(order_id)
    assert (order.state, order.error_code, order.due_at) == (OrderState.FAILED, "NO_CONFIRMATION", None)
    assert (await read(lambda db: db.exec(select(Finding.kind)).all())) == ["unconfirmed"]
    gateway.pay(order_id)
    await funnel.rang(gateway, order_id, b"{}")
    assert await read(credits, asha) == [RUPEES_500]


async def test_a_gateway_silent_for_ever_is_asked_on(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Nothing is given up without an answer."""
    order_id = await opened(gateway, asha)
    expires_at = (await found(order_id)).expires_at
    for hours in (72, 73, 74):
        clock.at = expires_at + timedelta(hours=hours)
        gateway.status_raises.append(SILENT)
        assert await funnel.poll(gateway, clock.at) == 1
        assert (await found(order_id)).state == OrderState.PENDING
    gateway.pay(order_id)
    assert await funnel.poll(gateway, clock.at + recharges.AGAIN) == 1
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R14")
async def test_failed_then_completed_is_credited(asha: int, gateway: Gateway, database: Database, clock: Clock) -> None:
    """R14: by the tail alone, without a webhook."""
    heard = Heard(database)
    order_id = await opened(gateway, asha)
    gateway.say(order_id, "FAILED", error_code="INVALID_MPIN")
    await funnel.settle(gateway, order_id)
    order = await found(order_id)
    assert (order.state, order.error_code) == (OrderState.FAILED, "INVALID_MPIN")
    assert order.due_at == order.expires_at + poll_schedule.TAIL[0]
    assert await read(recharges.of_user, asha) == []
    gateway.pay(order_id)
    await funnel.poll(gateway, order.due_at)
    order = await found(order_id)
    assert (order.state, order.error_code) == (OrderState.CREDITED, "")
    assert await read(credits, asha) == [RUPEES_500]
    assert [e.state for e in heard.of(RechargeChanged)] == ["PENDING", "FAILED", "CREDITED"]  # type: ignore[attr-defined]


async def test_failed_stays_failed_when_the_gateway_repeats_itself(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await opened(gateway, asha)
    gateway.say(order_id, "FAILED")
    await funnel.settle(gateway, order_id)
    ended_at = (await found(order_id)).ended_at
    for late in poll_schedule.TAIL:
        clock.at = (await found(order_id)).expires_at + late
        assert await funnel.poll(gateway, clock.at) == 1
    order = await found(order_id)
    assert (order.state, order.due_at, order.ended_at) == (OrderState.FAILED, None, ended_at)
    gateway.say(order_id, "PENDING")
    await funnel.settle(gateway, order_id)
    assert (await found(order_id)).state == OrderState.FAILED


@pytest.mark.row("R15")
async def test_a_failed_attempt_is_no_failed_order(asha: int, gateway: Gateway, database: Database) -> None:
    """R15: no bad news in between."""
    order_id = await opened(gateway, asha)
    heard = Heard(database)
    gateway.say(order_id, "PENDING", error_code="TXN_AUTO_FAILED")
    await funnel.settle(gateway, order_id)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert [e.state for e in heard.of(RechargeChanged)] == ["CREDITED"]  # type: ignore[attr-defined]


@pytest.mark.row("R16", "R26")
async def test_nobody_opened_it_so_it_is_closed_after_its_time(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R16, R26: a crash before the gateway was asked; one final check, then no more."""
    order_id = (await placed(asha)).merchant_order_id
    assert await funnel.poll(gateway, clock.at + timedelta(minutes=15)) == 0
    clock.at += timedelta(minutes=15, seconds=30)
    assert await funnel.poll(gateway, clock.at) == 1
    order = await found(order_id)
    assert (order.state, order.error_code, order.due_at) == (OrderState.FAILED, "NEVER_OPENED", None)
    assert await funnel.begin(gateway, order_id) == ""
    assert gateway.calls["create"] == 0


async def test_an_order_the_gateway_has_forgotten_is_asked_about_on(asha: int, gateway: Gateway, clock: Clock) -> None:
    """It was open once, so it may have been paid."""
    order_id = await opened(gateway, asha)
    remembered = gateway.orders.pop(order_id)
    clock.at = (await found(order_id)).expires_at + poll_schedule.TAIL[0]
    await funnel.poll(gateway, clock.at)
    order = await found(order_id)
    assert order.state == OrderState.PENDING
    assert order.due_at is not None
    gateway.orders[order_id] = remembered
    gateway.pay(order_id)
    await funnel.poll(gateway, order.due_at)
    assert await read(credits, asha) == [RUPEES_500]


async def test_an_order_past_its_time_is_not_opened_any_more(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = (await placed(asha)).merchant_order_id
    clock.at += timedelta(minutes=15)
    assert await funnel.begin(gateway, order_id) == ""
    assert gateway.calls["create"] == 0


@pytest.mark.row("R16")
async def test_the_gateway_says_expired(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R16 as PhonePe does it: the order turns FAILED at its expiry."""
    order_id = await opened(gateway, asha)
    gateway.say(order_id, "FAILED", error_code="TXN_NOT_COMPLETED")
    clock.at = (await found(order_id)).expires_at + poll_schedule.GRACE
    await funnel.poll(gateway, clock.at)
    assert (await found(order_id)).state == OrderState.FAILED


async def test_an_order_that_stays_forgotten_ends_after_72_hours(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await opened(gateway, asha)
    gateway.orders.pop(order_id)
    clock.at = (await found(order_id)).expires_at + poll_schedule.TAIL[-1]
    await funnel.poll(gateway, clock.at)
    order = await found(order_id)
    assert (order.state, order.error_code, order.due_at) == (OrderState.FAILED, "NO_CONFIRMATION", None)


async def test_a_word_after_72_hours_is_the_last_whoever_asked(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await opened(gateway, asha)
    gateway.say(order_id, "FAILED")
    await funnel.settle(gateway, order_id)
    clock.at = (await found(order_id)).expires_at + poll_schedule.TAIL[-1]
    await funnel.settle(gateway, order_id)
    assert (await found(order_id)).due_at is None


async def test_a_failed_order_nobody_ever_heard_of_is_asked_about_no_more(asha: int, clock: Clock) -> None:
    order_id = (await placed(asha)).merchant_order_id

    def fail(db: Session) -> None:
        order = db.exec(select(RechargeOrder).where(RechargeOrder.merchant_order_id == order_id)).one()
        order.state, order.due_at = OrderState.FAILED, order.expires_at + poll_schedule.TAIL[0]

    await transact(fail)
    clock.at = (await found(order_id)).expires_at + poll_schedule.TAIL[0]
    await transact(recharges.absent, order_id)
    assert (await found(order_id)).due_at is None


async def test_a_pay_page_without_an_end_has_a_quarter_of_an_hour(asha: int, clock: Clock) -> None:
    order_id = (await placed(asha)).merchant_order_id
    clock.at += timedelta(seconds=5)
    await transact(recharges.opened, order_id, recharges.Payment("OMO1", "PENDING", "https://pay.example/1", None))
    assert (await found(order_id)).expires_at == clock.at + timedelta(minutes=15)
