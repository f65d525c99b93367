"""Browsers somebody signed in with: opened by a right PIN, known by a hash, ended by their owner or by time."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, or_, select

from domain import attempts
from domain.attempts import Attempt
from domain.db import emit
from domain.events import SignedOut
from domain.models import PushSubscription, SignIn, User, now
from domain.sentences import Sentence

IDLE = timedelta(days=7)
ABSOLUTE = timedelta(days=30)
"""How long a sign-in lives unused, and at most (security.md, rule 2)."""
BRIEF = timedelta(hours=12)
"""How long at most where the driver did not ask to be kept signed in: browsers that restore their windows keep
cookies that should have ended with them."""
FRESH = timedelta(minutes=5)
"""How exactly the last use is kept."""
KEPT = timedelta(days=30)
"""How long a sign-in that has ended is remembered, with the address and the browser: as long as a try at the doors."""


class Refused(Exception):
    """The PIN was not right, or its owner may not sign in; the argument is a sentence."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Who signs in: the hash of the token it gets, and what its owner will recognise it by."""

    token_hash: str
    user_agent: str
    address: str
    before: str = ""
    """The hash of the token it had until now, which ends."""
    kept: bool = True
    """Whether it stays signed in when it is closed."""


def new_token() -> str:
    """256 random bits for a cookie; only `hash_token` of it is kept."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def signed_in(db: Session, attempt: Attempt, browser: Browser, at: datetime | None = None) -> User:
    """Let in whoever gave the right PIN, which the blocked may give, too: they get no sign-in.

    Nothing is raised of them here, since that would count their right PIN as a wrong one; once this is committed,
    `refuse_blocked` tells them.

    Raises:
        Refused: the PIN was changed meanwhile.
    """
    user = attempts.passed(db, attempt)
    if user is None:
        raise Refused(attempts.MISMATCH)
    if user.blocked_at is None:
        start(db, user, browser, at)
    return user


def refuse_blocked(user: User) -> None:
    """Tell somebody whose PIN was right why he is not let in.

    Raises:
        Refused: the account is blocked.
    """
    if user.blocked_at is not None:
        raise Refused(Sentence("This account is blocked. Write to Help to find out why."))


def start(db: Session, user: User, browser: Browser, at: datetime | None = None) -> SignIn:
    """Open a sign-in for a browser and end the one it had."""
    at = at or now()
    sign_out(db, browser.before, at)
    sign_in = SignIn(
        user_id=user.id,
        token_hash=browser.token_hash,
        user_agent="".join(c for c in browser.user_agent if c.isprintable())[:200],
        address=browser.address[:45],
        created_at=at,
        seen_at=at,
        expires_at=at + (ABSOLUTE if browser.kept else BRIEF),
    )
    db.add(sign_in)
    db.flush()
    return sign_in


def who(db: Session, token_hash: str, at: datetime | None = None) -> tuple[User, SignIn] | None:
    """The person behind a token and the sign-in it belongs to; None once that ended, grew old or was left idle."""
    at = at or now()
    found = db.exec(
        select(User, SignIn)
        .join(SignIn, col(SignIn.user_id) == User.id)
        .where(
            SignIn.token_hash == token_hash,
            *is_alive(at),
            col(User.blocked_at).is_(None),
        )
    ).first()
    return (found[0], found[1]) if found else None


def kept(db: Session, token_hash: str) -> bool:
    """Whether the browser with this token stays signed in when it is closed."""
    sign_in = db.exec(select(SignIn).where(SignIn.token_hash == token_hash)).first()
    return sign_in is not None and is_kept(sign_in)


def is_kept(sign_in: SignIn) -> bool:
    """Whether its browser stays signed in when it is closed."""
    return sign_in.expires_at - sign_in.created_at > BRIEF


def seen(db: Session, token_hash: str, at: datetime | None = None) -> None:
    """Remember that a sign-in is in use."""
    at = at or now()
    sign_in = db.exec(select(SignIn).where(SignIn.token_hash == token_hash, *is_alive(at))).first()
    if sign_in and sign_in.seen_at < at - FRESH:
        sign_in.seen_at = at


def sign_ins(db: Session, user_id: int, at: datetime | None = None) -> Sequence[SignIn]:
    """Where somebody is signed in, the last used first."""
    return db.exec(
        select(SignIn).where(SignIn.user_id == user_id, *is_alive(at or now())).order_by(col(SignIn.seen_at).desc())
    ).all()


def sign_out(db: Session, token_hash: str, at: datetime | None = None) -> None:
    """End the sign-in of a token; nothing when there is none."""
    _end(db, db.exec(select(SignIn).where(SignIn.token_hash == token_hash)).all(), at)


def revoke(db: Session, user_id: int, sign_in_id: int) -> bool:
    """End one of somebody's own sign-ins; whether he had one of that number."""
    found = db.exec(select(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == user_id)).all()
    _end(db, found)
    return bool(found)


def revoke_others(db: Session, user_id: int, token_hash: str) -> int:
    """End all of somebody's sign-ins but the one with this token; how many there were."""
    others = [one for one in sign_ins(db, user_id) if one.token_hash != token_hash]
    _end(db, others)
    return len(others)


def end_all(db: Session, user_id: int) -> None:
    """End every sign-in of somebody."""
    _end(db, db.exec(select(SignIn).where(SignIn.user_id == user_id)).all())


def alive(db: Session, token_hashes: Collection[str]) -> set[str]:
    """Those of these sign-ins that still let somebody in."""
    mine = select(SignIn.token_hash).where(col(SignIn.token_hash).in_(token_hashes), *is_alive(now()))
    return set(db.exec(mine.join(User, col(User.id) == SignIn.user_id).where(col(User.blocked_at).is_(None))))


def is_alive(at: datetime) -> tuple[Any, ...]:
    """For queries: what is true of a sign-in that lets its owner in, unless he is blocked."""
    return col(SignIn.ended_at).is_(None), col(SignIn.expires_at) > at, col(SignIn.seen_at) > at - IDLE


def forget(db: Session, at: datetime) -> int:
    """Remove the sign-ins that ended KEPT ago, by their owner, by their age or unused; gives their number."""
    before = at - KEPT
    over = or_(col(SignIn.ended_at) < before, col(SignIn.expires_at) < before, col(SignIn.seen_at) < before - IDLE)
    return db.exec(delete(SignIn).where(over)).rowcount


def _end(db: Session, sign_ins: Sequence[SignIn], at: datetime | None = None) -> None:
    ended = [sign_in for sign_in in sign_ins if sign_in.ended_at is None]
    for sign_in in ended:
        sign_in.ended_at = at or now()
    if ended:
        db.exec(delete(PushSubscription).where(col(PushSubscription.sign_in_id).in_([one.id for one in ended])))
        emit(db, SignedOut(tuple(sign_in.token_hash for sign_in in ended)))
