"""The gateway's report of what it paid out: read exactly, kept line by line, compared with our books."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import select

from domain import (
    funnel,
    settled_payments,
    suspense,
)
from domain.db import Database, read, transact
from domain.models import (
    Entry,
    SettledPayment,
)
from domain.settled_payments import Line
from payments import settlement_report
from tests.asked import asked, selects
from tests.money.house import RUPEES_500, Clock, Gateway, placed, rows
from tests.money.orders import opened, paid, sent

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
    before = await read(rows, Entry)
    assert await settled(line(order_id), line("RCH-unknown")) == [("settled-unknown", "RCH-unknown")]
    again = await asyncio.gather(
        *(transact(settled_payments.take, [line("RCH-unknown"), line(order_id), line(other)]) for _ in range(8))
    )
    assert sum(done.new for done in again) == 1
    assert [done.found for done in again] == [[]] * 8
    assert await read(rows, SettledPayment) == 3
    assert await read(rows, Entry) == before


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


async def test_a_refund_that_no_report_takes_off(asha: int, gateway: Gateway, clock: Clock) -> None:
    """PhonePe says that it was paid back; as long as it takes nothing off for it, nobody knows that it was."""
    clock.at = datetime(2026, 11, 1, 6, tzinfo=UTC)
    first = await paid(gateway, asha, "n1")
    refunds = {}
    for day in (1, 3, 9):
        clock.at = datetime(2026, 11, day, 7, tzinfo=UTC)
        refunds[day] = await sent(gateway, first, 10_000, f"k{day}")
        gateway.say_refund(refunds[day], "COMPLETED")
        await funnel.settle_refund(gateway, refunds[day])
    clock.at = datetime(2026, 11, 4, 6, tzinfo=UTC)
    last = await paid(gateway, asha, "n2")
    await settled(line(first, paid_on=date(2026, 11, 1)), line(last, paid_on=date(2026, 11, 10)))
    [lost] = await read(settled_payments.missing)
    assert (lost.kind, lost.ref) == ("settled-missing", refunds[3])
    assert lost.detail == "₹100.00 went back to a driver, and no report says that PhonePe took them off."
    await settled(line(refunds[3], kind="REFUND", amount_paise=10_000, paid_on=date(2026, 11, 3)))
    assert await read(settled_payments.missing) == []


async def another_amount(gateway: Gateway, user_id: int, paid_at: datetime) -> str:
    """A recharge of ₹500 for which ₹600 were paid and set aside."""
    order_id = await opened(gateway, user_id, "another")
    gateway.pay(order_id, amount_paise=60_000, paid_at=paid_at)
    await funnel.settle(gateway, order_id)
    await transact(suspense.set_aside, order_id, gateway.orders[order_id])
    return order_id


@pytest.mark.row("R11")
async def test_what_was_set_aside_is_awaited_too(asha: int, gateway: Gateway, clock: Clock) -> None:
    clock.at = datetime(2026, 11, 1, 6, tzinfo=UTC)
    first = await paid(gateway, asha, "n1")
    clock.at = datetime(2026, 11, 3, 6, tzinfo=UTC)
    order_id = await another_amount(gateway, asha, clock.at)
    last = await paid(gateway, asha, "n3")
    await settled(line(first, paid_on=date(2026, 11, 1)), line(last, paid_on=date(2026, 11, 10)))
    assert [(each.ref, each.detail) for each in await read(settled_payments.missing) if each.ref == order_id] == [
        (order_id, "₹600.00 were set aside, and no report says that PhonePe paid them out.")
    ]
    assert await settled(line(order_id, amount_paise=59_000)) == [("settled-amount", order_id)]
    assert order_id not in {each.ref for each in await read(settled_payments.missing)}


@pytest.mark.row("R11")
async def test_a_line_of_what_was_set_aside_fits(asha: int, gateway: Gateway, clock: Clock) -> None:
    order_id = await another_amount(gateway, asha, clock.at)
    assert await settled(line(order_id, amount_paise=60_000)) == []
    await transact(suspense.give, order_id)
    assert await settled(line(order_id, gateway_reference="OM-again", amount_paise=60_000)) == []


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


@pytest.mark.row("R11")
async def test_what_was_set_aside_stands_beside_its_day(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Its driver paid it, on the day that the gateway says, whenever an operator booked it."""
    clock.at = paid_at = datetime(2026, 11, 2, 6, tzinfo=UTC)
    order_id = await opened(gateway, asha)
    gateway.pay(order_id, amount_paise=60_000, paid_at=paid_at)
    await funnel.settle(gateway, order_id)
    clock.at = datetime(2026, 11, 4, 6, tzinfo=UTC)
    await transact(suspense.set_aside, order_id, gateway.orders[order_id])
    await transact(suspense.give, order_id)
    days = await read(settled_payments.days, date(2026, 11, 2), date(2026, 11, 4))
    assert [day.booked_paise for day in days] == [60_000, 0, 0]


async def test_a_month_is_two_queries(asha: int, gateway: Gateway, clock: Clock, database: Database) -> None:
    """Each day would read every payment there ever was."""
    clock.at = datetime(2026, 11, 30, 18, 29, 59, tzinfo=UTC)
    await paid(gateway, asha, "n1")
    clock.at = datetime(2026, 11, 30, 18, 30, tzinfo=UTC)
    await paid(gateway, asha, "n2")
    with asked(database.engine) as found:
        days = await read(settled_payments.days, date(2026, 11, 1), date(2026, 11, 30))
    assert [day.on for day in days] == [date(2026, 11, n) for n in range(1, 31)]
    assert [day.booked_paise for day in days] == [0] * 29 + [50_000]
    assert selects(found) == 2


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


async def test_a_line_of_another_kind_is_told_and_the_rest_is_read(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    day = datetime.now(UTC).date().isoformat()
    told = [
        f"{kind},{order_id},OM1,{amount},,{day},{day},," for kind, amount in (("PAYMENT", 500), ("chargeback", -500))
    ]
    read_lines = settlement_report.lines("\n".join((HEAD, *told)))
    assert [each.kind for each in read_lines] == ["PAYMENT", "CHARGEBACK"]
    for _ in range(2):
        assert await settled(*read_lines) == [("settled-other", order_id)]
    assert await read(rows, SettledPayment) == 1


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
        ("x" * 131_073, "Line 1: field larger than field limit"),
    ],
)
def test_another_file_is_refused(report: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settlement_report.lines(report)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        (0, "", "PaymentType '' is not a reference"),
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
        (5, "0001-01-01", "TransactionDate '0001-01-01' is not a day"),
        (5, "31-12-1999", "TransactionDate '31-12-1999' is not a day"),
        (6, "9999-12-31", "SettlementDate '9999-12-31' is not a day"),
        (7, "UTR\x009", "BankReferenceNo 'UTR\\\\x009' is not a reference"),
        (7, "UTR\u202e9", "BankReferenceNo .* is not a reference"),
        (7, "x" * 131_073, "field larger than field limit"),
        (8, "x", "IGST 'x' is not an amount"),
    ],
)
def test_a_line_that_is_not_exact_is_refused_with_its_number(column: int, cell: str, said: str) -> None:
    cells = ["PAYMENT", "RCH-1", "OM1", "500.00", "-5.00", "2026-11-20", "2026-11-21", "UTR9", "0", "0", "0"]
    good = ",".join(cells)
    cells[column] = f'"{cell}"'
    with pytest.raises(ValueError, match=f"^Line 3: .*{said}"):
        settlement_report.lines("\n".join((HEAD, good, ",".join(cells))))
