"""The operator's words for users and their money."""

import asyncio
from argparse import Namespace
from collections.abc import Iterator
from functools import partial

from sqlmodel import Session, select

from domain import accounts, audit, identity, operators, pins, trail, wallet
from domain.models import User, now
from domain.money import plain_rupees
from domain.settings import settings
from domain.shell.command import Command, Failed, Mistake, Shell, argument, columns, signed_rupees, text


def find(shell: Shell, given: Namespace) -> Iterator[str]:
    found = shell.read(_with_money, given.text)
    if not found:
        raise Failed(f"Nobody matches {given.text!r}.")
    yield from _table(found[: accounts.FOUND])
    if len(found) > accounts.FOUND:
        yield f"There are more than these {accounts.FOUND}: say more of whom you mean."


def list_operators(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from _table(shell.read(_operators))


def _table(people: list[tuple[User, wallet.Balance]]) -> Iterator[str]:
    yield from columns(
        ("NUMBER", "USERNAME", "PHONE", "E-MAIL", "BALANCE", "HELD", "OWED", ""),
        (
            (
                user.id,
                user.username,
                user.phone,
                user.email,
                plain_rupees(money.balance_paise),
                plain_rupees(money.held_paise),
                plain_rupees(money.arrears_paise),
                accounts.standing(user, now()),
            )
            for user, money in people
        ),
    )


def block(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user)
    shell.act(f"user:{user.id}", "", accounts.block, user.id)
    yield f"{user.username} is blocked and signed out everywhere. A charge that runs goes on and is paid."


def unblock(shell: Shell, given: Namespace) -> Iterator[str]:
    user = _still_here(shell.read(meant, given.user))
    shell.act(f"user:{user.id}", "", accounts.unblock, user.id)
    yield f"{user.username} may sign in again."


def reset_pin(shell: Shell, given: Namespace) -> Iterator[str]:
    user = _still_here(shell.read(meant, given.user))
    pin = pins.random(user.phone)
    shell.act(f"user:{user.id}", "", accounts.reset_pin, user.id, asyncio.run(pins.hash(pin)))
    yield f"The new PIN of {user.username} is {pin}"
    yield "It is shown only now. Locks are open, and every sign-in has ended. Ask for a PIN of their own choice."


def free_phone(shell: Shell, given: Namespace) -> Iterator[str]:
    user = _still_here(shell.read(meant, given.user))
    shell.act(f"user:{user.id}", "", accounts.free_phone, user.id)
    yield f"{user.phone} may be registered. {user.username} signs in with the username, and can add another number."


def make_operator(shell: Shell, given: Namespace) -> Iterator[str]:
    user = _still_here(shell.read(meant, given.user))
    shell.do(operators.appoint, user.id, trail.shell())
    yield f"{user.username} is an operator, and must sign in again. The operators' pages are at {settings().url}/ops."


def make_driver(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user)
    shell.do(operators.dismiss, user.id, trail.shell())
    yield f"{user.username} is a driver, and must sign in again."


def adjust(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user)
    try:
        facts = {"paise": given.rupees, "reason": given.reason}
        adjusted = user.id, given.rupees
        key = given.key or shell.key
        options = {"key": key, "reason": given.reason}
        known = partial(wallet.adjusted, key=key)
        shell.act_once(known, f"user:{user.id}", facts, wallet.adjust, *adjusted, **options)
    except wallet.LedgerConflict:
        raise Mistake(f"The key {given.key!r} names another adjustment. Nothing was moved.") from None
    moved = f"{plain_rupees(abs(given.rupees))} {'given to' if given.rupees > 0 else 'taken from'} {user.username}"
    balance = plain_rupees(shell.read(wallet.balance, user.id).balance_paise)
    yield f"{moved}, who has {balance} now and reads the reason in the wallet."


def check(shell: Shell, given: Namespace) -> Iterator[str]:
    checks = shell.read(audit.audit)
    for each in checks:
        yield f"{'BROKEN' if each.broken else 'ok':<6}  {each.says}"
        if each.broken:
            yield f"        {', '.join(each.broken)}"
    broken = sum(bool(each.broken) for each in checks)
    if broken:
        raise Failed(f"{broken} of {len(checks)} rules do not hold. Stop and ask for help before any money moves.")
    yield f"All {len(checks)} rules hold."


def _with_money(db: Session, typed: str) -> list[tuple[User, wallet.Balance]]:
    users = accounts.find(db, typed, accounts.FOUND + 1)
    money = wallet.balances(db, [user.id for user in users])
    return [(user, money[user.id]) for user in users]


def _operators(db: Session) -> list[tuple[User, wallet.Balance]]:
    return [(user, wallet.balance(db, user.id)) for user in operators.everybody(db)]


def meant(db: Session, typed: str) -> User:
    """Exactly one user: by number, username or phone; a part of a name is not enough to act on."""
    column, spelling = identity.login(typed)
    user = db.exec(select(User).where(getattr(User, column) == spelling)).first() if spelling else None
    number = identity.typed_number(typed)
    if number is not None and (numbered := db.get(User, number)) is not None:
        if user is not None and user.id != numbered.id:
            raise Mistake(f"User {typed} is {numbered.username}; {typed} is also how user {user.id} is called.")
        user = numbered
    if user is None:
        raise Mistake(
            f"There is no user {typed!r}. Give the number, the username or the phone; `user find` shows them."
        )
    return user


def _still_here(user: User) -> User:
    if not user.pin_hash:
        raise Mistake(f"User {user.id} has deleted this account; it cannot be opened again.")
    return user


USER = argument("user", "number, username or phone", type=text(100))

COMMANDS = (
    Command(
        "user find",
        "who it is, and their money",
        find,
        (argument("text", "a number, a phone, a part of a username or e-mail", type=text(254)),),
    ),
    Command("user block", "keep somebody out, signed out at once", block, (USER,), ends_connections=True),
    Command("user unblock", "let somebody in again", unblock, (USER,)),
    Command("user reset-pin", "give a new PIN, shown once", reset_pin, (USER,), ends_connections=True),
    Command("user free-phone", "take a number off the account of its owner before", free_phone, (USER,)),
    Command(
        "user make-operator", "open the operators' pages to somebody", make_operator, (USER,), ends_connections=True
    ),
    Command("user operators", "who may open the operators' pages", list_operators),
    Command("user make-driver", "close them again, at once", make_driver, (USER,), ends_connections=True),
    Command(
        "wallet adjust",
        "give money to a driver, or take it with a minus",
        adjust,
        (
            USER,
            argument("rupees", "50, 50.25 or -50", type=signed_rupees),
            argument("--reason", "why; the driver reads it", type=text(200), required=True),
            argument(
                "--key", "a name for this wish: the same one again is the same adjustment", type=text(64), default=""
            ),
        ),
    ),
    Command("wallet audit", "check every rule of the ledger; exit code 1 when one is broken", check),
)
