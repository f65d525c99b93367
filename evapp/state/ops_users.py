"""Finding people, by whatever they say of themselves."""

from dataclasses import dataclass

import reflex as rx
from sqlmodel import Session

from domain import accounts, operators, wallet
from domain.db import read
from domain.models import User, now
from evapp.components.money import rupees
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import text
from evapp.texts import later, t

STANDINGS = {
    accounts.DELETED: later("Deleted"),
    accounts.BLOCKED: later("Blocked"),
    accounts.LOCKED: later("Locked by wrong PINs"),
    accounts.OPERATOR: later("Operator"),
}


@dataclass(frozen=True)
class Person:
    """One user in words."""

    id: int
    username: str
    phone: str
    state: str
    balance: str
    owed: str


class OpsUsers(rx.State):
    """The page /ops/users."""

    typed: str = ""
    sought: bool = False
    """Whether somebody was looked for."""
    people: list[Person] = []
    """Who is meant; while nobody is sought, the operators."""
    more: bool = False
    """Whether more than these are meant."""

    @rx.event
    async def load(self) -> None:
        """Show the page."""
        await visit(self, OpsUsers)

    @rx.event
    async def find(self, form: dict[str, object]) -> None:
        """Show who may be meant by a number, a phone, or a part of a username or e-mail."""
        if user := await operator(self):
            self.typed = text(form, "who", 100)
            await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        self.sought = bool(self.typed)
        found = await read(_people, self.typed)
        self.people, self.more = found[: accounts.FOUND], len(found) > accounts.FOUND


def _people(db: Session, typed: str) -> list[Person]:
    users = accounts.find(db, typed, accounts.FOUND + 1) if typed else operators.everybody(db)
    money = wallet.balances(db, [user.id for user in users])
    return [_person(user, money[user.id]) for user in users]


def _person(user: User, money: wallet.Balance) -> Person:
    return Person(
        id=user.id,
        username=user.username,
        phone=user.phone,
        state=standing(user),
        balance=rupees(money.balance_paise),
        owed=t("Owes {sum}", sum=rupees(money.arrears_paise)) if money.arrears_paise else "",
    )


def standing(user: User) -> str:
    """What an account is, where it is not simply a driver's."""
    standing = accounts.standing(user, now())
    return t(STANDINGS[standing]) if standing else ""
