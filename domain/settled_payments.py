"""What the gateway says it paid out to the operator's bank, line by line, compared with the books (R39)."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import literal_column
from sqlmodel import Session, col, func, select

from domain import reconciliation
from domain.india import INDIA, OFFSET_S
from domain.models import Entry, OrderState, RechargeOrder, Refund, RefundState, SettledPayment, Transfer
from domain.money import plain_rupees
from domain.reconciliation import Discrepancy
from domain.wallet import GATEWAY

KINDS = ("PAYMENT", "REFUND")
NOTHING = (0, 0)
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
    """Keep the lines of a report, each once however often it comes, and compare those that are new: what does not fit
    is a finding at once, since a line that is known is compared no more.

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
    reconciliation.keep(db, done.found)
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
    """What was paid with another amount, and set aside, is as good as credited."""
    named = select(RechargeOrder).where(RechargeOrder.merchant_order_id == line.merchant_reference)
    order = db.exec(named).first()
    if order is None:
        return None
    if order.state == OrderState.MISMATCH:
        for _, aside_paise in db.exec(_ASIDE.where(Transfer.ref == line.merchant_reference)):
            return order.state, OrderState.MISMATCH, aside_paise
    return order.state, OrderState.CREDITED, order.amount_paise


def _refund(db: Session, line: Line) -> tuple[str, str, int] | None:
    refund = db.exec(select(Refund).where(Refund.merchant_refund_id == line.merchant_reference)).first()
    return (refund.state, RefundState.COMPLETED, refund.went_back_paise) if refund else None


_CREDITED = select(RechargeOrder.merchant_order_id, RechargeOrder.amount_paise).where(
    RechargeOrder.state == OrderState.CREDITED
)
_ASIDE = (
    select(Transfer.ref, -col(Entry.amount_paise))
    .select_from(Transfer)
    .join(Entry, col(Entry.transfer_id) == Transfer.id)
    .where(Entry.account_code == GATEWAY, Transfer.kind == "adjustment")
)
_WENT_BACK = select(Refund.merchant_refund_id, func.coalesce(Refund.paid_paise, Refund.amount_paise)).where(
    Refund.state == RefundState.COMPLETED
)
"""What a report should have in the end: each one's reference, and its paise."""


def missing(db: Session) -> list[Discrepancy]:
    """What should have been paid out or taken off by now, within the days that the reports cover, and was not."""
    first, last = db.exec(
        select(func.min(SettledPayment.paid_on), func.max(SettledPayment.paid_on)).where(
            SettledPayment.kind == "PAYMENT"
        )
    ).one()
    if first is None or last is None:
        return []
    # A day more at the beginning: what was paid before midnight may have been credited after it.
    begin, end = _begin(first + timedelta(days=1)), _begin(last - LATE + timedelta(days=1))
    order, transfer, refund = RechargeOrder.merchant_order_id, Transfer.ref, Refund.merchant_refund_id
    booked = (
        (_CREDITED, order, RechargeOrder.ended_at, RechargeOrder.ended_at, "were credited", "paid them out"),
        (_ASIDE, transfer, Transfer.event_at, Transfer.event_at, "were set aside", "paid them out"),
        # Nobody knows which of its days a report gives to a refund.
        (_WENT_BACK, refund, Refund.created_at, Refund.ended_at, "went back to a driver", "took them off"),
    )
    return [
        Discrepancy("settled-missing", ref, f"{plain_rupees(paise)} {did}, and no report says that PhonePe {so}.")
        for query, named, since, until, did, so in booked
        for ref, paise in db.exec(
            query.outerjoin(SettledPayment, col(SettledPayment.merchant_reference) == named)
            .where(col(SettledPayment.id).is_(None), col(since) >= begin, col(until) < end)
            .order_by(col(since), col(named))
        )
    ]


def days(db: Session, first: date, last: date) -> list[Day]:
    """Each day between these, by the reports and by our books; around midnight a payment may be on both sides."""
    reported, booked = _reported(db, first, last), _booked(db, first, last)
    return [
        Day(
            on=on,
            reported_paise=reported.get((on, "PAYMENT"), NOTHING)[0],
            booked_paise=booked.get(on.isoformat(), 0),
            refunded_paise=reported.get((on, "REFUND"), NOTHING)[0],
            kept_paise=-sum(reported.get((on, kind), NOTHING)[1] for kind in KINDS),
        )
        for on in (first + timedelta(days=n) for n in range((last - first).days + 1))
    ]


def _reported(db: Session, first: date, last: date) -> dict[tuple[date, str], tuple[int, int]]:
    """Of each day and kind the amounts, and the fees and tax, in paise."""
    of = SettledPayment.__table__.c  # type: ignore[attr-defined]
    settled = db.execute(
        select(of.paid_on, of.kind, func.sum(of.amount_paise), func.sum(of.fee_paise + of.tax_paise))
        .where(of.paid_on.between(first, last))
        .group_by(of.paid_on, of.kind)
    )
    return {(on, kind): (int(amount_paise), int(kept_paise)) for on, kind, amount_paise, kept_paise in settled}


def _booked(db: Session, first: date, last: date) -> dict[str, int]:
    """What drivers paid by our books, in paise, by days of India as 2026-11-02: the ledger is read once for all."""
    sqlite = db.connection().dialect.name == "sqlite"
    event_at = col(Transfer.event_at)
    on = func.date(event_at, f"+{OFFSET_S} seconds") if sqlite else func.date(func.timezone("Asia/Kolkata", event_at))
    booked = db.exec(
        select(on, func.sum(-col(Entry.amount_paise)))
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Entry.account_code == GATEWAY, Transfer.kind != "refund")
        .where(event_at >= _begin(first), event_at < _begin(last + timedelta(days=1)))
        .group_by(literal_column("1"))
    )
    return {str(day): int(paise) for day, paise in booked}


def _begin(on: date) -> datetime:
    """Midnight in India."""
    return datetime.combine(on, time(), INDIA)
