"""For accountants: a month of the operator, by accounts and papers, and a driver's papers of a financial year."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, case, col, func, select

from domain import receipts, statements
from domain.india import INDIA
from domain.models import Account, ChargingSession, Entry, PaperKind, Receipt
from domain.receipts import Buyer

HEAD = (
    "number,date,corrects,seller_gstin,place_of_supply,rate_percent,taxable,cgst,sgst,igst,total,buyer_gstin,buyer_name"
)
"""Of the papers' table; a credit note's sums are negative. Buyers are firms that are registered for GST (B2B)."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What the accounts of one kind had, took and gave in a month, in paise; drivers' own are added up."""

    kind: str
    opening_paise: int
    in_paise: int
    out_paise: int

    @property
    def closing_paise(self) -> int:
        return self.opening_paise + self.in_paise - self.out_paise


@dataclass(frozen=True, slots=True)
class Paper:
    """One receipt or note, in paise with its sign: what it gives back is negative."""

    number: str
    on: str
    """Its day in India, 2026-11-30."""
    corrects: str
    seller: str
    gstin: str
    place_of_supply: str
    basis_points: int
    total_paise: int
    taxes: dict[str, int]
    buyer: Buyer | None
    """A registered firm: B2B; else B2C."""

    @property
    def taxable_paise(self) -> int:
        return self.total_paise - sum(self.taxes.values())


def of_month(db: Session, month: str) -> list[Sum]:
    """Every kind of account over a month, written 2026-11, by the time of booking: what is over stays as it is.

    Raises:
        statements.NoMonth: it is not written so, or has not begun.
    """
    since, until = statements.bounds(month)
    paise, before = col(Entry.amount_paise), col(Entry.created_at) < since
    sums = (
        case((before, paise), else_=0),
        case((before, 0), (paise > 0, paise), else_=0),
        case((before, 0), (paise < 0, -paise), else_=0),
    )
    opening, came, went = (func.sum(one) for one in sums)
    found = db.exec(
        select(Account.kind, opening, came, went)
        .join(Entry, col(Entry.account_code) == Account.code)
        .where(col(Entry.created_at) < until)
        .group_by(Account.kind)
        .order_by(Account.kind)
    )
    return [Sum(kind, *map(int, paise_of)) for kind, *paise_of in found]


def papers(db: Session, month: str) -> Iterator[Paper]:
    """What was given in a month, by number, receipts before notes.

    Raises:
        statements.NoMonth: as above.
    """
    since, until = statements.bounds(month)
    of = col(Receipt.created_at) >= since, col(Receipt.created_at) < until
    kind = case({str(PaperKind.RECEIPT): 0, str(PaperKind.CREDIT_NOTE): 1}, value=col(Receipt.kind), else_=2)
    for given in db.exec(select(Receipt).where(*of).order_by(kind, Receipt.number)):
        yield _paper(db, given)


def of_driver(db: Session, user_id: int, year: str) -> list[Paper]:
    """What a driver was given in a financial year, written 26-27, in that order.

    Raises:
        statements.NoMonth: it is not written so, or has not begun.
    """
    since, until = statements.year_bounds(year)
    theirs = (
        select(Receipt)
        .join(ChargingSession, col(ChargingSession.id) == Receipt.session_id)
        .where(ChargingSession.user_id == user_id, col(Receipt.created_at) >= since, col(Receipt.created_at) < until)
        .order_by(col(Receipt.created_at), col(Receipt.number))
    )
    return [_paper(db, given) for given in db.exec(theirs)]


def years(db: Session, user_id: int) -> list[str]:
    """The financial years from a driver's first paper to the last, newest first."""
    ends = (
        select(func.min(Receipt.created_at), func.max(Receipt.created_at))
        .join(ChargingSession, col(ChargingSession.id) == Receipt.session_id)
        .where(ChargingSession.user_id == user_id)
    )
    first, last = db.exec(ends).one()
    if first is None:
        return []
    begun, ended = (int(receipts.financial_year(at)[:2]) for at in (first, last))
    return [f"{one:02d}-{one + 1:02d}" for one in range(ended, begun - 1, -1)]


def _paper(db: Session, given: Receipt) -> Paper:
    sign = -1 if given.kind == PaperKind.CREDIT_NOTE else 1
    by, place, taxes = receipts.supply(given)
    return Paper(
        number=given.number,
        on=f"{given.created_at.astimezone(INDIA):%Y-%m-%d}",
        corrects=given.corrects or "",
        seller=by.name,
        gstin=by.gstin,
        place_of_supply=place,
        basis_points=given.gst_basis_points,
        total_paise=sign * given.total_paise,
        taxes={tax.name: sign * tax.paise for tax in taxes},
        buyer=receipts.buyer(db, given),
    )
