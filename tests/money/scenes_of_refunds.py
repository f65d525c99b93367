"""Scenes of refunds, and of money that comes late or reports twice (payments.md R30-R35, R38, R39)."""

from datetime import timedelta
from functools import partial

import pytest

from domain import accounts, attempts, findings, settled_payments, wallet
from domain.db import read, transact
from domain.models import OrderState
from domain.refunds import RefundRefused
from tests.money.house import RUPEES_500, found, money, owe
from tests.money.orders import SILENT
from tests.money.rows import scene, told
from tests.money.scene_of_a_recharge import ADDED, Street, Told
from tests.money.test_settlement_report import line


@scene("R30")
async def refund(street: Street) -> Told:
    order_id = await street.paid()
    refund_id = await street.refunded(order_id)
    assert "Refunded: On its way back to where you paid from: banks need 5 to 7 working days" in await read(
        told, street.asha
    )
    with pytest.raises(RefundRefused, match="are on their way back already"):
        await street.refunded(order_id, key="k2")
    for state in ("CONFIRMED", "COMPLETED"):
        street.gateway.say_refund(refund_id, state)
        await street.asks(refund_id)()
    return Told(RUPEES_500 - 20_000, "Refunded: Paid back to where you paid from", (street.asks(refund_id),))


@scene("R31")
async def refund_failed(street: Street) -> Told:
    order_id = await street.paid()
    refund_id = await street.refunded(order_id)
    street.gateway.say_refund(refund_id, "FAILED")
    await street.asks(refund_id)()
    again = await street.refunded(order_id, key="k2")
    street.gateway.say_refund(again, "FAILED")
    await street.asks(again)()
    return Told(RUPEES_500, "PhonePe could not pay it back", (street.asks(refund_id), street.asks(again)))


@scene("R32")
async def refund_answer_lost(street: Street) -> Told:
    order_id = await street.paid()
    street.gateway.raises_after = True
    street.gateway.refund_raises.append(SILENT)
    refund_id = await street.refunded(order_id)
    street.gateway.say_refund(refund_id, "COMPLETED")
    await street.asks(refund_id)()
    assert street.gateway.calls["refund"] == 1
    return Told(RUPEES_500 - 20_000, "Refunded: Paid back to where you paid from", (street.asks(refund_id),))


@scene("R33")
async def refund_too_large(street: Street) -> Told:
    """More than is left of the recharge after an earlier refund, then more than is left in the wallet."""
    order_id = await street.paid()
    refund_id = await street.refunded(order_id)
    street.gateway.say_refund(refund_id, "COMPLETED")
    await street.asks(refund_id)()

    async def wishes_too_much_of_it() -> None:
        with pytest.raises(RefundRefused, match=r"No more than ₹300\.00 of this recharge can go back\."):
            await street.refunded(order_id, 30_001, "k2")

    async def wishes_what_he_has_not() -> None:
        with pytest.raises(RefundRefused, match=r"The wallet has only ₹50\.00 that is neither set aside nor owed\."):
            await street.refunded(order_id, 5_001, "k3")

    await wishes_too_much_of_it()
    await transact(wallet.adjust, street.asha, -25_000, key="spent", reason="for a test")
    await wishes_what_he_has_not()
    return Told(5_000, "Adjusted: for a test", (wishes_too_much_of_it, wishes_what_he_has_not))


@scene("R34")
async def driver_gone_meanwhile(street: Street) -> Told:
    """He left after a failure that was none: his wallet has the money without his name, and an operator a task."""
    order_id = await street.opened()
    street.gateway.say(order_id, "FAILED")
    await street.settles(order_id)()
    attempt = await transact(attempts.attempt, "pin", user_id=street.asha, address="203.0.113.7")
    await transact(accounts.delete, attempt)
    street.gateway.pay(order_id)
    await street.polled(hours=1)
    assert await read(lambda db: [(f.kind, f.ref) for f in findings.unresolved(db)]) == [("refund-due", order_id)]
    return Told(RUPEES_500, ADDED, (street.settles(order_id),))


@scene("R35")
async def clock_wrong(street: Street) -> Told:
    street.gateway.expires_at = street.clock.at - timedelta(minutes=10)
    order_id = await street.opened()
    await street.settles(order_id)()
    assert (await found(order_id)).state == OrderState.PENDING
    street.gateway.pay(order_id)
    await street.settles(order_id)()
    return Told(RUPEES_500, ADDED, (street.settles(order_id),))


@scene("R38")
async def arrears(street: Street) -> Told:
    await transact(owe, street.asha, 12_000)
    order_id = await street.paid()
    assert await read(money, street.asha) == wallet.Balance(RUPEES_500 - 12_000, 0, 0)
    return Told(RUPEES_500 - 12_000, "Added, taken for what you owed", (street.settles(order_id),))


@scene("R39")
async def report_twice(street: Street) -> Told:
    order_id = await street.paid()
    imports = partial(transact, settled_payments.take, [line(order_id), line("RCH-nobody")])
    assert [each.kind for each in (await imports()).found] == ["settled-unknown"]

    async def imported_again() -> None:
        done = await imports()
        assert (done.new, done.found) == (0, [])

    return Told(RUPEES_500, ADDED, (imported_again, imported_again))
