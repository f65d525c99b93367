"""What does not fit together is found, kept as a row for the operator, and changes no money."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from domain import (
    api_keys,
    api_writes,
    attempts,
    chores,
    findings,
    funnel,
    metrics,
    recheck,
    reconciliation,
    refunds,
    sign_ins,
    sweeper,
    trail,
    vitals,
    wallet,
)
from domain.db import Database, read, transact
from domain.models import (
    ApiWrite,
    ChargingSession,
    Chore,
    Entry,
    Hold,
    HoldState,
    OrderState,
    SessionState,
    SignIn,
    SignInAttempt,
    User,
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


# By the sweeper


async def test_a_clock_that_was_wrong_puts_no_chore_off(database: Database, clock: Clock) -> None:
    """A machine without a battery woke up years ahead, did its chores, and was then set right."""
    right, wrong = clock.at, clock.at + timedelta(days=3650)
    for at in (right, wrong):
        await transact(chores.take, "books", at, chores.next_night(at))
    await transact(chores.done, "books", wrong, chores.next_night(wrong))
    night = chores.next_night(right)
    assert await read(chores.is_due, "books", right)
    assert await transact(chores.take, "books", right, night)
    await transact(chores.done, "books", right, night)
    assert not await read(chores.is_due, "books", right)
    chore = await read(lambda db: db.exec(select(Chore)).one())
    assert (chore.done_at, chore.due_at) == (right, night)


async def test_a_chore_is_done_by_one_process_when_its_hour_has_come(asha: int, clock: Clock) -> None:
    due_again = clock.at + timedelta(hours=1)
    assert await read(chores.is_due, "books", clock.at)
    assert not await transact(chores.take, "books", clock.at, due_again)
    assert not await read(chores.is_due, "books", clock.at)
    next_time = due_again + timedelta(hours=1)
    taken = await asyncio.gather(*(transact(chores.take, "books", due_again, next_time) for _ in range(8)))
    assert sum(taken) == 1
    chore = await read(lambda db: db.exec(select(Chore)).one())
    assert (chore.taken_at, chore.due_at) == (due_again, due_again + chores.PATIENCE)
    await transact(chores.done, "books", due_again, next_time)
    chore = await read(lambda db: db.exec(select(Chore)).one())
    assert (chore.done_at, chore.due_at) == (due_again, next_time)


async def test_a_night_whose_process_died_is_not_left_out(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Half an hour later the books are compared after all, once."""
    await sweeper.sweep_books(gateway, clock.at)
    clock.at = chores.next_night(clock.at) - timedelta(minutes=5)
    gateway.say(await paid(gateway, asha), "FAILED")
    clock.at += timedelta(minutes=6)
    assert await transact(chores.take, "books", clock.at, chores.next_night(clock.at))
    for minutes, compared in ((29, []), (2, ["gateway-state"]), (40, ["gateway-state"])):
        clock.at += timedelta(minutes=minutes)
        await sweeper.sweep_books(gateway, clock.at)
        assert [kind for kind, _ in await kinds()] == compared


async def test_an_audit_that_fails_each_night_is_seen_by_its_age(
    asha: int, gateway: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each half hour it is taken up again; what counts is when one ended well, or how long a first one is awaited."""
    began = clock.at
    await sweeper.sweep_books(gateway, clock.at)
    with monkeypatch.context() as broken:
        broken.setattr(reconciliation, "of_books", _unreadable)
        for _ in range(2 * 48):
            clock.at += timedelta(minutes=30)
            if await read(chores.is_due, "books", clock.at):
                with pytest.raises(OSError, match="unreadable"):
                    await sweeper.sweep_books(gateway, clock.at)
    assert await _audit_age(clock) == clock.at - began
    clock.at += chores.PATIENCE
    await sweeper.sweep_books(gateway, clock.at)
    assert await _audit_age(clock) == timedelta(0)


def _unreadable(db: Session) -> list[Discrepancy]:
    raise OSError("unreadable")


async def _audit_age(clock: Clock) -> timedelta:
    [figures] = [figures for gauge, figures in await read(vitals.vitals, clock.at) if gauge is metrics.AUDIT_AGE]
    return timedelta(seconds=figures[()])


@pytest.mark.parametrize(
    ("at", "night"),
    [
        (datetime(2026, 11, 22, 20, 59, 59, tzinfo=UTC), datetime(2026, 11, 22, 21, tzinfo=UTC)),
        (datetime(2026, 11, 22, 21, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 21, tzinfo=UTC)),
    ],
)
def test_the_night_is_half_past_two_in_india(at: datetime, night: datetime) -> None:
    assert chores.next_night(at) == night


async def test_the_sweeper_compares_the_books_at_night_and_looks_every_ten_minutes(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    clock.at = night - timedelta(minutes=5)
    order_id = await paid(gateway, asha)
    gateway.say(order_id, "FAILED")
    asked = gateway.calls["status"]
    waiting = (await placed(asha, nonce="n2")).merchant_order_id
    await sweeper.sweep_books(gateway, clock.at)
    assert (await kinds(), gateway.calls["status"]) == ([], asked)
    clock.at = night + timedelta(minutes=30)
    for _ in range(3):
        await sweeper.sweep_books(gateway, clock.at)
    assert await kinds() == [("overdue", waiting), ("gateway-state", order_id)]
    assert gateway.calls["status"] == asked + 1


async def test_the_sweeper_forgets_old_tries_at_the_doors(asha: int, gateway: Gateway, clock: Clock) -> None:
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    await transact(attempts.knock, "login", "203.0.113.7", night - attempts.KEPT - timedelta(minutes=1))
    await transact(attempts.knock, "login", "203.0.113.7", night - attempts.KEPT + timedelta(hours=1))
    clock.at = night + timedelta(minutes=1)
    await sweeper.sweep_books(gateway, clock.at)
    left = await read(lambda db: db.exec(select(SignInAttempt.at)).all())
    assert set(left) == {night - attempts.KEPT + timedelta(hours=1)}


async def test_the_sweeper_forgets_old_sign_ins(asha: int, gateway: Gateway, clock: Clock) -> None:
    await sweeper.sweep_books(gateway, clock.at)
    browser = sign_ins.Browser("hash", "Chrome", "203.0.113.7")
    await transact(lambda db: sign_ins.start(db, db.get_one(User, asha), browser, clock.at))
    clock.at += sign_ins.IDLE + sign_ins.KEPT + timedelta(days=1)
    await sweeper.sweep_books(gateway, clock.at)
    assert await read(lambda db: db.exec(select(SignIn.id)).all()) == []


async def test_the_sweeper_forgets_old_answers_of_the_api(asha: int, gateway: Gateway, clock: Clock) -> None:
    key, _ = await transact(api_keys.create, "export", ["trail:read"])
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    for name, age in (("old", api_writes.KEPT + timedelta(hours=1)), ("new", timedelta(hours=1))):
        clock.at = night - age
        await transact(api_writes.begin, key.id or 0, name, "f")
    clock.at = night + timedelta(minutes=1)
    await sweeper.sweep_books(gateway, clock.at)
    assert await read(lambda db: db.exec(select(ApiWrite.name)).all()) == ["new"]
