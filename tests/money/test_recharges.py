"""Adding money, row by row of payments.md 3.1: whatever fails, paid money is credited once and nothing else is."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from domain import accounts, funnel, poll_schedule, recharges, wallet
from domain.db import Database, read, transact
from domain.events import RechargeChanged, WalletChanged
from domain.models import Account, Finding, GatewayEvent, OrderState
from domain.recharges import GatewayRefused, NotYours
from tests.money.house import (
    RUPEES_500,
    Clock,
    Gateway,
    Heard,
    credits,
    driver,
    found,
    money,
    placed,
    rows,
)
from tests.money.orders import opened

# Paying


@pytest.mark.row("R1")
async def test_paid_money_arrives_once_with_its_reference(asha: int, gateway: Gateway, database: Database) -> None:
    """R1."""
    heard = Heard(database)
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    order = await found(order_id)
    assert order.state == OrderState.CREDITED
    assert (order.utr, order.gateway_transaction_id, order.payment_mode) == ("455069731511", "OM1", "UPI_QR")
    assert order.due_at is None
    assert order.ended_at is not None
    assert await read(credits, asha) == [RUPEES_500]
    assert heard.of(WalletChanged)
    assert [event.state for event in heard.of(RechargeChanged)] == ["PENDING", "CREDITED"]  # type: ignore[attr-defined]


@pytest.mark.row("R23")
async def test_the_pay_page_comes_back_the_same(asha: int, gateway: Gateway) -> None:
    """R23: a second visit finds the page that is open; PhonePe is asked for one once (D4)."""
    order_id = (await placed(asha)).merchant_order_id
    pages = {*await asyncio.gather(*(funnel.begin(gateway, order_id) for _ in range(20)))}
    pages.add(await funnel.begin(gateway, order_id))
    assert len(pages) == 1
    assert pages.pop().endswith(f"/payments/return?order={order_id}")
    assert gateway.calls["create"] == 1


async def test_the_gateway_learns_no_name(asha: int, gateway: Gateway) -> None:
    order_id = await opened(gateway, asha)
    assert gateway.orders[order_id].body["ref"] == f"u_{asha}"


@pytest.mark.row("R24")
async def test_two_wishes_are_two_orders(asha: int, gateway: Gateway) -> None:
    """R24."""
    orders = [await opened(gateway, asha, nonce) for nonce in ("n1", "n2")]
    for order_id in orders:
        gateway.pay(order_id)
    await asyncio.gather(*(funnel.settle(gateway, order_id) for order_id in orders))
    assert await read(credits, asha) == [RUPEES_500, RUPEES_500]


@pytest.mark.row("R2", "R3")
async def test_a_closed_browser_and_no_webhook_are_no_loss(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R2, R3: the poller alone credits within 25 s."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    assert await funnel.poll(gateway, clock.at + timedelta(seconds=21)) == 0
    assert await funnel.poll(gateway, clock.at + timedelta(seconds=25)) == 1
    assert await read(credits, asha) == [RUPEES_500]
    assert await funnel.poll(gateway, clock.at + timedelta(days=9)) == 0


@pytest.mark.row("R4", "R6")
async def test_100_callers_at_once_make_one_credit_and_two_asks(asha: int, gateway: Gateway) -> None:
    """R4, R6."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await asyncio.gather(*(funnel.settle(gateway, order_id) for _ in range(100)))
    assert await read(credits, asha) == [RUPEES_500]
    assert gateway.calls["status"] <= 2


async def test_100_transactions_at_once_make_one_credit(asha: int, gateway: Gateway) -> None:
    """The same without the funnel's turns: as many processes would."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    said = gateway.orders[order_id]
    await asyncio.gather(*(transact(recharges.apply, order_id, said) for _ in range(100)))
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R6")
async def test_who_comes_while_an_old_answer_is_under_way_gets_a_new_one(asha: int, gateway: Gateway) -> None:
    """R6: the poller's answer is older than the payment that the webhook tells of."""
    order_id = await opened(gateway, asha)
    gateway.shut()
    poller = asyncio.create_task(funnel.settle(gateway, order_id))
    await gateway.asked.wait()
    gateway.pay(order_id)
    webhook = asyncio.create_task(funnel.rang(gateway, order_id, b"{}"))
    gateway.gate.set()
    await asyncio.gather(poller, webhook)
    assert await read(credits, asha) == [RUPEES_500]


async def test_the_gateway_is_asked_about_an_order_by_one_at_a_time(asha: int, gateway: Gateway) -> None:
    order_id = await opened(gateway, asha)
    gateway.shut()
    first = asyncio.create_task(funnel.settle(gateway, order_id))
    await gateway.asked.wait()
    others = [asyncio.create_task(funnel.settle(gateway, order_id)) for _ in range(50)]
    for _ in range(20):  # time enough for a second ask, if one were made
        await read(money, asha)
    assert gateway.calls["status"] == 1
    gateway.gate.set()
    await asyncio.gather(first, *others)
    assert gateway.calls["status"] == 2


@pytest.mark.row("R12")
async def test_a_decided_order_is_not_asked_about(asha: int, gateway: Gateway) -> None:
    """R12: whoever opens the return address again and again."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    for _ in range(5):
        await funnel.settle(gateway, order_id)
    assert gateway.calls["status"] == 1


@pytest.mark.row("R5")
async def test_a_late_pay_answer_does_not_undo_a_credit(asha: int, gateway: Gateway) -> None:
    """R5: the webhook is faster than the answer to the payment request."""
    order_id = (await placed(asha)).merchant_order_id
    gateway.shut()
    opening = asyncio.create_task(funnel.begin(gateway, order_id))
    await gateway.asked.wait()
    gateway.pay(order_id)
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    gateway.gate.set()
    assert await opening == ""
    order = await found(order_id)
    assert order.state == OrderState.CREDITED
    assert order.due_at is None
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R8")
async def test_a_webhook_that_lies_moves_nothing(asha: int, gateway: Gateway) -> None:
    """R8: only the status of the gateway is believed."""
    order_id = await opened(gateway, asha)
    lie = b'{"event":"checkout.order.completed","payload":{"state":"COMPLETED","amount":5000000}}'
    await funnel.rang(gateway, order_id, lie)
    assert (await found(order_id)).state == OrderState.PENDING
    assert await read(credits, asha) == []


@pytest.mark.row("R9")
async def test_a_webhook_for_nobodys_order_asks_nothing(asha: int, gateway: Gateway) -> None:
    """R9."""
    await funnel.rang(gateway, "RCH-nobody", b"{}")
    assert gateway.calls["status"] == 0
    assert await read(rows, GatewayEvent) == 0


@pytest.mark.row("R10")
async def test_a_replayed_webhook_asks_nothing_and_credits_nothing(asha: int, gateway: Gateway) -> None:
    """R10."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await funnel.rang(gateway, order_id, b"{}")
    asked = gateway.calls["status"]
    await asyncio.gather(*(funnel.rang(gateway, order_id, b"{}") for _ in range(50)))
    assert gateway.calls["status"] == asked
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R11")
async def test_another_amount_than_ours_is_not_credited(asha: int, gateway: Gateway) -> None:
    """R11: an operator must look; no later answer changes it."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id, amount_paise=RUPEES_500 - 1)
    await funnel.settle(gateway, order_id)
    order = await found(order_id)
    assert order.state == OrderState.MISMATCH
    assert order.due_at is None
    finding = (await read(lambda db: db.exec(select(Finding)).all()))[0]
    assert (finding.kind, finding.ref) == ("mismatch", order_id)
    gateway.pay(order_id, amount_paise=RUPEES_500)
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    assert (await found(order_id)).state == OrderState.MISMATCH
    assert await read(credits, asha) == []


@pytest.mark.row("R12")
async def test_an_order_is_its_owners_alone(asha: int, gateway: Gateway) -> None:
    """R12."""
    order_id = await opened(gateway, asha)
    ravi = await transact(driver, "ravi")
    assert (await read(recharges.owned, asha, order_id)).merchant_order_id == order_id
    with pytest.raises(NotYours):
        await read(recharges.owned, ravi, order_id)
    for nobodys in ("RCH-0", "", "a\x00b", "\ud800", "x" * 64, "५"):
        with pytest.raises(NotYours):
            await read(recharges.owned, asha, nobodys)
    assert await read(recharges.of_user, ravi) == []


@pytest.mark.row("R17")
async def test_a_refusal_rejects_the_order_and_ends_the_asking(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R17."""
    order_id = (await placed(asha)).merchant_order_id
    gateway.create_raises.append(GatewayRefused("BAD_REQUEST", "no"))
    assert await funnel.begin(gateway, order_id) == ""
    order = await found(order_id)
    assert (order.state, order.error_code, order.due_at) == (OrderState.REJECTED, "BAD_REQUEST", None)
    assert await funnel.poll(gateway, clock.at + timedelta(days=4)) == 0


@pytest.mark.row("R25")
async def test_a_crash_after_the_gateways_success_is_healed_by_the_boot_sweep(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    """R25: the process died between the gateway's answer and the credit; another one starts much later."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    clock.at += timedelta(hours=5)
    await funnel.poll(gateway, clock.at)
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R25")
async def test_a_crash_between_taking_and_asking_loses_nothing(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R25: an order that was taken is already due again, up to the last ask and after it."""
    order_id = await opened(gateway, asha)
    expires_at = (await found(order_id)).expires_at
    for late in poll_schedule.TAIL:
        clock.at = expires_at + late
        assert await transact(recharges.due, clock.at) == [order_id]
        assert (await found(order_id)).due_at is not None
    gateway.pay(order_id)
    assert await funnel.poll(gateway, clock.at + recharges.AGAIN) == 1
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R27")
async def test_the_same_news_again_changes_nothing(asha: int, gateway: Gateway, database: Database) -> None:
    """R27: killed between the commit and the browser; whoever asks again finds it done."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    before, heard = await found(order_id), Heard(database)
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    await transact(recharges.absent, order_id)
    await transact(recharges.unknown, order_id)
    await transact(recharges.rejected, order_id, "LATE")
    assert (await found(order_id)).model_dump() == before.model_dump()
    assert heard.events == []
    assert await read(credits, asha) == [RUPEES_500]


async def test_steps_in_odd_orders_end_right(asha: int, gateway: Gateway) -> None:
    """Killed and resumed anywhere: the states only move towards the truth."""
    order_id = (await placed(asha)).merchant_order_id
    payment = await gateway.create(merchant_order_id=order_id, amount_paise=RUPEES_500, redirect_url="", user_ref="")
    await transact(recharges.unknown, order_id)
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    await transact(recharges.rejected, order_id, "TOO_LATE")
    await transact(recharges.absent, order_id)
    assert (await found(order_id)).state == OrderState.PENDING
    gateway.say(order_id, "FAILED")
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    await transact(recharges.opened, order_id, payment)
    assert (await found(order_id)).state == OrderState.FAILED
    gateway.pay(order_id)
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    await transact(recharges.opened, order_id, payment)
    assert (await found(order_id)).state == OrderState.CREDITED
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R34")
async def test_money_of_a_blocked_driver_is_still_his(asha: int, gateway: Gateway) -> None:
    """R34; that of one who left: scenes_of_refunds.py."""
    order_id = await opened(gateway, asha)
    await transact(accounts.block, asha)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R35")
@pytest.mark.parametrize("wrong", [timedelta(hours=-10), timedelta(minutes=-10), timedelta(days=10)])
async def test_a_wrong_clock_neither_ends_nor_eternalises_an_order(
    asha: int, gateway: Gateway, clock: Clock, wrong: timedelta
) -> None:
    """R35: the gateway's expiry is a moment of its own clock."""
    gateway.expires_at = clock.at + wrong
    order_id = await opened(gateway, asha)
    order = await found(order_id)
    shortest, longest = recharges.LIFETIMES
    assert clock.at + shortest <= order.expires_at <= clock.at + longest
    assert order.due_at == order.created_at + poll_schedule.FIRST


@pytest.mark.row("R37")
@pytest.mark.parametrize("state", ["EXPIRED", "completed", "COMPLETED ", "CONFIRMED", "", "PAYMENT_SUCCESS"])
async def test_a_state_nobody_knows_is_not_paid(asha: int, gateway: Gateway, state: str) -> None:
    """R37."""
    order_id = await opened(gateway, asha)
    gateway.say(order_id, state)
    await funnel.settle(gateway, order_id)
    assert (await found(order_id)).state == OrderState.PENDING
    assert await read(credits, asha) == []


@pytest.mark.row("R40")
async def test_a_database_that_fails_at_the_credit_keeps_everything_due(
    asha: int, gateway: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R40: no half-written credit; the poller tells nobody lies and tries again."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)

    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(wallet, "fund_open_hold", full)
        assert await funnel.poll(gateway, clock.at + poll_schedule.FIRST) == 1
        with pytest.raises(OperationalError):
            await funnel.settle(gateway, order_id)
    order = await found(order_id)
    assert order.state == OrderState.PENDING
    assert order.due_at is not None
    assert await read(credits, asha) == []
    await funnel.poll(gateway, order.due_at)
    assert await read(credits, asha) == [RUPEES_500]


async def test_one_bad_order_does_not_stop_the_others(asha: int, gateway: Gateway, clock: Clock) -> None:
    orders = [await opened(gateway, asha, f"n{n}") for n in range(3)]
    for order_id in orders:
        gateway.pay(order_id)
    gateway.status_raises.append(RuntimeError("a bug"))
    assert await funnel.poll(gateway, clock.at + poll_schedule.FIRST) == 3
    assert await read(credits, asha) == [RUPEES_500, RUPEES_500]


# What is kept


async def test_the_pending_list_is_newest_first_and_holds_what_is_undecided(asha: int, gateway: Gateway) -> None:
    orders = [await opened(gateway, asha, f"n{n}") for n in range(4)]
    await placed(asha, nonce="never opened")
    gateway.pay(orders[0])
    gateway.say(orders[1], "FAILED")
    for order_id in orders:
        await funnel.settle(gateway, order_id)
    assert [order.merchant_order_id for order in await read(recharges.of_user, asha)] == [orders[3], orders[2]]


async def test_the_pay_page_is_only_for_orders_that_can_be_paid(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await opened(gateway, asha)
    order = await found(order_id)
    assert recharges.pay_page(order, clock.at) == order.redirect_url != ""
    assert recharges.pay_page(order, order.expires_at) == ""
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert recharges.pay_page(await found(order_id), clock.at) == ""


async def test_two_processes_do_not_take_the_same_order(asha: int, gateway: Gateway, clock: Clock) -> None:
    orders = {await opened(gateway, asha, f"n{n}") for n in range(8)}
    later = clock.at + poll_schedule.FIRST
    taken = await asyncio.gather(*(transact(recharges.due, later, 3) for _ in range(6)))
    assert sorted(order_id for some in taken for order_id in some) == sorted(orders)


async def test_no_house_account_but_the_gateway_gave(asha: int, gateway: Gateway) -> None:
    order_id = await opened(gateway, asha)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert (await read(lambda db: db.get_one(Account, wallet.GATEWAY))).balance_paise == -RUPEES_500
