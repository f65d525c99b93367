"""Endpoints for users, their wallets, and corrections of them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.problems import Problem
from api.shapes import Because, Filters, Given, Leafing, Part, Reason, Told, YesOrNo, text
from domain import accounts, firms, listings, models, story, wallet
from domain.models import Role
from domain.wallet import MOST_ADJUSTED_PAISE


class User(Told):
    """Somebody who charges. A deleted one has no names any more."""

    id: int
    username: str
    phone: str
    email: str
    role: str
    language: str
    blocked_at: datetime | None
    locked_until: datetime | None
    created_at: datetime
    deleted: bool


class Wallet(Told):
    """A driver's money: what the wallet has, what charges hold of it, what is free, what is owed."""

    balance_paise: int
    held_paise: int
    free_paise: int
    arrears_paise: int


class Firm(Told):
    """Whom a driver's invoices are made out to from now on: a firm that is registered for GST."""

    gstin: str
    name: str
    address: str


class UserAndMoney(User):
    """A user, his wallet, and the firm he charges for."""

    wallet: Wallet
    firm: Firm | None


class Movement(Told):
    """One line of a wallet's story; money in is positive."""

    at: datetime = Field(description="When it was booked.")
    happened_at: datetime
    kind: str
    amount_paise: int
    balance_after_paise: int
    description: str
    ref: str
    arrears: bool = Field(description="Whether it is about what is owed, not about what the wallet has.")


class UserFilters(Leafing):
    """Which users."""

    find: Annotated[str, text(100, 1)] | None = Field(
        None, description="A number, a phone in any spelling, a part of a username or e-mail."
    )
    blocked: YesOrNo | None = None


class MovementFilters(Leafing):
    """Which movements."""

    kind: Literal["recharge", "charging", "refund", "adjustment"] | None = None


def _something(paise: int) -> int:
    if not paise:
        raise ValueError("nothing would be moved")
    return paise


class Adjustment(Given):
    """Money to a driver, or, when negative, from him: never more than is free. He reads the reason."""

    amount_paise: Annotated[
        int,
        Field(ge=-MOST_ADJUSTED_PAISE, le=MOST_ADJUSTED_PAISE, json_schema_extra={"not": {"const": 0}}),
        AfterValidator(_something),
    ]
    reason: Reason


def list_(db: Session, ask: Ask[UserFilters, None]) -> Part[User]:
    """Users, oldest first."""
    return Part[User].model_validate(cursors.part(db, listings.USERS, ask.query, _user))


def get(db: Session, ask: Ask[Filters, None], user_id: int) -> UserAndMoney:
    """One user, and his wallet."""
    return _with_money(db, db.get_one(models.User, user_id))


def block(db: Session, ask: Ask[Filters, Because], user_id: int) -> UserAndMoney:
    """Keep somebody out and end his sign-ins. A charge that runs goes on and is paid.

    403: it is an operator, of whose account no key decides.
    """
    _of_a_driver(db, user_id)
    return _with_money(db, accounts.block(db, user_id))


def unblock(db: Session, ask: Ask[Filters, Because], user_id: int) -> UserAndMoney:
    """Let somebody in again; locks after wrong PINs open, too.

    403: it is an operator, of whose account no key decides.
    """
    _of_a_driver(db, user_id)
    return _with_money(db, accounts.unblock(db, user_id))


def _of_a_driver(db: Session, user_id: int) -> None:
    user = db.get_one(models.User, user_id, with_for_update=True, populate_existing=True)
    if user.role != Role.DRIVER:
        raise Problem(
            403,
            "not-allowed",
            "This is an operator, whose account and PIN lock are no key's to shut or open: the shell does it, or "
            "another operator. Nothing was changed.",
        )


def movements(db: Session, ask: Ask[MovementFilters, None], user_id: int) -> Part[Movement]:
    """The movements of a wallet and of what is owed, newest first."""
    db.get_one(models.User, user_id)
    before = cursors.opened(ask.query.cursor, models.Entry.id)
    lines = story.lines(db, user_id, before=before, limit=ask.query.limit + 1, kind=ask.query.kind or "")
    shown = lines[: ask.query.limit]
    more = cursors.sealed(shown[-1].id) if len(lines) > len(shown) else None
    return Part[Movement](items=[Movement.model_validate(line) for line in shown], next=more)


def adjust(db: Session, ask: Ask[Filters, Adjustment], user_id: int) -> UserAndMoney:
    """Correct a wallet: a transfer of its own, with its reason. Nothing is edited."""
    user = db.get_one(models.User, user_id)
    wallet.adjust(db, user_id, ask.body.amount_paise, key=ask.wish, reason=ask.body.reason)
    return _with_money(db, user)


def _user(row: models.User) -> User:
    return User.model_validate(row.model_dump() | {"deleted": not row.pin_hash})


def _with_money(db: Session, row: models.User) -> UserAndMoney:
    of = {"wallet": Wallet.model_validate(wallet.balance(db, row.id)), "firm": firms.of(db, row.id)}
    return UserAndMoney.model_validate(_user(row).model_dump() | of)


ONE = "/users/{user_id}"

OPERATIONS = (
    Operation("GET", "/users", "users:read", list_),
    Operation("GET", ONE, "users:read", get),
    Operation("POST", f"{ONE}/block", "users:write", block, "user block"),
    Operation("POST", f"{ONE}/unblock", "users:write", unblock, "user unblock"),
    Operation("GET", f"{ONE}/movements", "money:read", movements),
    Operation("POST", f"{ONE}/adjustments", "money:write", adjust, "wallet adjust", named=True, status=201),
)
