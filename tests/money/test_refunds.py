"""What becomes of a refund, row by row of payments.md 3.1: the money is in one place at a time, and goes back once."""

import asyncio
import json
import re
from datetime import timedelta

import pytest
from sqlmodel import col, select

from domain import accounts, funnel, recharges, recheck, refunds, story, wallet
from domain.db import Database, read, transact
from domain.events import WalletChanged
from domain.models import Account, Finding, GatewayEvent, RefundState
from domain.money import plain_rupees
from domain.recharges import GatewayRefused, GatewayUnavailable
from domain.sentences import ON_ITS_WAY
from tests.money.house import (
    RUPEES_500,
    Clock,
    Gateway,
    Heard,
    charge,
    credits,
    found,
    money,
    owe,
    placed,
)
from tests.money.orders import accept, findings, paid, pots, refund_of, refuse, sent

# What becomes of it


@pytest.mark.row("R30")
async def test_pending_confirmed_completed(asha: int, gateway: Gateway) -> None:
    """R30: the statuses are shown, the money stays in clearing until the end, and the end is the end."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    assert (await refund_of(refund_id)).gateway_refund_id == "OMR1"
    for state, clearing, words in (
        ("PENDING", 20_000, ON_ITS_WAY),
        ("CONFIRMED", 20_000, ON_ITS_WAY),
        ("COMPLETED", 0, "Paid back to where you paid from"),
    ):
        gateway.say_refund(refund_id, state)
        for _ in range(2):
            await funnel.settle_refund(gateway, refund_id)
        assert (await refund_of(refund_id)).state == state
        assert await pots(asha) == (30_000, clearing, 30_000 + clearing)
        line = (await read(story.lines, asha))[0]
        assert (line.kind, line.amount_paise, line.description) == ("refund", -20_000, words)
        assert line.balance_after_paise == 30_000
    refund = await refund_of(refund_id)
    assert refund.due_at is None and refund.ended_at is not None


async def test_a_page_hears_of_each_step(asha: int, gateway: Gateway, database: Database) -> None:
    """Money that moves nowhere changes its words all the same."""
    refund_id = await sent(gateway, await paid(gateway, asha))
    heard = Heard(database)
    gateway.say_refund(refund_id, "CONFIRMED")
    await funnel.settle_refund(gateway, refund_id)
    assert heard.of(WalletChanged) == [WalletChanged(asha)]


async def test_confirmed_does_not_fall_back(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    for state in ("CONFIRMED", "PENDING", "ACCEPTED", "completed", ""):
        gateway.say_refund(refund_id, state)
        await funnel.settle_refund(gateway, refund_id)
        assert (await refund_of(refund_id)).state == RefundState.CONFIRMED


@pytest.mark.row("R31")
async def test_failed_comes_back_once_and_a_new_one_is_allowed(asha: int, gateway: Gateway) -> None:
    """R31."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "FAILED", error_code="BANK_DOWN")
    await asyncio.gather(*(funnel.settle_refund(gateway, refund_id) for _ in range(20)))
    await asyncio.gather(*(transact(refunds.apply, refund_id, gateway.refunds[refund_id]) for _ in range(20)))
    refund = await refund_of(refund_id)
    assert (refund.state, refund.error_code, refund.due_at) == (RefundState.FAILED, "BANK_DOWN", None)
    assert await pots(asha) == (50_000, 0, 50_000)
    told = [(line.amount_paise, line.description) for line in (await read(story.lines, asha))[:2]]
    assert told == [
        (20_000, "Back in your wallet: PhonePe could not pay it back"),
        (-20_000, "PhonePe could not pay it back"),
    ]
    again = await sent(gateway, order_id, 50_000, "k2")
    assert again != refund_id
    assert await pots(asha) == (0, 50_000, 50_000)


@pytest.mark.row("R31", "R38")
async def test_what_comes_back_clears_arrears_first(asha: int, gateway: Gateway) -> None:
    """R31, R38."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id, 50_000)
    await transact(owe, asha, 12_000)
    gateway.say_refund(refund_id, "FAILED")
    await funnel.settle_refund(gateway, refund_id)
    balance = await read(money, asha)
    assert (balance.balance_paise, balance.arrears_paise) == (38_000, 0)


@pytest.mark.row("R31", "R34")
@pytest.mark.parametrize("left", [True, False])
async def test_what_comes_back_to_somebody_who_has_left_is_told(asha: int, gateway: Gateway, left: bool) -> None:
    """R31, R34: the operator who sent it believed that it was on its way, and who is kept out does not look."""
    refund_id = await sent(gateway, await paid(gateway, asha))
    if left:
        await transact(accounts.block, asha)
    gateway.say_refund(refund_id, "FAILED")
    for _ in range(2):
        await funnel.settle_refund(gateway, refund_id)
    assert await findings() == [("refund-due", refund_id)] * left
    [came] = await read(lambda db: [one.detail for one in db.exec(select(Finding))]) or [""]
    assert came.startswith("₹200.00 came back to a driver who is blocked" if left else "")


async def test_what_comes_back_extends_the_hold_of_the_running_charge(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id, 40_000)
    session_id = await transact(charge, asha)
    await transact(wallet.hold, session_id, asha, at_least=1, at_most=200_000)
    gateway.say_refund(refund_id, "FAILED")
    await funnel.settle_refund(gateway, refund_id)
    assert (await read(money, asha)).held_paise == 50_000


async def test_a_refund_that_the_gateway_refuses_is_back_at_once(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(GatewayRefused("BAD_REQUEST", "no"))
    refund_id = await sent(gateway, order_id)
    refund = await refund_of(refund_id)
    assert (refund.state, refund.error_code) == (RefundState.REJECTED, "BAD_REQUEST")
    assert await pots(asha) == (50_000, 0, 50_000)
    await transact(refunds.rejected, refund_id, "LATE")
    assert (await refund_of(refund_id)).error_code == "BAD_REQUEST"


@pytest.mark.row("R32")
async def test_a_refund_that_the_gateway_knows_is_not_given_back_for_a_refusal(asha: int, gateway: Gateway) -> None:
    """R32: a restored backup sends it anew, and its id was used before."""
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(GatewayRefused("BAD_REQUEST", "merchantRefundId used before"))
    gateway.raises_after = True
    refund_id = await sent(gateway, order_id)
    assert (await refund_of(refund_id)).state == RefundState.PENDING
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).state == RefundState.COMPLETED
    assert await pots(asha) == (30_000, 0, 30_000)


async def test_a_refusal_whose_status_is_not_told_stays_open(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    gateway.refund_raises.append(GatewayRefused("BAD_REQUEST", "no"))
    gateway.refund_status_raises.append(GatewayUnavailable("away"))
    refund_id = await sent(gateway, order_id)
    assert (await refund_of(refund_id)).state == RefundState.UNKNOWN


async def test_another_amount_than_ours_does_not_end_it(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "COMPLETED", amount_paise=19_999)
    await funnel.settle_refund(gateway, refund_id)
    assert (await refund_of(refund_id)).state == RefundState.PENDING
    assert await pots(asha) == (30_000, 20_000, 50_000)
    assert await findings() == [("refund-mismatch", refund_id)]


@pytest.mark.parametrize(
    ("told", "state", "wallet_paise", "gateway_paise", "lost_paise", "left_paise"),
    [
        (15_000, RefundState.COMPLETED, 35_000, 35_000, 0, 35_000),
        (25_000, RefundState.COMPLETED, 30_000, 25_000, 5_000, 25_000),
        (0, RefundState.FAILED, 50_000, 50_000, 0, 50_000),
    ],
)
async def test_an_operator_ends_it_with_what_the_gateway_says_went_back(
    asha: int,
    gateway: Gateway,
    told: int,
    state: RefundState,
    wallet_paise: int,
    gateway_paise: int,
    lost_paise: int,
    left_paise: int,
) -> None:
    """What did not go back is the driver's; what went back beyond is lost until it is taken from his wallet."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "COMPLETED", amount_paise=told)
    await funnel.settle_refund(gateway, refund_id)
    await transact(refunds.accept, refund_id, gateway.refunds[refund_id])
    ended = await refund_of(refund_id)
    assert (ended.state, ended.due_at, ended.amount_paise) == (state, None, 20_000)
    assert ended.went_back_paise == (told or 20_000)
    assert await pots(asha) == (wallet_paise, 0, gateway_paise)
    goodwill = await read(lambda db: db.get(Account, wallet.GOODWILL))
    assert -(goodwill.balance_paise if goodwill else 0) == lost_paise
    with pytest.raises(refunds.RefundRefused, match=r"is (COMPLETED|FAILED)"):
        await transact(refunds.accept, refund_id, gateway.refunds[refund_id])
    too_much = re.escape(f"No more than {plain_rupees(left_paise)}")
    with pytest.raises(refunds.RefundRefused, match=too_much):
        await transact(refunds.request, order_id, left_paise + 1, key="k2", reason="the rest")
    rechecked = await recheck.recheck(gateway, ended.created_at)
    assert rechecked.asked == 1
    assert [each.kind for each in rechecked.found] == ([] if told else ["gateway-state"])


async def test_what_an_operator_went_by_is_kept(asha: int, gateway: Gateway) -> None:
    refund_id = await sent(gateway, await paid(gateway, asha))
    gateway.say_refund(refund_id, "COMPLETED", amount_paise=15_000)
    await transact(refunds.accept, refund_id, gateway.refunds[refund_id])
    bodies = await read(lambda db: db.exec(select(GatewayEvent.body).order_by(col(GatewayEvent.id))).all())
    assert json.loads(bodies[-1])["amount_paise"] == 15_000


async def test_what_the_gateway_has_not_ended_is_not_ended_by_an_operator(asha: int, gateway: Gateway) -> None:
    refund_id = await sent(gateway, await paid(gateway, asha))
    with pytest.raises(refunds.RefundRefused, match=r"PhonePe says PENDING of REF-\w+; there is nothing to book yet"):
        await transact(refunds.accept, refund_id, gateway.refunds[refund_id])
    assert (await refund_of(refund_id)).state == RefundState.PENDING
    assert await pots(asha) == (30_000, 20_000, 50_000)


@pytest.mark.parametrize(
    ("first", "then", "kind"),
    [("FAILED", "COMPLETED", "refund-late"), ("COMPLETED", "FAILED", "refund-undone"), ("COMPLETED", "PENDING", "")],
)
async def test_an_end_stays_and_a_contradiction_is_found(
    asha: int, gateway: Gateway, first: str, then: str, kind: str
) -> None:
    """The books do not follow a gateway that changes its mind; an operator does."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, first)
    await funnel.settle_refund(gateway, refund_id)
    before = await pots(asha)
    gateway.say_refund(refund_id, then)
    for _ in range(2):
        await transact(refunds.apply, refund_id, gateway.refunds[refund_id])
    assert (await refund_of(refund_id)).state == first
    assert await pots(asha) == before
    assert await findings() == ([(kind, refund_id)] if kind else [])


# Doorbells


@pytest.mark.row("R30")
@pytest.mark.parametrize("by", ["refund", "order"])
async def test_a_webhook_ends_the_clearing(asha: int, gateway: Gateway, by: str) -> None:
    """R30: in the envelope it names the refund; flat, only the recharge."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.rang(gateway, {"refund": refund_id, "order": order_id}[by], b"{}")
    assert (await refund_of(refund_id)).state == RefundState.COMPLETED
    kinds = await read(lambda db: db.exec(select(GatewayEvent.kind).order_by(col(GatewayEvent.id))).all())
    assert kinds[-3:] == ["refund", "webhook", "refund"]


@pytest.mark.row("R8")
async def test_a_webhook_that_lies_ends_nothing(asha: int, gateway: Gateway) -> None:
    """R8 for refunds: the status is asked, the words are not read."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    await funnel.rang(gateway, refund_id, b'{"event":"pg.refund.failed","payload":{"state":"FAILED"}}')
    assert (await refund_of(refund_id)).state == RefundState.PENDING


@pytest.mark.row("R10")
async def test_an_old_webhook_after_the_refund_credits_nothing(asha: int, gateway: Gateway) -> None:
    """R10."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id, 50_000)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    before = gateway.calls.copy()
    await asyncio.gather(*(funnel.rang(gateway, name, b"{}") for name in (order_id, refund_id) for _ in range(20)))
    assert gateway.calls == before
    await transact(recharges.apply, order_id, gateway.orders[order_id])
    assert await read(credits, asha) == [RUPEES_500]
    assert await pots(asha) == (0, 0, 0)


async def test_a_hundred_webhooks_ask_twice(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "COMPLETED")
    await asyncio.gather(*(funnel.rang(gateway, refund_id, b"{}") for _ in range(100)))
    assert gateway.calls["refund_status"] <= 3
    assert await pots(asha) == (30_000, 0, 30_000)


async def test_a_failed_refund_that_was_paid_after_all_is_heard(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "FAILED")
    await funnel.settle_refund(gateway, refund_id)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.rang(gateway, refund_id, b"{}")
    assert await findings() == [("refund-late", refund_id)]
    assert await pots(asha) == (50_000, 0, 50_000)


# People and databases


@pytest.mark.row("R34")
async def test_money_for_a_blocked_or_deleted_driver_is_a_task(asha: int, gateway: Gateway) -> None:
    """R34: credited to his wallet, and an operator sends it back from there."""
    order = await placed(asha)
    await funnel.begin(gateway, order.merchant_order_id)
    await transact(accounts.block, asha)
    gateway.pay(order.merchant_order_id)
    await funnel.settle(gateway, order.merchant_order_id)
    assert await findings() == [("refund-due", order.merchant_order_id)]
    refund_id = await sent(gateway, order.merchant_order_id, RUPEES_500)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    assert await pots(asha) == (0, 0, 0)


async def test_nobody_leaves_while_money_is_on_its_way_back(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id, RUPEES_500)
    with pytest.raises(accounts.NotDeleted, match="on its way back to you"):
        await read(accounts.may_leave, asha)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    await read(accounts.may_leave, asha)


@pytest.mark.row("R40")
@pytest.mark.parametrize("state", ["COMPLETED", "FAILED"])
async def test_a_database_that_refuses_keeps_everything_due(
    asha: int, gateway: Gateway, clock: Clock, database: Database, state: str
) -> None:
    """R40: the database itself says no in the middle; nothing half-written, asked again by the schedule."""
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, state)
    before = await refund_of(refund_id)
    refuse(database)
    clock.at += timedelta(seconds=15)
    assert await funnel.poll_refunds(gateway, clock.at) == 1
    refund = await refund_of(refund_id)
    assert refund.state == before.state and refund.due_at is not None
    assert await pots(asha) == (30_000, 20_000, 50_000)
    accept(database)
    await funnel.poll_refunds(gateway, refund.due_at)
    assert await pots(asha) == {"COMPLETED": (30_000, 0, 30_000), "FAILED": (50_000, 0, 50_000)}[state]


@pytest.mark.row("R40")
async def test_a_database_that_refuses_the_credit_loses_none(
    asha: int, gateway: Gateway, clock: Clock, database: Database
) -> None:
    """R40: the same for a recharge, refused by the database and not by a stand-in."""
    order = await placed(asha)
    await funnel.begin(gateway, order.merchant_order_id)
    gateway.pay(order.merchant_order_id)
    refuse(database)
    clock.at += timedelta(seconds=25)
    assert await funnel.poll(gateway, clock.at) == 1
    with pytest.raises(Exception, match="disk is full"):
        await funnel.rang(gateway, order.merchant_order_id, b"{}")
    stored = await found(order.merchant_order_id)
    assert stored.state == "PENDING" and stored.due_at is not None
    assert await read(credits, asha) == []
    accept(database)
    await funnel.poll(gateway, stored.due_at)
    assert await read(credits, asha) == [RUPEES_500]
