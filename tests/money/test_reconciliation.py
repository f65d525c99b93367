"""What does not fit together is found, kept as a row for the operator, and changes no money."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from domain import (
    findings,
    funnel,
    recheck,
    reconciliation,
    refunds,
    trail,
    wallet,
)
from domain.db import Database, read, transact
from domain.models import (
    ChargingSession,
    Entry,
    Hold,
    HoldState,
    OrderState,
    SessionState,
)
from domain.reconciliation import Discrepancy
from tests.money.house import RUPEES_500, Clock, Gateway, charge, credits, found, give, placed, rows
from tests.money.orders import SILENT, paid, sent


async def entries() -> int:
    return await read(rows, Entry)


async def kinds() -> list[tuple[str, str]]:
    return await read(lambda db: [(f.kind, f.ref) for f in findings.unresolved(db)])


async def change(**values: Any) -> None:
    """Change the one charging session."""

    def work(db: Session) -> None:
        session = db.exec(select(ChargingSession)).one()
        for name, value in values.items():
            setattr(session, name, value)
        db.add(session)

    await transact(work)


async def moments(clock: Clock) -> list[Discrepancy]:
    return await read(reconciliation.of_moments, clock.at)


# Inside: books and moments


async def test_a_house_in_order_has_nothing_to_find(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await paid(gateway, asha)
    await sent(gateway, order_id)
    session_id = await transact(charge, asha)
    await transact(wallet.hold, session_id, asha, at_least=1, at_most=10_000)
    assert await read(reconciliation.of_books) == []
    assert await moments(clock) == []


async def test_a_broken_rule_of_the_ledger_is_found(asha: int, database: Database) -> None:
    await transact(give, asha, 5_000)

    def damage(db: Session, by: int) -> None:
        spoil = text("UPDATE accounts SET balance_paise = balance_paise + :by WHERE kind = 'wallet'")
        db.connection().execute(spoil, {"by": by})

    await transact(damage, 1)
    seen = await read(reconciliation.of_books)
    assert [(each.kind, each.ref) for each in seen] == [("audit", "every balance is the sum of its entries")]
    assert f"wallet:{asha}" in seen[0].detail
    await transact(reconciliation.keep, seen)
    assert await kinds() == [("audit", "every balance is the sum of its entries")]
    await transact(damage, -1)


@pytest.mark.parametrize(
    ("state", "stopped", "found"),
    [
        (SessionState.CHARGING, timedelta(minutes=6), True),
        (SessionState.STOPPING, timedelta(minutes=6), True),
        (SessionState.CHARGING, timedelta(minutes=4), False),
        (SessionState.CANCELLED, timedelta(hours=6), False),
        (SessionState.INTERRUPTED, timedelta(hours=6), False),
    ],
)
async def test_a_charge_that_stopped_and_was_not_billed(
    asha: int, clock: Clock, state: SessionState, stopped: timedelta, found: bool
) -> None:
    await transact(charge, asha, 1, state)
    await change(stopped_at=clock.at - stopped)
    assert [each.kind for each in await moments(clock)] == (["unsettled"] if found else [])


@pytest.mark.row("C40")
@pytest.mark.parametrize("state", [SessionState.SETTLED, SessionState.CANCELLED])
async def test_a_hold_of_a_charge_that_is_over(asha: int, clock: Clock, state: SessionState) -> None:
    """C40: and what is held stays held until somebody looks."""
    await transact(give, asha, 5_000)
    session_id = await transact(charge, asha)
    await transact(wallet.hold, session_id, asha, at_least=1, at_most=5_000)
    await change(state=state)
    (seen,) = await moments(clock)
    assert seen.kind == "orphan-hold" and "₹50.00" in seen.detail
    await transact(reconciliation.keep, [seen])
    assert (await read(lambda db: db.exec(select(Hold)).one())).state == HoldState.OPEN
    await change(state=SessionState.CHARGING)


async def test_what_is_overdue_is_found_whatever_it_is(asha: int, gateway: Gateway, clock: Clock) -> None:
    order = await placed(asha)
    refund_id = await sent(gateway, await paid(gateway, asha, "n2"))
    await transact(charge, asha)
    await change(due_at=clock.at)
    clock.at += timedelta(minutes=9)
    assert await moments(clock) == []
    clock.at += timedelta(hours=1)
    session = await read(lambda db: db.exec(select(ChargingSession)).one())
    assert {(each.kind, each.ref) for each in await moments(clock)} == {
        ("overdue", order.merchant_order_id),
        ("overdue", refund_id),
        ("overdue", session.ref),
    }


async def test_a_finding_is_one_row_however_often_it_is_found(asha: int) -> None:
    for detail in ("first", "second"):
        await transact(reconciliation.keep, [Discrepancy("overdue", "RCH-1", detail)])
    ((number, detail),) = await read(lambda db: [(f.id, f.detail) for f in findings.unresolved(db)])
    assert detail == "second"
    await transact(findings.resolve, number, trail.shell())
    assert await kinds() == []
    await transact(reconciliation.keep, [Discrepancy("overdue", "RCH-1", "still")])
    assert await kinds() == [("overdue", "RCH-1")]


# The gateway's words of today


async def checked(gateway: Gateway, clock: Clock) -> list[tuple[str, str]]:
    """What the recheck finds; run twice, because looking must change nothing."""
    before = await entries()
    first = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    second = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    assert first.found == second.found
    assert await entries() == before
    return [(each.kind, each.ref) for each in second.found]


async def test_what_fits_is_no_finding(asha: int, gateway: Gateway, clock: Clock) -> None:
    await paid(gateway, asha)
    failed = (await placed(asha, nonce="n2")).merchant_order_id
    await funnel.begin(gateway, failed)
    gateway.say(failed, "FAILED")
    await funnel.settle(gateway, failed)
    answers = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    assert (answers.asked, answers.unanswered, answers.found) == (2, 0, [])


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"state": "FAILED"}, "gateway-state"),
        ({"state": "PENDING"}, "gateway-state"),
        ({"state": "COMPLETED", "amount_paise": 49_999}, "gateway-amount"),
        ({"state": "COMPLETED", "utr": "000000000000"}, "gateway-utr"),
        (None, "gateway-missing"),
    ],
)
async def test_a_credit_that_the_gateway_tells_otherwise(
    asha: int, gateway: Gateway, clock: Clock, told: dict[str, Any] | None, kind: str
) -> None:
    order_id = await paid(gateway, asha)
    if told is None:
        gateway.orders.clear()
    else:
        gateway.say(order_id, **told)
    assert await checked(gateway, clock) == [(kind, order_id)]
    assert (await found(order_id)).state == OrderState.CREDITED
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R14")
async def test_money_the_gateway_took_after_all_is_credited_by_the_funnel_and_told(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    """R14 after the end of all polling: never silently."""
    order_id = (await placed(asha)).merchant_order_id
    await funnel.begin(gateway, order_id)
    gateway.say(order_id, "FAILED")
    await funnel.settle(gateway, order_id)
    gateway.pay(order_id)
    answers = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    assert [(each.kind, each.ref) for each in answers.found] == [("gateway-state", order_id)]
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R11", "R14")
async def test_another_amount_that_the_gateway_took_after_all_is_not_told_as_credited(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    order_id = (await placed(asha)).merchant_order_id
    await funnel.begin(gateway, order_id)
    gateway.say(order_id, "FAILED")
    await funnel.settle(gateway, order_id)
    gateway.pay(order_id, amount_paise=40_000)
    [told] = (await recheck.recheck(gateway, clock.at - recheck.LATELY)).found
    assert told.detail == "It was FAILED; PhonePe says COMPLETED, so it is MISMATCH now."
    assert await read(credits, asha) == []


@pytest.mark.parametrize(
    ("ended", "told", "kinds"),
    [
        ("COMPLETED", {"state": "COMPLETED", "amount_paise": 19_999}, ["gateway-amount"]),
        ("COMPLETED", {"state": "PENDING"}, ["gateway-state"]),
        ("COMPLETED", {"state": "FAILED"}, ["refund-undone", "gateway-state"]),
        ("FAILED", {"state": "COMPLETED"}, ["refund-late", "gateway-state"]),
        ("FAILED", {"state": "PENDING"}, ["refund-late", "gateway-state"]),
        ("COMPLETED", None, ["gateway-missing"]),
        ("FAILED", None, []),
        ("FAILED", {"state": "FAILED"}, []),
        ("COMPLETED", {"state": "COMPLETED"}, []),
    ],
)
async def test_a_refund_that_the_gateway_tells_otherwise(
    asha: int, gateway: Gateway, clock: Clock, ended: str, told: dict[str, Any] | None, kinds: list[str]
) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, ended)
    await funnel.settle_refund(gateway, refund_id)
    if told is None:
        gateway.refunds.clear()
    else:
        gateway.say_refund(refund_id, **told)
    seen = await checked(gateway, clock)
    noted = await read(lambda db: [f.kind for f in findings.unresolved(db)])
    assert [*noted, *(kind for kind, _ in seen)] == kinds
    refund = await read(refunds.found, refund_id)
    assert refund is not None and refund.state == ended


async def test_only_what_ended_lately_is_asked_about(asha: int, gateway: Gateway, clock: Clock) -> None:
    await paid(gateway, asha)
    clock.at += recheck.LATELY + timedelta(seconds=1)
    await placed(asha, nonce="n2")
    answers = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    assert answers.asked == 0


async def test_a_silent_gateway_is_not_asked_all_night(asha: int, gateway: Gateway, clock: Clock) -> None:
    for n in range(8):
        await paid(gateway, asha, f"n{n}")
    gateway.status_raises.extend([SILENT, SILENT])
    answers = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    assert (answers.asked, answers.unanswered, answers.found) == (8, 2, [])
    gateway.status_raises.extend([SILENT] * 100)
    answers = await recheck.recheck(gateway, clock.at - recheck.LATELY)
    assert (answers.asked, answers.unanswered) == (recheck.PATIENCE, recheck.PATIENCE)


async def test_pages_of_orders_are_all_asked_about(
    asha: int, gateway: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recheck, "PAGE", 2)
    orders = [await paid(gateway, asha, f"n{n}") for n in range(5)]
    gateway.orders.clear()
    assert [ref for _, ref in await checked(gateway, clock)] == orders
