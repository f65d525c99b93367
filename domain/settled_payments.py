"""What the gateway says it paid out to the operator's bank, line by line, compared with the books (R39)."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlmodel import Session, col, func, select

from domain.india import INDIA
from domain.models import Entry, OrderState, RechargeOrder, Refund, RefundState, SettledPayment, Transfer
from domain.money import plain_rupees
from domain.reconciliation import Discrepancy
from domain.wallet import GATEWAY

KINDS = ("PAYMENT", "REFUND")
LATE = timedelta(days=3)
"""Payouts come a day or two after the payment, later at weekends: a newer payment may still be to come."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report, in paise; fee and tax are what the gateway keeps, so they are negative."""

    kind: str
    """PAYMENT or REFUND; what else there is (CHARGEBACK, …) is for the operator."""
    merchant_reference: str
    gateway_reference: str
    amount_paise: int
    fee_paise: int
    tax_paise: int
    paid_on: date
    settled_on: date
    bank_reference: str


@dataclass
class Import:
    """How many lines were new, how many were known, and what does not fit."""

    new: int
    known: int
    found: list[Discrepancy]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of India, in paise: what drivers paid by the report and by our books, what went back, fees and tax."""

    on: date
    reported_paise: int
    booked_paise: int
    refunded_paise: int
    kept_paise: int


def take(db: Session, lines: Iterable[Line]) -> Import:
    """Keep the lines of a report, each once however often it comes, and compare those that are new.

    Those of another kind than ours are not kept, and told each time.
    """
    done = Import(0, 0, [])
    for line in lines:
        if line.kind not in KINDS:
            done.found.append(_other(line))
            continue
        known = _known(db, line)
        if known is None:
            db.add(SettledPayment(**asdict(line)))
            db.flush()
            done.new += 1
            done.found += _compared(db, line)
        else:
            done.known += 1
            done.found += _conflict(line, known)
    return done


def _other(line: Line) -> Discrepancy:
    said = f"PhonePe settled a {line.kind} of {plain_rupees(line.amount_paise)} ({line.gateway_reference})."
    return Discrepancy("settled-other", line.merchant_reference, said)


def _known(db: Session, line: Line) -> SettledPayment | None:
    return db.exec(
        select(SettledPayment).where(
            SettledPayment.merchant_reference == line.merchant_reference,
            SettledPayment.gateway_reference == line.gateway_reference,
        )
    ).first()


def _conflict(line: Line, known: SettledPayment) -> Iterator[Discrepancy]:
    if (known.kind, known.amount_paise) != (line.kind, line.amount_paise):
        said = f"{line.kind} of {plain_rupees(line.amount_paise)}"
        before = f"{known.kind} of {plain_rupees(known.amount_paise)}"
        yield Discrepancy("settled-conflict", line.merchant_reference, f"It was a {before}; now it is a {said}.")


def _compared(db: Session, line: Line) -> Iterator[Discrepancy]:
    ours = _refund(db, line) if line.kind == "REFUND" else _order(db, line)
    amount = plain_rupees(line.amount_paise)
    if ours is None:
        yield Discrepancy(
            "settled-unknown",
            line.merchant_reference,
            f"PhonePe settled a {line.kind} of {amount} ({line.gateway_reference}) that is none of ours.",
        )
        return
    state, ended, paise = ours
    if state != ended:
        said = f"PhonePe settled a {line.kind} of {amount}; here it is {state}."
        yield Discrepancy("settled-state", line.merchant_reference, said)
    elif paise != line.amount_paise:
        said = f"PhonePe settled a {line.kind} of {amount}; here it is {plain_rupees(paise)}."
        yield Discrepancy("settled-amount", line.merchant_reference, said)


def _order(db: Session, line: Line) -> tuple[str, str, int] | None:
    named = select(RechargeOrder).where(RechargeOrder.merchant_order_id == line.merchant_reference)
    order = db.exec(named).first()
    return (order.state, OrderState.CREDITED, order.amount_paise) if order else None


def _refund(db: Session, line: Line) -> tuple[str, str, int] | None:
    refund = db.exec(select(Refund).where(Refund.merchant_refund_id == line.merchant_reference)).first()
    return (refund.state, RefundState.COMPLETED, refund.went_back_paise) if refund else None


def missing(db: Session) -> list[Discrepancy]:
    """Recharges that should have been paid out by now, within the days that the reports cover, and were not."""
    first, last = db.exec(
        select(func.min(SettledPayment.paid_on), func.max(SettledPayment.paid_on)).where(
            SettledPayment.kind == "PAYMENT"
        )
    ).one()
    if first is None or last is None:
        return []
    # A day more at the beginning: what was paid before midnight may have been credited after it.
    begin, end = _begin(first + timedelta(days=1)), _begin(last - LATE + timedelta(days=1))
    orders = db.exec(
        select(RechargeOrder)
        .outerjoin(SettledPayment, col(SettledPayment.merchant_reference) == RechargeOrder.merchant_order_id)
        .where(RechargeOrder.state == OrderState.CREDITED, col(SettledPayment.id).is_(None))
        .where(col(RechargeOrder.ended_at) >= begin, col(RechargeOrder.ended_at) < end)
        .order_by(col(RechargeOrder.id))
    )
    return [
        Discrepancy(
            "settled-missing",
            order.merchant_order_id,
            f"{plain_rupees(order.amount_paise)} were credited, and no report says that PhonePe paid them out.",
        )
        for order in orders
    ]


def days(db: Session, first: date, last: date) -> list[Day]:
    """Each day between these, by the reports and by our books; around midnight a payment may be on both sides."""
    return [_day(db, first + timedelta(days=n)) for n in range((last - first).days + 1)]


def _day(db: Session, on: date) -> Day:
    of_day = select(SettledPayment).where(SettledPayment.paid_on == on)
    settled = db.exec(of_day).all()
    booked = db.exec(
        select(func.coalesce(func.sum(-col(Entry.amount_paise)), 0))
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Entry.account_code == GATEWAY, Transfer.kind == "recharge")
        .where(col(Transfer.event_at) >= _begin(on), col(Transfer.event_at) < _begin(on + timedelta(days=1)))
    ).one()
    return Day(
        on=on,
        reported_paise=sum(line.amount_paise for line in settled if line.kind == "PAYMENT"),
        booked_paise=int(booked),
        refunded_paise=sum(line.amount_paise for line in settled if line.kind == "REFUND"),
        kept_paise=-sum(line.fee_paise + line.tax_paise for line in settled),
    )


def _begin(on: date) -> datetime:
    """Midnight in India."""
    return datetime.combine(on, time(), INDIA)
