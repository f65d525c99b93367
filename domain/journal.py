"""The journal of OCPP messages: what a charger and we said to each other, kept for some days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from domain.models import Charger, OcppMessage

PRUNED_AT_ONCE = 5_000
"""Rows one transaction deletes, so that no charge waits for a broom."""


@dataclass(frozen=True, slots=True)
class Line:
    """One frame, in (from the charger) or out."""

    charger_id: str
    direction: str
    action: str
    message_id: str
    frame: str
    repairs: str
    at: datetime


def write(db: Session, lines: Sequence[Line]) -> None:
    """Keep these frames, as text that every database takes."""
    rows = [
        {
            "charger_id": line.charger_id,
            "direction": line.direction,
            "action": _plain(line.action, 50),
            "message_id": _plain(line.message_id, 80),
            "frame": _plain(line.frame),
            "repairs": _plain(line.repairs, 1000),
            "created_at": line.at,
        }
        for line in lines
    ]
    db.execute(insert(OcppMessage), rows)


def prune(db: Session, before: datetime) -> int:
    """Delete up to 5,000 of the lines older than `before`; gives how many went."""
    old = select(OcppMessage.id).where(OcppMessage.created_at < before).order_by(col(OcppMessage.id))
    ids = db.exec(old.limit(PRUNED_AT_ONCE)).all()
    db.execute(delete(OcppMessage).where(col(OcppMessage.id).in_(ids)))
    return len(ids)


def traced(db: Session) -> frozenset[str]:
    """The chargers whose every message is wanted."""
    return frozenset(db.exec(select(Charger.id).where(col(Charger.trace))))


def of(db: Session, charger_id: str, limit: int = 100) -> list[OcppMessage]:
    """A charger's last lines, newest first."""
    newest = col(OcppMessage.id).desc()
    return list(db.exec(select(OcppMessage).where(OcppMessage.charger_id == charger_id).order_by(newest).limit(limit)))


def _plain(text: str, longest: int | None = None) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]
