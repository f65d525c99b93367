"""Operators: who is one, when the PIN was last given for what only they do, and acts that are written down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlmodel import Session, col, select

from domain import attempts, sign_ins, trail
from domain.attempts import Attempt
from domain.db import emit
from domain.events import SignedOut
from domain.models import Role, SignIn, User, now
from domain.sign_ins import Browser, Refused
from domain.trail import Actor

P = ParamSpec("P")
T = TypeVar("T")

STEP_UP = timedelta(minutes=10)
"""How long one PIN opens what touches money, keys, people and chargers."""


class NotAnOperator(Exception):
    """Whoever asks is nobody here: for him there is nothing."""


class OwnMoney(Exception):
    """It would give the operator money of the house; somebody else must do it. Nothing was done."""


class PinWanted(Exception):
    """The PIN was not given within the last minutes; nothing was done."""


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator does: its words for the trail, and whether it needs a fresh PIN."""

    action: str
    """Noun and verb, as the shell names them."""
    subject: str
    """What it is done to, `<kind>:<id>`."""
    detail: str | Mapping[str, Any] = ""
    """Why, or with which facts; secrets in it are not kept."""
    pin: bool = True
    known: Callable[[Session], object] | None = None
    """Of a wish that has a name: whether it was done before, and has its line."""
    gains: int | None = None
    """The user who has more money by it."""


def appoint(db: Session, user_id: int, by: Actor) -> User:
    """Make a driver an operator. Every sign-in ends: what a token may do never grows."""
    return _become(db, user_id, Role.OPERATOR, by, "user make-operator")


def dismiss(db: Session, user_id: int, by: Actor) -> User:
    """Make an operator a driver again, at once on every device."""
    return _become(db, user_id, Role.DRIVER, by, "user make-driver")


def everybody(db: Session) -> Sequence[User]:
    """All who are one, blocked or not, by their numbers."""
    return db.exec(select(User).where(User.role == Role.OPERATOR).order_by(col(User.id))).all()


def _become(db: Session, user_id: int, role: Role, by: Actor, action: str) -> User:
    user = db.get_one(User, user_id)
    if user.role != role:
        user.role = role
        sign_ins.end_all(db, user_id)
        trail.note(db, by, action, f"user:{user_id}", user.username)
    return user


def step_up(db: Session, attempt: Attempt, browser: Browser, at: datetime | None = None) -> None:
    """The PIN was right: for a while this sign-in may do everything, under a new token (ASVS 7.2.4).

    Raises:
        Refused: the PIN was changed meanwhile, the sign-in has ended, or it is no operator's (any more).
    """
    at = at or now()
    user = attempts.passed(db, attempt)
    found = sign_ins.who(db, browser.before, at)
    if user is None or user.role != Role.OPERATOR or found is None or found[0].id != user.id:
        raise Refused(attempts.MISMATCH)
    sign_in = found[1]
    sign_in.token_hash, sign_in.stepped_up_at, sign_in.seen_at = browser.token_hash, at, at
    emit(db, SignedOut((browser.before,)))


def signed_in(db: Session, token_hash: str, at: datetime | None = None) -> tuple[User, SignIn]:
    """The operator behind a token, and the sign-in it belongs to.

    Raises:
        NotAnOperator: it is nobody's, or a driver's.
    """
    found = sign_ins.who(db, token_hash, at)
    if found is None or found[0].role != Role.OPERATOR:
        raise NotAnOperator
    return found


def open_until(sign_in: SignIn, at: datetime | None = None) -> datetime | None:
    """Until when the last PIN opens everything; None once it no longer does."""
    if sign_in.stepped_up_at is None:
        return None
    until = sign_in.stepped_up_at + STEP_UP
    return until if until > (at or now()) else None


def allowed(db: Session, token_hash: str, *, pin: bool = True) -> User:
    """The operator behind a token, as long as he may do now what needs a fresh PIN.

    Raises:
        NotAnOperator: it is nobody's, or a driver's.
        PinWanted: the PIN was not given within the last minutes.
    """
    user, sign_in = signed_in(db, token_hash)
    if pin and open_until(sign_in) is None:
        raise PinWanted
    return user


def act(
    db: Session,
    token_hash: str,
    what: Act,
    work: Callable[Concatenate[Session, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Let an operator do something, and write it down; both or neither.

    Raises:
        NotAnOperator: whoever asks is none (any more).
        PinWanted: the act needs a fresh PIN.
        OwnMoney: the operator would have more money by it.
        Exception: whatever `work` raises; then nothing is written down either.
    """
    user = allowed(db, token_hash, pin=what.pin)
    if what.gains == user.id:
        raise OwnMoney
    before = what.known is not None and what.known(db)
    done = work(db, *args, **kwargs)
    if not before:
        trail.note(db, trail.user(user.id), what.action, what.subject, what.detail)
    return done
