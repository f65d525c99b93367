"""Scenes of orders on their way (payments.md R17-R29, R36, R37, R40): refusals, silence, clicks, kills, odd amounts."""

from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from domain import funnel, placing, recharges, sign_ins
from domain.db import database, read, transact
from domain.models import OrderState, RechargeOrder, User
from domain.placing import RechargeRefused
from domain.recharges import GatewayRefused
from domain.sign_ins import Browser, hash_token
from evapp.web import auth
from tests.money.house import RUPEES_500, found, placed, rows
from tests.money.orders import SILENT, accept, refuse
from tests.money.rows import scene, told
from tests.money.scene_of_a_recharge import ADDED, MINE, Street, Told, books_of
from tests.money.test_hosts import DESK, REAL, UAT, refusals
from tests.unit.evapp.state.test_recharge import tab


@scene("R17")
async def pay_refused(street: Street) -> Told:
    street.gateway.create_raises.append(GatewayRefused("BAD_REQUEST", "no"))
    order_id = await street.opened()
    polls = street.gateway.calls["status"]
    await street.polled(hours=1)
    assert street.gateway.calls["status"] == polls
    assert (await found(order_id)).state == OrderState.REJECTED
    return Told(0, "PhonePe did not open its page for {sum}. Nothing was charged.", (street.polled,))


@scene("R18")
async def pay_lost(street: Street) -> Told:
    street.gateway.raises_after = True
    street.gateway.create_raises.append(SILENT)
    order_id = await street.opened()
    street.gateway.pay(order_id)
    await street.polled(minutes=5)
    assert street.gateway.calls["create"] == 1
    return Told(RUPEES_500, ADDED, (street.polled, partial(funnel.begin, street.gateway, order_id)))


@scene("R19")
async def id_used_before(street: Street) -> Told:
    order_id = (await placed(street.asha)).merchant_order_id
    await street.gateway.create(
        merchant_order_id=order_id, amount_paise=RUPEES_500, redirect_url="http://app.test", user_ref="u"
    )
    await funnel.begin(street.gateway, order_id)
    assert (await found(order_id)).state == OrderState.PENDING
    street.gateway.pay(order_id)
    await street.settles(order_id)()
    return Told(RUPEES_500, ADDED, (street.settles(order_id),))


@scene("R20")
async def token_revoked(street: Street) -> Told:
    town = street.town
    order_id = await town.opened(street.asha)
    town.sandbox.faults["webhook"].append("drop")
    await town.sandbox.choose(order_id, "pay")
    before = town.sandbox.calls["token"]

    async def revoked_meanwhile() -> None:
        town.sandbox.tokens.clear()
        await funnel.settle(town.client, order_id)

    await revoked_meanwhile()
    assert town.sandbox.calls["token"] == before + 1
    return Told(RUPEES_500, ADDED, (revoked_meanwhile,))


@scene("R21")
async def no_token_for_an_hour(street: Street) -> Told:
    """From a boot on: what was paid before arrives when it is over, and what is wished meanwhile costs nothing."""
    town = street.town
    paid_before = await town.opened(street.asha)
    town.sandbox.faults["webhook"].append("drop")
    await town.sandbox.choose(paid_before, "pay")
    town.sandbox.faults["token"].extend(["503"] * 1_000)
    booted = town.new_client()
    wished = (await placed(street.asha, nonce="n2")).merchant_order_id
    for minutes in (1, 5, 15, 60):
        assert await funnel.begin(booted, wished) == ""
        await funnel.poll(booted, street.clock.at + timedelta(minutes=minutes))
    assert "Waiting for PhonePe" in await read(told, street.asha)
    town.sandbox.faults["token"].clear()
    street.clock.at += timedelta(hours=6)

    async def polled() -> None:
        while await funnel.poll(booted, street.clock.at):
            pass

    await polled()
    assert (await found(wished)).state == OrderState.FAILED
    return Told(RUPEES_500, ADDED, (polled, partial(funnel.settle, booted, paid_before)))


@scene("R22")
async def status_broken(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.status_raises.extend([SILENT] * 3)
    for _ in range(3):
        await street.settles(order_id)()
    assert (await found(order_id)).state == OrderState.PENDING
    street.gateway.pay(order_id)
    await street.polled(minutes=5)
    return Told(RUPEES_500, ADDED, (street.polled,))


@scene("R23")
async def double_click(street: Street) -> Told:
    order_id = await street.paid()
    again = partial(transact, placing.place, street.asha, RUPEES_500, "n1")
    assert (await again()).merchant_order_id == order_id
    return Told(RUPEES_500, ADDED, (again, partial(funnel.begin, street.gateway, order_id)))


@scene("R24")
async def two_at_once(street: Street) -> Told:
    first, second = await street.opened("a"), await street.opened("b")
    for order_id in (second, first):
        street.gateway.pay(order_id)
        await street.rings(order_id)()
    return Told(2 * RUPEES_500, f"{MINE}\n{MINE}", (street.settles(first), street.settles(second)))


@scene("R25")
async def killed_before_the_credit(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.pay(order_id)
    await transact(recharges.due, street.clock.at + timedelta(minutes=1))
    await street.polled(minutes=2)
    return Told(RUPEES_500, ADDED, (street.polled, street.settles(order_id)))


@scene("R26")
async def killed_before_pay(street: Street) -> Told:
    await placed(street.asha)
    await street.polled(minutes=16)
    return Told(0, "PhonePe did not take the {sum}.", (street.polled,))


@scene("R27")
async def killed_after_the_credit(street: Street) -> Told:
    order_id = await street.paid()
    return Told(RUPEES_500, ADDED, (street.settles(order_id), partial(street.polled, hours=1)))


@scene("R28")
async def amounts_that_are_none(street: Street) -> Told:
    async def wishes() -> None:
        for amount in (49_999, 0, -50_000, 500.001, 10**9, "५००", float("nan"), None):
            with pytest.raises(RechargeRefused, match=r"The (least|most) you can add"):
                await transact(placing.place, street.asha, amount, "n1")  # type: ignore[arg-type]

    await wishes()
    return Told(0, "", (wishes,))


@scene("R29")
async def amount_tampered(street: Street) -> Told:
    """The page's form says 1 where its button said 1,000, or a sum of its own: the server reads rupees, and no less
    than the least."""

    def sign_in(db: Session) -> None:
        sign_ins.start(db, db.get_one(User, street.asha), Browser(hash_token("phone"), "", ""))

    async def tampers() -> None:
        with patch.object(auth, "scope_of", lambda state: {"ev.sign_in": hash_token("phone")}):
            page = await tab("socket1")
            await page.pay({"amount": "1"})
            assert page.error == "The least you can add is ₹500."
            await page.pay({"amount": {"paise": 100_000}})
            assert page.error == "Enter the amount in digits, like 750 or 750.50."

    await transact(sign_in)
    await tampers()
    assert await read(rows, RechargeOrder) == 0
    return Told(0, "", (tampers,))


@scene("R36")
async def hosts_mixed(street: Street) -> Told:
    """The server does not start, so nobody can begin a recharge; its sentence names what is mixed."""

    async def starts() -> None:
        for oauth_url in (UAT, DESK):
            assert any("mix a real host" in sentence for sentence in refusals(REAL | {"phonepe_oauth_url": oauth_url}))

    await starts()
    return Told(0, "", (starts,))


@scene("R37")
async def words_nobody_knows(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.say(order_id, "EXPIRED", payment_mode="UPI_LITE_9")
    await street.settles(order_id)()
    return Told(0, "Waiting for PhonePe", (street.settles(order_id),))


@scene("R40")
async def database_refuses(street: Street) -> Told:
    """It takes no entry: nothing half-written, the order stays due, and the next ask credits it."""
    order_id = await street.opened()
    street.gateway.pay(order_id)
    before = await read(books_of)
    refuse(database())
    await street.polled(seconds=25)
    with pytest.raises(DBAPIError, match="disk is full"):
        await street.rings(order_id)()
    assert await read(books_of) == before
    assert (await found(order_id)).due_at is not None
    accept(database())
    await street.polled(minutes=1)
    return Told(RUPEES_500, ADDED, (street.polled, street.rings(order_id)))
