"""What does not fit together is found, kept as a row for the operator, and changes no money."""

import asyncio
from datetime import UTC, date, datetime, timedelta
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
    recheck,
    reconciliation,
    refunds,
    settled_payments,
    sweeper,
    trail,
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
    SettledPayment,
    SignInAttempt,
)
from domain.reconciliation import Discrepancy
from domain.settled_payments import Line
from payments import settlement_report
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


# The settlement report

HEAD = (
    "PaymentType,MerchantReferenceId,PhonePeReferenceId,Amount,Fee,TransactionDate,SettlementDate,BankReferenceNo,"
    "IGST,CGST,SGST"
)


def line(reference: str, **other: Any) -> Line:
    today = datetime.now(UTC).date()
    told: dict[str, Any] = {
        "kind": "PAYMENT",
        "merchant_reference": reference,
        "gateway_reference": f"OM-{reference}",
        "amount_paise": RUPEES_500,
        "fee_paise": -500,
        "tax_paise": -90,
        "paid_on": today,
        "settled_on": today,
        "bank_reference": "UTR1",
    }
    return Line(**told | other)


async def settled(*lines: Line) -> list[tuple[str, str]]:
    done = await transact(settled_payments.take, list(lines))
    return [(each.kind, each.ref) for each in done.found]


async def test_a_report_that_fits_is_kept_line_by_line(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    refund_id = await sent(gateway, order_id)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    refund = line(refund_id, kind="REFUND", amount_paise=20_000)
    assert await settled(line(order_id), refund) == []
    assert await read(rows, SettledPayment) == 2


@pytest.mark.row("R39")
async def test_a_report_imported_again_changes_nothing(asha: int, gateway: Gateway) -> None:
    """R39: the same file, and one that overlaps it, also at the same time."""
    order_id, other = await paid(gateway, asha), await paid(gateway, asha, "n2")
    before = await entries()
    assert await settled(line(order_id), line("RCH-unknown")) == [("settled-unknown", "RCH-unknown")]
    again = await asyncio.gather(
        *(transact(settled_payments.take, [line("RCH-unknown"), line(order_id), line(other)]) for _ in range(8))
    )
    assert sum(done.new for done in again) == 1
    assert [done.found for done in again] == [[]] * 8
    assert await read(rows, SettledPayment) == 3
    assert await entries() == before


async def test_a_line_that_comes_with_other_figures_is_a_conflict(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    await settled(line(order_id))
    changed = line(order_id, amount_paise=49_000)
    assert await settled(changed) == [("settled-conflict", order_id)]
    assert await settled(line(order_id, fee_paise=-501)) == []
    (kept,) = await read(lambda db: db.exec(select(SettledPayment)).all())
    assert (kept.amount_paise, kept.fee_paise) == (RUPEES_500, -500)


async def test_lines_that_do_not_fit_our_books(asha: int, gateway: Gateway) -> None:
    credited, waiting = await paid(gateway, asha), (await placed(asha, nonce="n2")).merchant_order_id
    refund_id = await sent(gateway, credited)
    assert await settled(
        line(credited, amount_paise=49_999),
        line(waiting),
        line("RCH-nobody"),
        line(refund_id, kind="REFUND", amount_paise=20_000),
        line("REF-nobody", kind="REFUND"),
    ) == [
        ("settled-amount", credited),
        ("settled-state", waiting),
        ("settled-unknown", "RCH-nobody"),
        ("settled-state", refund_id),
        ("settled-unknown", "REF-nobody"),
    ]


async def test_a_credit_that_is_never_paid_out(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Only within the days that reports cover, and not yet where the next report may have it."""
    clock.at = datetime(2026, 11, 2, 6, tzinfo=UTC)
    first = await paid(gateway, asha, "n1")
    lost = {}
    for day, nonce in ((3, "n2"), (7, "n3"), (8, "n4")):
        clock.at = datetime(2026, 11, day, 6, tzinfo=UTC)
        lost[day] = await paid(gateway, asha, nonce)
    last = await paid(gateway, asha, "n5")
    assert await read(settled_payments.missing) == []
    await settled(line(first, paid_on=date(2026, 11, 2)), line(last, paid_on=date(2026, 11, 8)))
    assert [(each.kind, each.ref) for each in await read(settled_payments.missing)] == [("settled-missing", lost[3])]
    later = await paid(gateway, asha, "n6")
    await settled(line(later, paid_on=date(2026, 11, 11)))
    assert [each.ref for each in await read(settled_payments.missing)] == [lost[3], lost[7], lost[8]]
    await settled(line(lost[3], paid_on=date(2026, 11, 3)))
    assert [each.ref for each in await read(settled_payments.missing)] == [lost[7], lost[8]]


async def test_days_stand_beside_the_ledger(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Days of India: 19:00 UTC is the next one."""
    orders = []
    for hour in (6, 19):
        clock.at = datetime(2026, 11, 2, hour, tzinfo=UTC)
        orders.append(await paid(gateway, asha, f"n{hour}"))
    await settled(
        line(orders[0], paid_on=date(2026, 11, 2)),
        line("REF-1", kind="REFUND", amount_paise=1_000, paid_on=date(2026, 11, 3), fee_paise=0, tax_paise=0),
    )
    days = await read(settled_payments.days, date(2026, 11, 2), date(2026, 11, 3))
    told = [(day.on.day, day.reported_paise, day.booked_paise, day.refunded_paise, day.kept_paise) for day in days]
    assert told == [(2, 50_000, 50_000, 0, 590), (3, 0, 50_000, 1_000, 0)]


# By the sweeper


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
    await transact(chores.done, "books", next_time)
    assert (await read(lambda db: db.exec(select(Chore)).one())).due_at == next_time


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


# Reading the file


def test_a_report_as_phonepe_documents_it() -> None:
    report = "\n".join(
        (
            f"\ufeff{HEAD}",
            "PAYMENT,RCH-1,OM1,500.00,-5.00,2026-11-20,2026-11-21,UTR9,0,-0.45,-0.45",
            "",
            "REFUND,REF-1,OMR1,-200.00,0,20-11-2026 14:05:11,21/11/2026,UTR9,,,",
        )
    )
    assert settlement_report.lines(report) == [
        Line("PAYMENT", "RCH-1", "OM1", 50_000, -500, -90, date(2026, 11, 20), date(2026, 11, 21), "UTR9"),
        Line("REFUND", "REF-1", "OMR1", 20_000, 0, 0, date(2026, 11, 20), date(2026, 11, 21), "UTR9"),
    ]


def test_headings_may_be_spelled_as_spreadsheets_do() -> None:
    head = "payment type,Merchant Reference Id,PhonePe Reference ID,AMOUNT,transaction_date,Settlement Date,More"
    (read_line,) = settlement_report.lines(f"{head}\n payment , RCH-1 ,OM1,1,2026-11-20T10:00:00,21 Nov 2026,x,y,z")
    assert (read_line.kind, read_line.amount_paise, read_line.bank_reference) == ("PAYMENT", 100, "")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("", "no PaymentType, MerchantReferenceId, PhonePeReferenceId, Amount, TransactionDate, SettlementDate"),
        ("a,b,c\n1,2,3", "no PaymentType"),
        (HEAD.replace("Amount", "Sum"), "no Amount"),
    ],
)
def test_another_file_is_refused(report: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settlement_report.lines(report)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        (0, "CHARGEBACK", "PaymentType 'CHARGEBACK' is not PAYMENT or REFUND"),
        (1, "", "MerchantReferenceId '' is not a reference"),
        (1, "x" * 81, "is not a reference"),
        (2, "a\x00b", "is not a reference"),
        (3, "1e3", "Amount '1e3' is not an amount"),
        (3, "५००", "is not an amount"),
        (3, "500.005", "is not an amount"),
        (3, "1,500.00", "is not an amount"),
        (3, "NaN", "is not an amount"),
        (4, "five", "Fee 'five' is not an amount"),
        (5, "31-02-2026", "TransactionDate '31-02-2026' is not a day"),
        (6, "", "SettlementDate '' is not a day"),
        (8, "x", "IGST 'x' is not an amount"),
    ],
)
def test_a_line_that_is_not_exact_is_refused_with_its_number(column: int, cell: str, said: str) -> None:
    cells = ["PAYMENT", "RCH-1", "OM1", "500.00", "-5.00", "2026-11-20", "2026-11-21", "UTR9", "0", "0", "0"]
    good = ",".join(cells)
    cells[column] = f'"{cell}"'
    with pytest.raises(ValueError, match=f"^Line 3: .*{said}"):
        settlement_report.lines("\n".join((HEAD, good, ",".join(cells))))
