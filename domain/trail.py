"""What operators did, to whom and why: written in the transaction of the act, so that neither is ever there alone."""

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal, or_, union_all
from sqlmodel import Session, col, select

from domain.db import storable
from domain.identity import typed_number
from domain.models import ActorKind, ChargingSession, RechargeOrder, Refund, Token, TrailEntry, now
from domain.redaction import hidden, without_password

LONGEST = 2_000
"""Characters of a detail that are kept."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user on the operators' pages, a key of the REST API, or somebody at the shell."""

    kind: ActorKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def user(user_id: int) -> Actor:
    """An operator who is signed in."""
    return Actor(ActorKind.USER, str(user_id))


def key(key_id: int | str) -> Actor:
    """A key of the REST API."""
    return Actor(ActorKind.KEY, str(key_id))


def shell() -> Actor:
    """Whoever runs this program."""
    try:
        return Actor(ActorKind.SHELL, getpass.getuser())
    except (KeyError, OSError):  # a container's user may have no name
        return Actor(ActorKind.SHELL, "nobody")


def actor(named: str) -> Actor | None:
    """Whoever is called so, as `str` writes an actor; None for what names nobody."""
    kind, _, name = named.partition(":")
    return Actor(ActorKind(kind), storable(name)) if kind in set(ActorKind) and name else None


def note(
    db: Session,
    actor: Actor,
    action: str,
    subject: str,
    detail: str | Mapping[str, Any] = "",
    at: datetime | None = None,
) -> None:
    """Write down one act; call it in the transaction that does it.

    Args:
        db: the transaction of the act.
        actor: who did it.
        action: noun and verb, as the shell names them: `wallet adjust`, `call Reset`.
        subject: what it was done to, `<kind>:<id>`: `user:7`, `charger:BLR-017`, `session:K3…`.
        detail: why, as a sentence; or facts, which are kept as JSON without secrets. Neither keeps the
            password in an address.
        at: the time of the act; by default now.
    """
    words = without_password(detail) if isinstance(detail, str) else json.dumps(hidden(detail), ensure_ascii=False)
    db.add(
        TrailEntry(
            actor_kind=actor.kind,
            actor_id=storable(actor.id, 80),
            action=storable(action, 60),
            subject=storable(subject, 100),
            detail=storable(words, LONGEST),
            at=at or now(),
        )
    )
    db.flush()


def entries(
    db: Session, *, before: int | None = None, limit: int = 50, subject: str = "", actor: Actor | None = None
) -> list[TrailEntry]:
    """The newest acts first, those before the entry `before`; of one subject (`about`) or actor only, where named."""
    query = select(TrailEntry).order_by(col(TrailEntry.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(TrailEntry.id) < before)
    if subject:
        query = query.where(about(storable(subject)))
    if actor is not None:
        query = query.where(TrailEntry.actor_kind == actor.kind, TrailEntry.actor_id == actor.id)
    return list(db.exec(query))


def about(subject: str) -> ColumnElement[bool]:
    """Acts on a subject; on a user also those on his charges, payments and cards, since they are his money."""
    kind, _, number = subject.partition(":")
    itself = col(TrailEntry.subject) == subject
    if kind != "user" or (user_id := typed_number(number)) is None:
        return itself
    theirs = (
        select(literal(f"{name}:") + column).where(col(owner) == user_id)
        for name, column, owner in (
            ("session", col(ChargingSession.ref), ChargingSession.user_id),
            ("order", col(RechargeOrder.merchant_order_id), RechargeOrder.user_id),
            ("refund", col(Refund.merchant_refund_id), Refund.user_id),
            ("card", col(Token.tag), Token.user_id),
        )
    )
    return or_(itself, col(TrailEntry.subject).in_(union_all(*theirs)))
