"""The journal of OCPP messages: what a charger and we said to each other, kept for some days."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete
from sqlmodel import Session, col, select

from domain.bulk import Bulk, Row, text
from domain.db import storable
from domain.events import MessagesKept
from domain.models import Charger, OcppMessage, now

PRUNED_AT_ONCE = 5_000
"""Rows one transaction deletes, so that no charge waits for a broom."""
AHEAD = timedelta(days=1)
"""What is later than this was written by a clock that was wrong, and would stand before older lines for ever."""


_COLUMNS = "charger_id, direction, action, message_id, frame, repairs, created_at, answer, answered_at"
_INSERT = f"INSERT INTO ocpp_messages ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_COPY = f"COPY ocpp_messages ({_COLUMNS}) FROM STDIN"


class Line(msgspec.Struct, gc=False):
    """One frame, in (from the charger) or out, and what was answered to it at once."""

    charger_id: str
    direction: str
    action: str
    message_id: str
    frame: str
    repairs: str
    at: datetime
    answer: str | None = None
    answered_at: datetime | None = None


def write(bulk: Bulk, lines: Sequence[Line], traced: frozenset[str] = frozenset()) -> None:
    """Keep these frames, as text that every database takes; whoever follows a traced charger is told."""
    if traced:
        bulk.events += [MessagesKept(name) for name in sorted(traced & {line.charger_id for line in lines})]
    rows = [_row(line, bulk.sqlite) for line in lines]
    if bulk.sqlite:
        bulk.cursor.executemany(_INSERT, rows)
        return
    with bulk.cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _row(line: Line, sqlite: bool) -> Row:
    return (
        line.charger_id,
        line.direction,
        storable(line.action, 50),
        storable(line.message_id, 80),
        storable(line.frame),
        storable(line.repairs, 1000),
        text(line.at, sqlite),
        None if line.answer is None else storable(line.answer),
        None if line.answered_at is None else text(line.answered_at, sqlite),
    )


def prune(db: Session, before: datetime) -> int:
    """Delete those of the 5,000 oldest lines that are older than `before`, or of no time yet; gives how many went.

    Lines are numbered as they are written, so that no index of times is needed, which every message would pay for.
    """
    oldest = select(OcppMessage.id, OcppMessage.created_at).order_by(col(OcppMessage.id)).limit(PRUNED_AT_ONCE)
    ahead = now() + AHEAD
    ids = [number for number, at in db.exec(oldest) if not before <= at <= ahead]
    db.execute(delete(OcppMessage).where(col(OcppMessage.id).in_(ids)))
    return len(ids)


def traced(db: Session) -> frozenset[str]:
    """The chargers whose every message is wanted."""
    return frozenset(db.exec(select(Charger.id).where(col(Charger.trace))))


def of(db: Session, charger_id: str, limit: int = 100, before: int | None = None) -> list[OcppMessage]:
    """A charger's last lines, newest first; those before the line `before`."""
    newest = select(OcppMessage).where(OcppMessage.charger_id == charger_id).order_by(col(OcppMessage.id).desc())
    return list(db.exec((newest if before is None else newest.where(col(OcppMessage.id) < before)).limit(limit)))
