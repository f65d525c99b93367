"""Writes of the REST API that their callers named, so that each is done once however often it is sent."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from domain.models import ApiWrite, now
from domain.settings import settings

KEPT = timedelta(days=7)
"""How long an answer is remembered."""
PRUNED_AT_ONCE = 5_000


class AnotherWrite(Exception):
    """The name was used for something else."""


class UnderWay(Exception):
    """It was begun, and nobody knows yet how it ended; if its server died meanwhile, nobody will."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write was answered: HTTP's status and a body of JSON."""

    status: int
    body: str


def begin(db: Session, key_id: int, name: str, fingerprint: str) -> Answer | None:
    """Take a write to do it; gives the answer instead where it was done before.

    Of two at once the second waits for the first: they race for one row, and who loses runs again (`transact`).

    Raises:
        AnotherWrite: the name was used for something else.
        UnderWay: it was begun in a transaction before, and has not ended.
    """
    row = _row(db, key_id, name)
    if row is None:
        db.add(ApiWrite(api_key_id=key_id, name=name, fingerprint=fingerprint, created_at=now()))
        db.flush()
        return None
    return _answer(row, fingerprint)


def answered(db: Session, key_id: int, name: str, fingerprint: str) -> Answer | None:
    """The answer of a write that was done before; raises as `begin`."""
    row = db.get(ApiWrite, (key_id, name))
    return None if row is None else _answer(row, fingerprint)


def _answer(row: ApiWrite, fingerprint: str) -> Answer:
    if not hmac.compare_digest(row.fingerprint, fingerprint):
        raise AnotherWrite(row.name)
    if row.status is None:
        raise UnderWay(row.name)
    return Answer(row.status, row.answer)


def end(db: Session, key_id: int, name: str, answer: Answer) -> None:
    """It was done, and this is what its caller is told, now and whenever he asks again."""
    row = _row(db, key_id, name)
    assert row is not None
    row.status, row.answer = answer.status, answer.body


def undone(db: Session, key_id: int, name: str) -> None:
    """Nothing at all was done: it may be sent again under its name."""
    row = _row(db, key_id, name)
    if row is not None and row.status is None:
        db.delete(row)


def forget(db: Session, at: datetime) -> int:
    """Remove up to 5,000 answers that are older than anybody may ask for; gives how many went."""
    old = select(ApiWrite.created_at).where(ApiWrite.created_at < at - KEPT).order_by(col(ApiWrite.created_at))
    last = db.exec(old.offset(PRUNED_AT_ONCE - 1).limit(1)).first() or at - KEPT
    return db.exec(
        delete(ApiWrite).where(col(ApiWrite.created_at) < at - KEPT, col(ApiWrite.created_at) <= last)
    ).rowcount


def fingerprint(*asked: str) -> str:
    """Of what was asked, keyed: a body may hold a charger's key, which no hash of ours may give away."""
    return hmac.digest(settings().secret(), "\0".join(("api", *asked)).encode(errors="replace"), hashlib.sha256).hex()


def _row(db: Session, key_id: int, name: str) -> ApiWrite | None:
    return db.get(ApiWrite, (key_id, name), with_for_update=True, populate_existing=True)
