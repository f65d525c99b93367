"""Scenes of PhonePe's news of a payment (payments.md R1-R16): webhooks, polls, several, forged, late, of others."""

from functools import partial

import pytest

from domain import funnel, recharges
from domain.db import read, transact
from domain.models import OrderState
from domain.recharges import NotYours
from tests.money.house import RUPEES_500, driver, found, money, placed
from tests.money.rows import scene, told
from tests.money.scene_of_a_recharge import ADDED, MINE, Street, Told


@scene("R1")
async def normal(street: Street) -> Told:
    order_id = await street.paid()
    assert (await found(order_id)).utr
    return Told(RUPEES_500, MINE, (street.settles(order_id), street.rings(order_id)))


@scene("R2")
async def browser_closed(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.pay(order_id)
    await street.polled(minutes=10)
    return Told(RUPEES_500, MINE, (street.polled,))


@scene("R3")
async def no_webhook(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.pay(order_id)
    await street.polled(seconds=25)
    return Told(RUPEES_500, ADDED, (street.polled, street.rings(order_id)))


@scene("R4")
async def webhook_many_times(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.pay(order_id)
    await street.rings(order_id)()
    return Told(RUPEES_500, ADDED, (street.rings(order_id),) * 3)


@scene("R5")
async def webhook_before_the_pay_answer(street: Street) -> Told:
    order_id = (await placed(street.asha)).merchant_order_id
    payment = await street.gateway.create(
        merchant_order_id=order_id, amount_paise=RUPEES_500, redirect_url="http://app.test", user_ref="u"
    )
    street.gateway.pay(order_id)
    await street.rings(order_id)()
    await transact(recharges.opened, order_id, payment)
    assert (await found(order_id)).state == OrderState.CREDITED
    return Told(RUPEES_500, ADDED, (partial(transact, recharges.opened, order_id, payment),))


@scene("R6")
async def all_at_once_in_any_order(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.pay(order_id)
    for event in (street.settles(order_id), street.rings(order_id), partial(street.polled, seconds=30)):
        await event()
    return Told(RUPEES_500, ADDED, (street.polled, street.settles(order_id), street.rings(order_id)))


@scene("R7")
async def forged_credentials(street: Street) -> Told:
    town = street.town
    order_id = await town.opened(street.asha)
    town.sandbox.faults["webhook"].append("drop")
    order = await town.sandbox.choose(order_id, "pay")

    async def forged() -> None:
        town.sandbox.faults["webhook"].append("forged")
        assert await town.sandbox.bell.tell_order(order) == [401]
        await town.quiet()

    await forged()
    assert town.sandbox.calls["status"] == 0
    return Told(0, "Waiting for PhonePe", (forged,))


@scene("R8")
async def altered_body(street: Street) -> Told:
    order_id = await street.opened()
    lie = partial(funnel.rang, street.gateway, order_id, b'{"state": "COMPLETED", "amount": 5000000}')
    await lie()
    return Told(0, "Waiting for PhonePe", (lie,))


@scene("R9")
async def unknown_order(street: Street) -> Told:
    stray = street.rings("RCH-nobody")
    await stray()
    return Told(0, "", (stray,))


@scene("R10")
async def replay_after_a_refund(street: Street) -> Told:
    order_id = await street.paid()
    refund_id = await street.refunded(order_id, RUPEES_500)
    street.gateway.say_refund(refund_id, "COMPLETED")
    await street.asks(refund_id)()
    return Told(0, "Refunded: Paid back to where you paid from", (street.rings(order_id), street.settles(order_id)))


@scene("R11")
async def another_amount(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.pay(order_id, amount_paise=RUPEES_500 + 1)
    await street.settles(order_id)()
    return Told(0, "Nothing is lost: we are looking at it.", (street.settles(order_id), street.rings(order_id)))


@scene("R12")
async def somebody_elses_order(street: Street) -> Told:
    order_id = await street.opened()
    ravi = await transact(driver, "ravi")

    async def looks() -> None:
        with pytest.raises(NotYours):
            await read(recharges.owned, ravi, order_id)

    street.gateway.pay(order_id)
    await street.settles(order_id)()
    assert (await read(money, ravi)).balance_paise == 0
    return Told(RUPEES_500, ADDED, (looks, street.settles(order_id)))


@scene("R13")
async def pending_for_hours(street: Street) -> Told:
    order_id = await street.opened()
    await street.polled(hours=30)
    street.gateway.pay(order_id)
    await street.polled(hours=43)
    return Told(RUPEES_500, ADDED, (street.polled,))


@scene("R14")
async def failed_then_completed(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.say(order_id, "FAILED", error_code="ZM")
    await street.settles(order_id)()
    assert "If your bank did, PhonePe gives it back." in await read(told, street.asha)
    street.gateway.pay(order_id)
    await street.polled(hours=1)
    return Told(RUPEES_500, ADDED, (street.polled, street.settles(order_id)))


@scene("R15")
async def a_failed_attempt_before(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.say(order_id, "PENDING", error_code="TXN_AUTO_FAILED")
    await street.settles(order_id)()
    assert "Waiting for PhonePe" in await read(told, street.asha)
    street.gateway.pay(order_id)
    await street.settles(order_id)()
    return Told(RUPEES_500, ADDED, (street.settles(order_id),))


@scene("R16")
async def nobody_pays_in_time(street: Street) -> Told:
    order_id = await street.opened()
    street.gateway.say(order_id, "FAILED", error_code="EXPIRED")
    await street.polled(minutes=16)
    return Told(0, "PhonePe did not take the {sum}.", (street.polled, street.settles(order_id)))
