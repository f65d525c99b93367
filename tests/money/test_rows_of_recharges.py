"""Rows of a recharge and a refund, judged by the one oracle: what PhonePe took and gave is what the wallet has."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from unittest.mock import patch

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from domain import accounts, attempts, findings, funnel, recharges, settled_payments, sign_ins, wallet
from domain.breaker import Breaker
from domain.db import database, read, transact
from domain.models import Account, Entry, Hold, OrderState, RechargeOrder, Refund, Transfer, User
from domain.recharges import GatewayRefused, NotYours, RechargeRefused
from domain.refunds import RefundRefused
from domain.sign_ins import Browser, hash_token
from evapp.web import auth
from tests.money import orders
from tests.money.house import RUPEES_500, Clock, Gateway, driver, found, money, owe, placed, rows
from tests.money.orders import SILENT, accept, refuse
from tests.money.rows import SCENES, scene, told
from tests.money.test_hosts import DESK, REAL, UAT, refusals
from tests.money.test_settlement_report import line
from tests.money.town import Town
from tests.unit.evapp.state.test_recharge import tab

Again = Callable[[], Awaitable[object]]


class Street(NamedTuple):
    """Whom a scene is about."""

    asha: int
    gateway: Gateway
    clock: Clock
    town: Town
    """Another PhonePe, with doors: the sandbox and our real client."""

    async def opened(self, nonce: str = "n1") -> str:
        order = await placed(self.asha, nonce=nonce)
        await funnel.begin(self.gateway, order.merchant_order_id)
        return order.merchant_order_id

    async def paid(self, nonce: str = "n1") -> str:
        return await orders.paid(self.gateway, self.asha, nonce)

    def settles(self, order_id: str) -> Again:
        return partial(funnel.settle, self.gateway, order_id)

    def rings(self, order_id: str) -> Again:
        return partial(funnel.rang, self.gateway, order_id, b'{"state": "COMPLETED"}')

    async def polled(self, **after: float) -> None:
        self.clock.at += timedelta(**after)
        await funnel.poll(self.gateway, self.clock.at)

    async def refunded(self, order_id: str, paise: int = 20_000, key: str = "k1") -> str:
        return await orders.sent(self.gateway, order_id, paise, key)

    def asks(self, refund_id: str) -> Again:
        return partial(funnel.settle_refund, self.gateway, refund_id)


class Told(NamedTuple):
    """What the model says of a scene."""

    brought: int
    """Paise that the driver has got from it, arrears paid with it included."""
    reads: str
    again: tuple[Again, ...] = ()


ADDED = "was added."
MINE = "Added: Recharge with PhonePe"


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
    again = partial(transact, recharges.place, street.asha, RUPEES_500, "n1")
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
                await transact(recharges.place, street.asha, amount, "n1")  # type: ignore[arg-type]

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
            assert page.error == "Write the amount in digits, like 750 or 750.50."

    await transact(sign_in)
    await tampers()
    assert await read(rows, RechargeOrder) == 0
    return Told(0, "", (tampers,))


@scene("R30")
async def refund(street: Street) -> Told:
    order_id = await street.paid()
    refund_id = await street.refunded(order_id)
    assert "Refunded: On its way back to where you paid from" in await read(told, street.asha)
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
        with pytest.raises(RefundRefused, match=r"The wallet has ₹50\.00 that nothing holds and nobody is owed\."):
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


def books_of(db: Session) -> list[str]:
    """What a repetition must not change."""
    tables = (Account, Transfer, Entry, Hold)
    rows = [sorted(map(repr, (row.model_dump() for row in db.exec(select(table))))) for table in tables]
    orders = [(order.merchant_order_id, order.state) for order in db.exec(select(RechargeOrder))]
    return [*map(str, rows), *map(str, orders), *(f"{r.merchant_refund_id} {r.state}" for r in db.exec(select(Refund)))]


@pytest.mark.parametrize("row", [row for row in SCENES if row.startswith("R")])
async def test_the_oracle(
    asha: int, gateway: Gateway, clock: Clock, town: Town, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audit clean (by the fixture), wallet = model, a true sentence, and a repetition that changes nothing."""
    monkeypatch.setattr(funnel, "breaker", Breaker(lambda: clock.at.timestamp()))
    outcome = await SCENES[row](Street(asha, gateway, clock, town))  # type: ignore[misc]
    has = await read(money, asha)
    assert has.balance_paise - has.arrears_paise == outcome.brought
    assert has.held_paise == 0
    assert outcome.reads in await read(told, asha)
    assert outcome.again
    for event in outcome.again:
        before = await read(books_of)
        await event()
        assert await read(books_of) == before
