"""What operators did, to whom and why: written in the transaction of the act, so that neither is ever there alone."""

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from domain.logs import SECRET
from domain.models import ActorKind, TrailEntry, now

LONGEST = 2_000
"""Characters of a detail that are kept."""
HIDDEN = "[hidden]"


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
        detail: why, as a sentence; or facts, which are kept as JSON without secrets.
        at: the time of the act; by default now.
    """
    words = detail if isinstance(detail, str) else json.dumps(_without_secrets(detail), ensure_ascii=False, default=str)
    db.add(
        TrailEntry(
            actor_kind=actor.kind,
            actor_id=_fit(actor.id, 80),
            action=_fit(action, 60),
            subject=_fit(subject, 100),
            detail=_fit(words, LONGEST),
            at=at or now(),
        )
    )
    db.flush()


def entries(
    db: Session, *, before: int | None = None, limit: int = 50, subject: str = "", actor: Actor | None = None
) -> list[TrailEntry]:
    """The newest acts first, those before the entry `before`; of one subject or actor only, where named."""
    query = select(TrailEntry).order_by(col(TrailEntry.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(TrailEntry.id) < before)
    if subject:
        query = query.where(TrailEntry.subject == subject)
    if actor is not None:
        query = query.where(TrailEntry.actor_kind == actor.kind, TrailEntry.actor_id == actor.id)
    return list(db.exec(query))


def _fit(words: str, longest: int) -> str:
    return words.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


def _without_secrets(value: Any, name: str = "") -> Any:
    if any(word in name.casefold() for word in SECRET):
        return HIDDEN
    if "phone" in name.casefold():
        return f"…{str(value)[-4:]}"
    if isinstance(value, Mapping):
        setting = str(value.get("key", ""))  # of OCPP's ChangeConfiguration: the name of what `value` is
        named = {str(inner): setting if inner == "value" and setting else str(inner) for inner in value}
        return {inner: _without_secrets(value[inner], named[str(inner)]) for inner in value}
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return value
