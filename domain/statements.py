"""Statements: what a wallet and its arrears did in a calendar month of India, from its opening to its closing."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from domain import receipts, story, wallet
from domain.india import INDIA
from domain.models import Account, Entry, User, now
from domain.receipts import Seller

MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
YEAR = re.compile(r"([0-9]{2})-([0-9]{2})")


class NoMonth(ValueError):
    """What was asked for is not a month, or a year, that has begun."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A month of a driver's money: paise, and lines from the oldest to the newest."""

    since: datetime
    until: datetime
    made_at: datetime
    seller: Seller
    customer: str
    opening_paise: int
    opening_owed_paise: int
    lines: tuple[story.Line, ...]

    @property
    def in_paise(self) -> int:
        """What came into the wallet."""
        return sum(line.amount_paise for line in self.lines if not line.arrears and line.amount_paise > 0)

    @property
    def out_paise(self) -> int:
        """What went out of the wallet."""
        return -sum(line.amount_paise for line in self.lines if not line.arrears and line.amount_paise < 0)

    @property
    def closing_paise(self) -> int:
        """The wallet at the end of the month."""
        return self.opening_paise + self.in_paise - self.out_paise

    @property
    def closing_owed_paise(self) -> int:
        """The arrears at the end of the month."""
        return self.opening_owed_paise - sum(line.amount_paise for line in self.lines if line.arrears)


def name(moment: datetime) -> str:
    """2026-11 for any moment of November 2026 by Indian time."""
    return moment.astimezone(INDIA).strftime("%Y-%m")


def bounds(month: str) -> tuple[datetime, datetime]:
    """The first moment of a month by Indian time, and the first after it.

    Raises:
        NoMonth: it is not written as 2026-11, or has not begun.
    """
    match = MONTH.fullmatch(month)
    if match is None:
        raise NoMonth(month)
    year, number = map(int, match.groups())
    since = datetime(year, number, 1, tzinfo=INDIA)
    if since > now():
        raise NoMonth(month)
    return since, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=INDIA)


def year_bounds(year: str) -> tuple[datetime, datetime]:
    """The first moment of a financial year of India, April to March, and the first after it.

    Raises:
        NoMonth: it is not written as 26-27, or has not begun.
    """
    match = YEAR.fullmatch(year)
    if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
        raise NoMonth(year)
    since = datetime(2000 + int(match[1]), 4, 1, tzinfo=INDIA)
    if since > now():
        raise NoMonth(year)
    return since, since.replace(year=since.year + 1)


def of_month(db: Session, user_id: int, month: str) -> Statement:
    """The driver's statement of a month, by the time of booking: what is over stays as it is.

    Raises:
        NoMonth: it is not written as 2026-11, or has not begun.
    """
    since, until = bounds(month)
    lines = story.lines(db, user_id, since=since, until=until, limit=None)
    return Statement(
        since=since,
        until=until,
        made_at=now(),
        seller=receipts.seller(),
        customer=db.get_one(User, user_id).username,
        opening_paise=_before(db, wallet.wallet_code(user_id), since),
        opening_owed_paise=-_before(db, wallet.due_code(user_id), since),
        lines=tuple(reversed(lines)),
    )


def months(db: Session, user_id: int) -> list[str]:
    """The months that have a statement, newest first: from the first movement of the driver's money to this one."""
    first = db.exec(
        select(func.min(Entry.created_at))
        .join(Account, col(Account.code) == Entry.account_code)
        .where(Account.user_id == user_id)
    ).one()
    if first is None:
        return []
    begun, current = first.astimezone(INDIA), now().astimezone(INDIA)
    count = range(begun.year * 12 + begun.month - 1, current.year * 12 + current.month)
    return [f"{one // 12}-{one % 12 + 1:02d}" for one in reversed(count)]


def _before(db: Session, code: str, moment: datetime) -> int:
    """An account's balance at a moment, from its entries."""
    booked = select(func.coalesce(func.sum(Entry.amount_paise), 0))
    return int(db.exec(booked.where(Entry.account_code == code, col(Entry.created_at) < moment)).one())
